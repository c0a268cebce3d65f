"""Parser of the header `Retry-After` and of HTTP dates.

Layer 0, no IO, no clock. RFC 9110 §10.2.3: seconds or an HTTP-date. Other values are treated as absent.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_TIME = r"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)"
_HTTP_DATES = (  # RFC 9110 §5.6.7: a recipient must accept all three
    rf"[a-z]{{3}}, (?P<day>\d\d) (?P<month>[a-z]{{3}}) (?P<year>\d{{4}}) {_TIME} GMT",
    rf"[a-z]{{6,9}}, (?P<day>\d\d)-(?P<month>[a-z]{{3}})-(?P<year>\d\d) {_TIME} GMT",
    rf"[a-z]{{3}} (?P<month>[a-z]{{3}}) (?P<day>[ \d]\d) {_TIME} (?P<year>\d{{4}})",
)
_MAX_DELAY_S = 100 * 366 * 86_400
"""A hundred years. More seconds are treated as absent, a later date as this delay."""
_CENTURY_WINDOW = 50


def parse_retry_after(value: str, received_at: datetime | None) -> float | None:
    """Return the seconds to wait from `received_at` on, 0 or more; `None` where the header is empty or invalid.

    Args:
        value: the header's value; may be empty.
        received_at: aware; when the answer arrived. Without it, only the form in seconds is accepted.
    """
    text = value.strip()
    if re.fullmatch(r"[0-9]{1,10}", text):
        delay_s = int(text)
        return float(delay_s) if delay_s <= _MAX_DELAY_S else None
    if received_at is None:
        return None
    date = parse_http_date(text, received_at)
    return None if date is None else min(max(0.0, (date - received_at).total_seconds()), float(_MAX_DELAY_S))


def parse_http_date(text: str, now: datetime) -> datetime | None:
    """Return an HTTP-date as an aware UTC time, or `None`; `now` determines the century of a two-digit year."""
    from datetime import UTC, datetime  # imported here to keep the start-up fast

    match = next((m for form in _HTTP_DATES if (m := re.fullmatch(form, text, re.IGNORECASE | re.ASCII))), None)
    if match is None or match["month"].lower() not in _MONTHS:
        return None
    year = int(match["year"])
    if len(match["year"]) == 2:  # noqa: PLR2004  (RFC 9110 §5.6.7: more than 50 years ahead means the past)
        year += now.year // 100 * 100
        year -= 100 if year > now.year + _CENTURY_WINDOW else 0
    month, day = _MONTHS.index(match["month"].lower()) + 1, int(match["day"])
    second = min(int(match["second"]), 59)  # a leap second
    try:
        return datetime(year, month, day, int(match["hour"]), int(match["minute"]), second, tzinfo=UTC)
    except ValueError:
        return None
