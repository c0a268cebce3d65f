"""Ports for servers that can't choose one themselves."""

from __future__ import annotations

import random
import socket

_OURS = range(10_000, 32_000)
"""Below those that the system hands out (from 32768 on, or higher): no connection and no other server takes one before its server does."""


def free_ports(count: int) -> list[int]:
    """Return ports of loopback on which nothing listens."""
    chosen: list[int] = []
    while len(chosen) < count:
        port = random.SystemRandom().choice(_OURS)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in chosen:
            chosen.append(port)
    return chosen
