"""Two months of rounds, every five minutes: in the second the database no longer grows, and the attempts of `apply` are still there.

`make long ARGS=month` records more connections, each round in a transaction of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from itertools import islice

import psycopg
import pytest

from connform.database import open_checks, open_state
from connform.database.sqlite import FILE
from connform.database.state_changes import MAX_ATTEMPTS
from connform.recorded_checks import RecordedCheck
from tests.database.conftest import Kind
from tests.database.test_checks import BEGIN, KEEP, check
from tests.database.test_renaming import record
from tests.repetitions import given, repeated

CONNECTIONS = given("connections", 1)
HOUR = timedelta(hours=1)
ROUNDS_A_DAY = 24 * 12
ROUNDS_A_WRITE = repeated(ROUNDS_A_DAY, 1)
MONTHS = (range(45), range(45, 75))
"""The days of both: until rows were deleted and their room was used again, and 30 more."""
GROWTH = 1.03, 8 * 4096
"""By how much the second may be larger than the first, and by how many bytes at least: pages that are filled otherwise."""


def rounds(days: range) -> Iterator[list[RecordedCheck]]:
    """Yield the rounds of some days: half of the connections fail in every hour, and each latency is another one."""
    for number in range(days.start * ROUNDS_A_DAY, days.stop * ROUNDS_A_DAY):
        is_bad = number % 12 == 7
        yield [
            check(
                f"acme-{index:05}",
                number * 5,
                "failed" if is_bad and index % 2 == 0 else "ready",
                "tls_cert_expired" if is_bad and index % 2 == 0 else "",
                latency_ms=(number * 7919 + index) % 10_000 / 10,
            )
            for index in range(CONNECTIONS)
        ]


def size_of(kind: Kind) -> int:
    """Return the bytes of a database; of a server, after what its autovacuum does."""
    if not kind.url:
        return (kind.folder / FILE).stat().st_size
    with psycopg.connect(kind.url, autocommit=True) as server:
        server.execute("VACUUM")
        sizes = server.execute("SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relname LIKE 'connform%'")
        return int(sizes.fetchall()[0][0])


@pytest.mark.timeout(repeated(240, 0))
def test_after_a_month_a_database_no_longer_grows_and_attempts_of_apply_are_still_there(kind: Kind) -> None:
    with closing(open_state(kind.url, kind.folder)) as states, states.lock_parts(["00"], 30) as changes:
        for number in range(MAX_ATTEMPTS):
            changes.write([record("acme-00000", number)])
        attempts = states.history("acme-00000")
    sizes: list[int] = []
    with closing(open_checks(kind.url, kind.folder)) as table:
        for days in MONTHS:
            todo = rounds(days)
            for number in range(0, len(days) * ROUNDS_A_DAY, ROUNDS_A_WRITE):
                together = [one for checks in islice(todo, ROUNDS_A_WRITE) for one in checks]
                table.record(together, keep=KEEP)
                if number % ROUNDS_A_DAY == 0:
                    size_of(kind)
            sizes.append(size_of(kind))
        found = table.histories()
    print(f"{CONNECTIONS} connections: {sizes[0]} bytes after a month, {sizes[1]} after another")
    assert sizes[1] <= max(sizes[0] * GROWTH[0], sizes[0] + GROWTH[1])
    assert len(found) == CONNECTIONS
    for one in found.values():
        assert sum(one.counts.values()) == MONTHS[1].stop * ROUNDS_A_DAY
        assert KEEP / HOUR <= len(one.hours) <= KEEP / HOUR + 24
        assert all(hour.checks == 12 for hour in one.hours)
        assert one.hours[-1].hour == BEGIN + timedelta(days=MONTHS[1].stop, hours=-1)
    with closing(open_state(kind.url, kind.folder)) as states:
        assert states.history("acme-00000") == attempts
        assert len(attempts) == MAX_ATTEMPTS
