"""Reports of many connections on a terminal: what a person sees of 5, 50 and 500 connections in 40, 80 and 120 columns."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connform.engine.changes.destination import Destination, Send
from connform.engine.changes.secret_identity import SecretIdentity
from connform.engine.changes.specification import FieldChange
from connform.engine.connection_report import ConnectionReport
from connform.engine.report import Report
from connform.faults import Verdict
from connform.recorded import AppliedRecord
from connform.reporters import text, view
from connform.reporters.causes import by_cause
from connform.reporters.terminal import width_of
from connform.reporters.time_ago import time_ago
from tests.reporters.samples import (
    ATTEMPT,
    CHECKED,
    CHECKS,
    DECLARED,
    FILE,
    READY,
    REJECTED,
    SAMPLES,
    SPECIFICATION,
    SUMMARY,
    UNREACHABLE,
    span,
)

NOW = datetime(2026, 3, 1, 15, 30, tzinfo=UTC)
STORE = "the store corp-vault can't be opened: environment variable VAULT_SECRET_ID is not set"
WIDTHS = (40, 80, 120)


def on_terminal(report: Report, width: int = 80, verbosity: int = 0) -> str:
    return text.render_on_terminal(view.build(report), color=False, width=width, verbosity=verbosity, now=NOW)


def in_log(report: Report) -> str:
    return text.render(view.build(report), color=False, width=120, verbosity=0)


def failed(number: int) -> ConnectionReport:
    """A connection behind a store that can't be opened; its reference is its own."""
    return REJECTED._replace(
        name=f"failed-{number}",
        verdict=Verdict.FAILED,
        fault="secret_not_found",
        message=f"{STORE} (corp-vault://kv/{number}#api_key)",
        hint="export VAULT_SECRET_ID=… before connform runs",
        place=span(10 + number, 16, 40),
    )


def many(count: int, failures: int) -> Report:
    """A check of `count` connections: the first ones fail for one reason, and the last of these for another."""
    bad = [failed(number) for number in range(failures - 1)] + [UNREACHABLE._replace(name="failed-last")] * (
        failures > 0
    )
    good = [READY._replace(name=f"customer-{number}-globex", warnings=()) for number in range(count - failures)]
    connections = (*bad, *good)
    return Report("check", (FILE, "more.yaml"), (), connections, len(connections), policy_count=5, elapsed_s=1.2)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(
    ("count", "failures"), [(5, 0), (5, 2), (50, 0), (50, 2), (50, 33), (500, 0), (500, 2), (500, 33)]
)
def test_a_check_of_many_fits_the_terminal_and_loses_no_failure(count: int, failures: int, width: int) -> None:
    shown = on_terminal(many(count, failures), width)
    assert max(map(width_of, shown.splitlines())) <= width
    whole = " ".join(shown.split())
    names = [f"failed-{number}" for number in range(failures - 1)] + ["failed-last"] * (failures > 0)
    assert [name for name in names if not re.search(rf"\b{name}\b", whole)] == []
    assert whole.count(STORE) == (failures > 1)
    assert whole.count("no answer from 192.0.2.7") == (failures > 0)
    is_counted = count - failures > 20
    assert ("customer-0-globex" in whole) is not is_counted
    assert whole.count("-v lists them") == is_counted
    if failures:
        last = [line for line in shown.splitlines() if line.startswith(("✓", "✗", "?"))][-1]
        assert "failed-last" in last
    assert len(shown.splitlines()) <= {40: 80, 80: 40, 120: 35}[width]


def test_a_log_keeps_a_line_for_each_connection_without_remarks() -> None:
    lines = in_log(many(500, 2)).splitlines()
    assert sum(line.startswith("✓ ready  customer-") for line in lines) == 498


def test_a_warning_about_many_places_is_told_once_on_a_terminal_and_at_each_place_in_a_log() -> None:
    (warning,) = SAMPLES["validate-warning"].diagnostics
    report = Report(
        "validate", (FILE,), tuple(warning._replace(span=span(line, 3, 9)) for line in range(1, 51)), (), 50
    )
    shown = on_terminal(report)
    assert shown.count(f"warning[{warning.code}]") == 1
    assert f"= also: {FILE}:2:3, 3:3, 4:3, 5:3, 6:3, and 44 more" in shown
    assert "50 warnings" in shown
    assert in_log(report).count(f"warning[{warning.code}]") == 50


def test_more_facts_list_every_connection_with_its_stages() -> None:
    shown = on_terminal(many(50, 33), verbosity=1)
    assert shown.count("config ✓") == 50
    assert shown.count("why:") == 2
    assert "sandbox.syngrafii.com" not in shown
    assert "sandbox.syngrafii.com" in on_terminal(many(50, 33), verbosity=2)


def test_the_last_line_names_what_failed_as_far_as_it_fits() -> None:
    assert on_terminal(many(50, 2)).splitlines()[-2:] == [
        "50 connections in 2 files, 5 policies: 48 ready, 1 failed, 1 unknown (1.2 s):",
        "  failed-0, failed-last",
    ]
    assert on_terminal(many(50, 33), 120).endswith("(1.2 s): failed-0, failed-1, failed-2 and 30 more\n")


GENERAL = [
    (
        "a name",
        ("no customer has granted a access yet", "no customer has granted b access yet"),
        ("run `connform login a`", "run `connform login b`"),
        ("no customer has granted NAME access yet", "run `connform login NAME`", ["", ""]),
    ),
    (
        "the path of a secret",
        ("environment variable KEY_A is not set (env://KEY_A)", "environment variable KEY_B is not set (env://KEY_B)"),
        ("export KEY_A=… before", "export KEY_B=… before"),
        ("environment variable NAME is not set", "export NAME=… before", ["env://KEY_A", "env://KEY_B"]),
    ),
    (
        "a host",
        ("there is no host a.example", "there is no host b.example"),
        ("help", "help"),
        ("there is no host HOST", "help", ["a.example", "b.example"]),
    ),
    (
        "only the reference",
        ("the store is sealed (vault://x/a#k)", "the store is sealed (vault://x/b#k)"),
        ("unseal it", "unseal it"),
        ("the store is sealed", "unseal it", ["", ""]),
    ),
]


@pytest.mark.parametrize(
    ("messages", "hints", "expected"), [row[1:] for row in GENERAL], ids=[row[0] for row in GENERAL]
)
def test_what_differs_only_in_a_connections_own_part_is_one_cause(
    messages: tuple[str, str], hints: tuple[str, str], expected: tuple[str, str, list[str]]
) -> None:
    items = [
        {"name": name, "verdict": "failed", "class": "c", "message": message, "hint": hint, "warnings": []}
        | {"base_url": f"https://{name}.example/api"}
        for name, message, hint in zip("ab", messages, hints, strict=True)
    ]
    (cause,) = by_cause(items)
    assert (cause.message, cause.hint, cause.own_parts) == expected
    other: dict[str, Any] = {**items[0], "class": "d"}
    assert len(by_cause([*items, other])) == 2
    assert by_cause([other])[0].message == messages[0]


def updated(number: int, **changes: Any) -> ConnectionReport:
    secret = f"env://KEY_{number}"
    return DECLARED[1]._replace(
        name=f"customer-{number}",
        action="update",
        changes=(FieldChange("/timeouts/total_s", 60, 20, is_default_before=True),),
        sends=(Send(secret, SecretIdentity("env", secret), Destination("https://sign.syngrafii.eu")),),
        **changes,
    )


@pytest.mark.parametrize("width", WIDTHS)
def test_connections_with_one_change_are_one_block_of_a_plan(width: int) -> None:
    others = (
        updated(18)._replace(changes=(FieldChange("/region", "us", "eu"),)),
        DECLARED[0]._replace(action="create"),
    )
    report = Report("plan", (FILE,), (), (*map(updated, range(18)), *others), 20, plan=SUMMARY)
    shown = on_terminal(report, width)
    assert max(width_of(line) for line in shown.splitlines() if "digest" not in line) <= width
    assert shown.count("60 (default) → 20") == 1
    assert "~ update  18 connections" in shown
    assert [number for number in range(19) if f"customer-{number}" not in shown] == []
    assert "18 secrets" in shown
    assert shown.count("us → eu") == 1
    assert "env://KEY_17" in in_log(report)


TIMES = [
    ("2026-03-01T15:30:00+00:00", "just now"),
    ("2026-03-01T15:29:59+00:00", "1 second ago"),
    ("2026-03-01T14:30:01+00:00", "59 minutes ago"),
    ("2026-03-01T12:00:00+00:00", "3 hours ago"),
    ("2026-02-27T12:00:00+02:00", "2 days ago"),
    ("2025-02-01T00:00:00+00:00", "1 year ago"),
    ("2026-03-01T15:31:00+00:00", "2026-03-01T15:31:00+00:00"),
    ("yesterday", "yesterday"),
]


@pytest.mark.parametrize(("at", "expected"), TIMES)
def test_time_ago(at: str, expected: str) -> None:
    assert time_ago(at, NOW) == expected


def test_recorded_times_are_relative_on_a_terminal_and_absolute_elsewhere() -> None:
    record = AppliedRecord("sandbox-us", FILE, ATTEMPT.digest, SPECIFICATION, ATTEMPT)
    for command in ("state list", "state history"):
        report = Report(command, (FILE,), (), (DECLARED[0]._replace(record=record, history=(ATTEMPT,)),), 1)
        assert "3 hours ago" in on_terminal(report)
        assert "2026-03-01T12:00:00+00:00" in on_terminal(report, 120, verbosity=1)
        assert "2026-03-01T12:00:00+00:00" in in_log(report)


def test_recorded_checks_have_relative_times_on_a_terminal_and_one_median_where_all_are_the_same() -> None:
    one_hour = CHECKED._replace(checks=CHECKS._replace(hours=CHECKS.hours[:1]))
    report = view.build(SAMPLES["state-history-checked"]._replace(connections=(one_hour,)))
    shown = text.render_on_terminal(report, color=False, width=200, verbosity=0, now=NOW + timedelta(days=3))
    assert re.search(
        r"715 checks, the latest \d days ago: .*; ready since \d days ago\n  by hour: .  median [\d.]+ ms", shown
    )


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("sample", ["list", "state-list", "state-history", "secrets-backends"])
def test_tables_fit_the_terminal_and_keep_names(sample: str, width: int) -> None:
    lines = on_terminal(SAMPLES[sample], width).splitlines()
    assert max(map(width_of, lines)) <= width
    names = {"list": ["sandbox-us", "customer-globex", "acme-private"], "secrets-backends": ["env", "letterbox"]}
    assert [name for name in names.get(sample, ["sandbox-us"]) if not any(name in line for line in lines)] == []
