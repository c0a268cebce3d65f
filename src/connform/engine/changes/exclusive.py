"""Exclusive transactions of state databases in which no grant is being renewed. Layer 3; locks and writes the state databases.

A renewal writes to the database before it sends the refresh token, and again with the answer. Who moves a grant, or changes its key, in
between, would lose the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from time import monotonic, sleep
from typing import TypeVar

from connform.auth.oauth.pending_refresh import is_under_way
from connform.database.grant_rows import READ_FACTS, stored_facts
from connform.database.grant_table import GrantTable
from connform.database.interface import Execute
from connform.errors import ConnectionFailed
from connform.grant import GrantFacts

_PAUSE_S = 0.1
T = TypeVar("T")


def without_renewals(tables: Sequence[GrantTable], timeout_s: float, work: Callable[[list[Execute]], T]) -> T:
    """Call a function with an exclusive transaction of each database, commit them in reverse order, and return its result.

    Args:
        tables: the tables of grants, one for each database.
        timeout_s: how long to wait until no grant is being renewed.
        work: the function; it is given the transactions in the order of the tables.

    Raises:
        ConnectionFailed: `store_locked`, a renewal takes longer; another fault of a state database.
    """
    ends_at = monotonic() + timeout_s
    while True:
        with ExitStack() as transactions:
            executes = [transactions.enter_context(table.keyed.database.exclusive()) for table in tables]
            renewed = [(table, _renewed(execute)) for table, execute in zip(tables, executes, strict=True)]
            under_way = next(((table, facts) for table, facts in renewed if facts), None)
            if under_way is None:
                return work(executes)
        _wait(*under_way, ends_at - monotonic())


def _renewed(execute: Execute) -> GrantFacts | None:
    """Return the facts of a grant that is being renewed; `None` if none is."""
    now = datetime.now(UTC)
    for facts in map(stored_facts, execute(READ_FACTS)):
        if facts.pending and is_under_way(facts.pending, facts.connection, now):
            return facts
    return None


def _wait(table: GrantTable, facts: GrantFacts, remaining_s: float) -> None:
    """Wait until the renewal of a grant has ended, or for a moment if its process has lost the lock."""
    if remaining_s <= 0:
        message = f"{facts.pending and facts.pending.holder} is renewing the grant of {facts.connection}"
        raise ConnectionFailed("store_locked", message, "try again in a minute")
    with table.lock(facts.connection, remaining_s):
        pass
    sleep(min(_PAUSE_S, remaining_s))
