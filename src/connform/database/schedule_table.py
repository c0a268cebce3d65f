"""The schedule of checks in a state database: when each connection is due, and which replica of `monitor` checks it now.

Layer 2, no IO of its own. A server's clock counts, so that replicas on several machines agree.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from random import random
from time import time
from typing import NamedTuple

from connform.database.interface import CHECKS_SCHEMA, Database, Execute

_MAX_SPREAD_S = 60.0
"""The first checks are spread over so many seconds at most."""
_KEPT_S = 30 * 86_400.0
"""A connection that was due so long ago is none any more."""
_CLOCK = "SELECT CAST(extract(epoch FROM clock_timestamp()) AS DOUBLE PRECISION)"
_NAMED = "connection IN (SELECT value FROM json_each(?))"
_NAMED_ON_SERVER = "connection IN (SELECT jsonb_array_elements_text(CAST(? AS jsonb)))"
_ADD = "INSERT INTO connform_schedule (connection, due_at, claimed_until, claimed_by) VALUES (?, ?, 0, '') ON CONFLICT DO NOTHING"
_DUE_AT = "SELECT connection, due_at FROM connform_schedule WHERE "
_MOVE = "UPDATE connform_schedule SET due_at = ? WHERE connection = ? AND due_at = ?"
_DELETE_OLD = "DELETE FROM connform_schedule WHERE due_at < ? AND claimed_until < ?"
_FREE = "SELECT connection FROM connform_schedule WHERE due_at <= ? AND claimed_until <= ? AND {named} ORDER BY due_at LIMIT ?{lock}"
_CLAIM = "UPDATE connform_schedule SET claimed_until = ?, claimed_by = ? WHERE {named}"
_NEXT = "SELECT min(CASE WHEN claimed_until > due_at THEN claimed_until ELSE due_at END) FROM connform_schedule WHERE {named}"
_CLAIMED = "SELECT connection, due_at FROM connform_schedule WHERE claimed_by = ? AND {named}"
_DONE = "UPDATE connform_schedule SET due_at = ?, claimed_until = 0, claimed_by = '' WHERE connection = ? AND claimed_by = ?"
_RELEASE = "UPDATE connform_schedule SET claimed_until = 0, claimed_by = '' WHERE claimed_by = ?"


class Claim(NamedTuple):
    """What a replica may check now."""

    names: list[str]
    """The connections that are its own until the claim ends."""
    next_s: float
    """In how many seconds another connection may be free; 0 or more."""


class Pause(NamedTuple):
    """When a connection is to be checked again."""

    interval_s: float
    """After its last due time, so that late checks don't add up."""
    at_least_s: float = 0.0
    """From now on at least: what a server asks for."""


class ScheduleTable:
    """The schedule in one database, for one replica. Errors of all methods are faults of the state database (`ConnectionFailed`)."""

    def __init__(self, database: Database, replica: str) -> None:
        """Take the database, and a name of this replica that no other has."""
        self._database = database
        self._replica = replica
        self._named = _NAMED if database.folder else _NAMED_ON_SERVER
        self._lock = "" if database.folder else " FOR UPDATE SKIP LOCKED"

    def add(self, names: Collection[str], interval_s: float, slowed: Collection[str] = ()) -> None:
        """Add connections that have no due time. Their first checks are spread, and those of connections that are long overdue.

        Args:
            names: the connections.
            interval_s: their interval; what is due later than that is due sooner now, since the interval was a longer one.
            slowed: connections that may be due later, since a server asks for it.
        """
        with self._database.writing() as execute:
            now = self._now(execute)
            spread_s = min(interval_s, _MAX_SPREAD_S)
            execute(_DELETE_OLD, (now - _KEPT_S, now - _KEPT_S))
            known: dict[str, float] = dict(execute(_DUE_AT + self._named, (json.dumps([*names]),)))
            for name in names:
                if name not in known:
                    execute(_ADD, (name, now + random() * spread_s))  # noqa: S311  (no secret)
                elif known[name] < now - interval_s or (known[name] > now + interval_s and name not in slowed):
                    execute(_MOVE, (now + random() * spread_s, name, known[name]))  # noqa: S311  (the same)

    def claim(self, names: Collection[str], most: int, lease_s: float) -> Claim:
        """Claim connections that are due and that no living replica has claimed.

        Args:
            names: which ones may be claimed.
            most: how many.
            lease_s: for how long; then other replicas take this one for dead.
        """
        array = json.dumps([*names])
        with self._database.writing() as execute:
            now = self._now(execute)
            free = _FREE.format(named=self._named, lock=self._lock)
            claimed = [name for (name,) in execute(free, (now, now, array, most))]
            if claimed:
                claim = _CLAIM.format(named=self._named)
                execute(claim, (now + lease_s, self._replica, json.dumps(claimed)))
            ((next_at,),) = execute(_NEXT.format(named=self._named), (array,))
        return Claim(claimed, max((next_at or now + lease_s) - now, 0.0))

    def done(self, pauses: Mapping[str, Pause]) -> None:
        """Note that claimed connections were checked, and when each is due again. A claim that was lost is left to its new holder."""
        with self._database.writing() as execute:
            now = self._now(execute)
            claimed = execute(_CLAIMED.format(named=self._named), (self._replica, json.dumps([*pauses])))
            for name, due_at in claimed:
                interval_s, at_least_s = pauses[name]
                is_late = now - due_at > interval_s / 2
                next_at = max((now if is_late else due_at) + interval_s, now + at_least_s)
                execute(_DONE, (next_at, name, self._replica))

    def release(self) -> None:
        """Give up all claims of this replica, so that another one takes them at once."""
        with self._database.writing() as execute:
            execute(_RELEASE, (self._replica,))

    def due_times(self) -> dict[str, float]:
        """Return when each connection is due, in seconds since 1970."""
        with self._database.reading(CHECKS_SCHEMA) as execute:
            return dict(execute(f"{_DUE_AT}true")) if execute else {}

    def close(self) -> None:
        """Close files and connections."""
        self._database.close()

    def _now(self, execute: Execute) -> float:
        if self._database.folder:
            return time()
        ((now,),) = execute(_CLOCK)
        return float(now)
