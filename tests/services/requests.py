"""The requests that a service was asked for, and their outcomes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

PAUSE_S = 0.05
_SHORT_EACH = 10
"""Each tenth request has a client of its own."""


class Request(NamedTuple):
    """One request."""

    began_at: float
    ended_at: float
    connection: str
    outcome: str
    """The status, or the error."""

    @property
    def is_answered(self) -> bool:
        return self.outcome == "200"


class Requests:
    """Requests and their outcomes; threads may share it."""

    def __init__(self) -> None:
        self.seen: list[Request] = []

    def repeat(self, connection: str, ask: Callable[[str], str], ends_at: float) -> None:
        """Ask again and again, with `short` for a client of its own, or with nothing for the lasting one."""
        number = 0
        while time.time() < ends_at:
            number += 1
            began_at = time.time()
            text = ask("" if number % _SHORT_EACH else "short")
            self.seen.append(Request(began_at, time.time(), connection, text))
            time.sleep(PAUSE_S)
