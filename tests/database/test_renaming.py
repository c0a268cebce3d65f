"""Record, history and grant under another name: all of it or nothing, whenever it ends."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from connform.database import open_grants, open_state
from connform.database.cipher import new_key
from connform.database.interface import Execute
from connform.database.renaming import rename
from connform.database.state_changes import MAX_ATTEMPTS, StateChanges
from connform.errors import ConnectionFailed
from connform.recorded import Actor, AppliedRecord, Attempt
from connform.secret import Secret
from tests.canary import API_KEY, AWKWARD
from tests.database.conftest import NOW, Kind, grant, keep, tokens
from tests.forking import forked

SPEC: dict[str, Any] = {
    "settings": {"auth": {"method": "oauth2"}},
    "base_url": "https://acme.example",
    "stores": {},
}


def attempt(number: int, verdict: str = "ready") -> Attempt:
    at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=number)
    return Attempt(at, Actor("test", "localhost"), "update", "sha256:0", "https://acme.example", "oauth2", verdict)


def record(name: str, number: int, digest: str = "sha256:0") -> AppliedRecord:
    return AppliedRecord(name, "connections.yaml", digest, SPEC, attempt(number, "ready" if digest else "failed"))


def write(kind: Kind, *records: AppliedRecord) -> None:
    with closing(open_state(kind.url, kind.folder)) as states, states.lock_parts(["00"], 30) as changes:
        changes.write(records)


def seen(kind: Kind) -> dict[str, tuple[AppliedRecord | None, int, tuple[str, str] | None]]:
    """Return what is known of both names: the record, how many attempts, the tokens."""
    with (
        closing(open_state(kind.url, kind.folder)) as states,
        closing(open_grants(kind.url, kind.folder, lambda: Secret(kind.key))) as grants,
        states.lock_parts(["00"], 30),  # a server may still be ending the session of a process that was killed
    ):
        kept = {name: grants.read(name) for name in ("old", "new")}
        return {
            name: (states.record(name), len(states.history(name)), tokens(one) if one else None)
            for name, one in kept.items()
        }


def renamed(kind: Kind, *, old: str = "old", new: str = "new", ends_before: int = -1, key: str = "") -> int:
    """Rename, and return how many statements that took; or kill this process before one of them."""
    count = 0
    with (
        closing(open_state(kind.url, kind.folder)) as states,
        closing(open_grants(kind.url, kind.folder, lambda: Secret(key or kind.key))) as grants,
        states.lock_parts(["00"], 30) as changes,
    ):

        @contextmanager
        def writing() -> Iterator[Execute]:
            with changes.writing() as execute:

                def counted(sql: str, values: Any = ()) -> list[tuple[Any, ...]]:
                    nonlocal count
                    count += 1
                    if count == ends_before:
                        os.kill(os.getpid(), signal.SIGKILL)
                    return execute(sql, values)

                yield counted
                if count + 1 == ends_before:
                    os.kill(os.getpid(), signal.SIGKILL)

        rename(StateChanges(writing, "+state.00"), grants, old, new)
    return count


def test_record_history_and_grant_go_together_and_back(kind: Kind) -> None:
    write(kind, *(record("old", number) for number in range(3)))
    keep(kind.open(), grant("old"))
    before = seen(kind)
    renamed(kind)
    there = seen(kind)
    assert there["old"] == (None, 0, None)
    assert there["new"] == (record("new", 2), 3, (API_KEY, AWKWARD))
    (facts,) = kind.open().facts()
    assert facts == grant("new").facts, "since when, for whom, what: all of it stays"
    assert facts.granted_at == NOW
    renamed(kind, old="new", new="old")
    assert seen(kind) == before


def test_a_process_that_is_killed_in_the_middle_leaves_everything_where_it_was(kind: Kind) -> None:
    write(kind, record("old", 1))
    keep(kind.open(), grant("old"))
    before = seen(kind)
    is_done = None
    for ends_before in range(1, 50):
        with forked(partial(renamed, kind, ends_before=ends_before)) as child, suppress(EOFError):
            is_done = child.said.recv()  # nothing, where it was killed
        if is_done is not None:
            break
        assert seen(kind) == before, f"killed before statement {ends_before}"
    assert is_done == (True, ends_before - 2), "the last kill came before the commit"
    assert ends_before > 5, "nothing was interrupted"
    assert seen(kind) == {"old": (None, 0, None), "new": (record("new", 1), 1, (API_KEY, AWKWARD))}


def test_a_failed_attempt_under_the_new_name_gives_way_and_is_remembered(kind: Kind) -> None:
    write(kind, record("old", 1), record("new", 2, digest=""))
    renamed(kind)
    assert seen(kind) == {"old": (None, 0, None), "new": (record("new", 1), 2, None)}


def test_no_more_attempts_are_kept_than_of_one_connection(kind: Kind) -> None:
    write(
        kind, *(record("old", number) for number in range(80)), *(record("new", 100 + number) for number in range(80))
    )
    renamed(kind)
    assert seen(kind)["new"][1] == MAX_ATTEMPTS


@pytest.mark.parametrize("obstacle", ["another key", "a grant of the new name"])
def test_what_stands_in_the_way_of_a_grant_keeps_the_record_too(kind: Kind, obstacle: str) -> None:
    write(kind, record("old", 1))
    keep(kind.open(), grant("old"))
    if obstacle == "a grant of the new name":
        keep(kind.open(), grant("new", client_id="another"))
    before = seen(kind)
    with pytest.raises(ConnectionFailed):
        renamed(kind, key=new_key() if obstacle == "another key" else "")
    assert seen(kind) == before


def test_a_grant_alone_goes_as_well(kind: Kind) -> None:
    keep(kind.open(), grant("old"))
    write(kind, record("new", 1, digest=""))
    renamed(kind)
    assert seen(kind) == {"old": (None, 0, None), "new": (record("new", 1, digest=""), 1, (API_KEY, AWKWARD))}
