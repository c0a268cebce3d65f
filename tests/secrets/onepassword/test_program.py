"""The program `op`: what it prints, and what it complains of."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from connform.secrets.kit.interface import Fetched, StoreConfig
from connform.secrets.onepassword.backend import OP
from connform.testing.secrets import Bench, SecretBackendSuite
from tests.canary import assert_no_canary
from tests.secrets.fetching import failure, fetch, outcomes
from tests.secrets.onepassword.stand_ins import Program

ARGUMENTS = "item get portal --vault acme --format json --reveal"
PROMPT = "[ERROR] 2026/03/01 12:00:00 "
CANARY = "c4nary-of-the-program"
ITEM = {"id": "x", "title": "portal", "fields": [{"id": "password", "label": "password", "value": "0012"}]}


def test_it_reads_an_item(program: Program, tmp_path: Path) -> None:
    fields = [{"id": "password", "label": "password", "value": "0012"}, {"id": "x", "label": "user", "value": "me"}]
    program.put("acme", "portal", {"id": "x", "title": "portal", "version": 4, "fields": fields})
    assert fetch("op", tmp_path, "op://acme/portal/password", "op://acme/portal/user") == ["0012", "me"]
    assert len(program.calls) == 1


@pytest.mark.parametrize(
    ("written", "since"),
    [
        ("2022-12-11T22:08:37.106146-08:00", "2022-12-12 06:08:37.106146+00:00"),
        ("2026-03-01T12:00:00Z", "2026-03-01 12:00:00+00:00"),
        ("2026-03-01T12:00:00", "None"),
        ("yesterday", "None"),
        (7, "None"),
        (None, "None"),
    ],
)
def test_the_time_of_the_last_change_is_in_utc(program: Program, tmp_path: Path, written: object, since: str) -> None:
    fields = [{"id": "password", "value": "0012"}]
    program.put("acme", "portal", {"id": "x", "title": "portal", "updated_at": written, "fields": fields})
    (outcome,) = outcomes("op", tmp_path, "op://acme/portal/password")
    assert isinstance(outcome, Fetched)
    assert str(outcome.since) == since


@pytest.mark.parametrize("printed", ["", "[]", "{", '"text"', "[" * 100_000])
def test_what_is_no_item_is_malformed(program: Program, tmp_path: Path, printed: str) -> None:
    program.answer(ARGUMENTS, stdout=printed)
    error = failure("op", tmp_path, "op://acme/portal/password")
    assert (error.fault.name, "which program `op`" in error.hint) == ("secret_malformed", True)


def test_a_missing_program_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    error = failure("op", tmp_path, "op://acme/portal/password")
    assert (error.fault.name, "program op" in error.message) == ("secret_backend_unavailable", True)


def test_ambiguous_items_are_named_by_their_ids(program: Program, tmp_path: Path) -> None:
    first, second = "nzgux34qqrpx435wzpbjnnpjvi", "tu5h7nbtlix347aiqzxo7z4ptu"
    stderr = f'{PROMPT}More than one item matches "portal". Try again and specify the item by its ID: \n' + "".join(
        f'\t* for the item "portal {CANARY}" in vault {CANARY}: {id_}\n' for id_ in (second, first)
    )
    program.answer(ARGUMENTS, stderr=stderr, status=1)
    error = failure("op", tmp_path, "op://acme/portal/password")
    assert error.fault.name == "secret_malformed"
    assert error.hint == f"write the id of the item instead, one of {first}, {second}"
    assert CANARY not in error.message


class ProgramBench(Bench):
    backend = OP


def test_a_rate_limit_is_waited_for(program: Program, tmp_path: Path) -> None:
    limited = f"{PROMPT}Too many requests. Your client has been rate-limited."
    program.answer(ARGUMENTS, stderr=limited, status=1)
    heals = threading.Timer(0.5, lambda: program.put("acme", "portal", ITEM))
    heals.start()
    assert SecretBackendSuite().value(ProgramBench(StoreConfig(tmp_path)), "op://acme/portal/password") == "0012"
    heals.join()
    assert len(program.calls) > 1


def test_a_rate_limit_of_an_hour_is_told(program: Program, tmp_path: Path) -> None:
    limited = f"{PROMPT}(429) Too Many Requests: You've reached the maximum. Please retry in 58 minutes or try others."
    program.answer(ARGUMENTS, stderr=limited, status=1)
    error = SecretBackendSuite().fault(ProgramBench(StoreConfig(tmp_path)), "op://acme/portal/password")
    assert "asks to wait for 3480 s; `timeout_s` is 10" in error.message
    assert "ratelimit" in error.hint
    assert len(program.calls) == 1


@pytest.mark.parametrize("name", ["rate-limited", "(403)", "unknown-flag"])
def test_the_name_of_an_item_is_no_complaint(program: Program, tmp_path: Path, name: str) -> None:
    stderr = f'{PROMPT}"{name}" isn\'t an item in the "(429)" vault. Specify the item with its UUID, name, or domain.'
    program.answer(f"item get {name} --vault acme --format json --reveal", stderr=stderr, status=1)
    assert failure("op", tmp_path, f"op://acme/{name}/password").fault.name == "secret_not_found"


def test_what_it_prints_is_not_quoted(program: Program, tmp_path: Path) -> None:
    program.answer(ARGUMENTS, stderr=f"{PROMPT}something new: {CANARY}", status=1)
    error = failure("op", tmp_path, "op://acme/portal/password")
    assert (error.fault.name, error.message) == ("secret_backend_unavailable", "op exited with status 1")
    assert_no_canary(error.message, error.hint)
    assert CANARY not in f"{error.message}{error.hint}"
