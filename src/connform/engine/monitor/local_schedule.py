"""The schedule of one replica alone, for as long as the state database is away. Layer 3, no IO."""

from __future__ import annotations

from collections.abc import Collection
from random import random
from time import time

from connform.database.schedule_table import Claim, Pause


class LocalSchedule:
    """When this replica checks each connection, in seconds since 1970."""

    def __init__(self, interval_s: float) -> None:
        self._interval_s = interval_s
        self._due: dict[str, float] = {}
        self.is_in_use = False
        """Whether the state database is away."""

    def begin(self, names: Collection[str]) -> None:
        """Use it from now on. What this replica has not checked lately is spread over one interval."""
        self.is_in_use, now = True, time()
        for name in names:
            if self._due.get(name, 0.0) < now:
                self._due[name] = now + random() * self._interval_s  # noqa: S311  (no secret)

    def done(self, name: str, pause: Pause) -> None:
        """Note that a connection was checked."""
        self._due[name] = time() + max(pause)

    def claim(self, names: Collection[str], most: int) -> Claim:
        """Return the connections to check now, and in how many seconds others are due."""
        now = time()
        due = sorted((self._due.get(name, now), name) for name in names)
        claimed = [name for at, name in due if at <= now][:most]
        next_at = next((at for at, _ in due if at > now), now + self._interval_s)
        return Claim(claimed, max(next_at - now, 0.0))

    def keep_only(self, names: frozenset[str]) -> None:
        """Forget connections that are not declared any more."""
        self._due = {name: at for name, at in self._due.items() if name in names}
