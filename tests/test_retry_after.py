from __future__ import annotations

from datetime import UTC, datetime

import pytest

from connform.retry_after import parse_http_date, parse_retry_after

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "wait_s"),
    [
        ("0", 0),
        ("120", 120),
        (" 120 ", 120),
        ("Sun, 01 Mar 2026 12:00:05 GMT", 5),
        ("sun, 01 mar 2026 12:00:05 gmt", 5),
        ("Sunday, 01-Mar-26 12:00:05 GMT", 5),
        ("Sun Mar  1 12:00:05 2026", 5),
        ("Sun, 01 Mar 2026 11:59:00 GMT", 0),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 0),
        ("Sunday, 06-Nov-94 08:49:37 GMT", 0),
        ("Fri, 31 Dec 2027 23:59:60 GMT", 57931199),
        ("Thu, 01 Jan 2099 00:00:00 GMT", 2298542400),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 100 * 366 * 86_400),
    ],
)
def test_seconds_and_the_three_forms_of_a_date(value: str, wait_s: float) -> None:
    assert parse_retry_after(value, NOW) == wait_s


@pytest.mark.parametrize(
    "value",
    [
        "",
        "-1",
        "+1",
        "1.5",
        "1e3",
        "soon",
        "١٢٠",
        "120, 30",
        "99999999999",
        "9" * 5000,
        "Sun, 32 Mar 2026 12:00:05 GMT",
        "Sun, 01 Foo 2026 12:00:05 GMT",
        "Sun, 01 Mar 2026 25:00:05 GMT",
        "Sun, 01 Mar 0000 12:00:05 GMT",
        "Sun, 01 Mar 2026 12:00:05 CET",
        "2026-03-01T12:00:05Z",
    ],
    ids=repr,
)
def test_junk_counts_as_absent(value: str) -> None:
    assert parse_retry_after(value, NOW) is None


def test_a_date_needs_a_clock() -> None:
    assert parse_retry_after("Sun, 01 Mar 2026 12:00:05 GMT", None) is None


def test_two_digits_of_a_year_lie_at_most_50_years_ahead() -> None:
    assert parse_http_date("Sunday, 01-Mar-76 00:00:00 GMT", NOW) == datetime(2076, 3, 1, tzinfo=UTC)
    assert parse_http_date("Sunday, 01-Mar-77 00:00:00 GMT", NOW) == datetime(1977, 3, 1, tzinfo=UTC)
