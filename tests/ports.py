"""Ports: free ones, for servers that can't choose one themselves, and such that answer nobody."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

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


@contextmanager
def silent_port(host: str = "127.0.0.1", port: int = 0) -> Iterator[int]:
    """Yield a port whose backlog is full: the kernel drops what comes, as a firewall does."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server((host, port), backlog=0))
        for _ in range(3):
            filler = stack.enter_context(socket.socket())
            filler.settimeout(0)
            filler.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]
