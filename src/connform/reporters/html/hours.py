"""A picture of the hourly figures of recorded checks, as SVG: bars of latency, and marks of failures below them. Layer 4, no IO.

Positions are attributes, and colours are classes of the style sheet: a content security policy forbids styles in elements.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from math import ceil
from statistics import median
from typing import NamedTuple

from connform.reporters.html.markup import Markup, element, picture
from connform.reporters.html.parts import milliseconds
from connform.reporters.view import View

_WIDTH = 150
_BARS = 48
"""How many bars a history has at most."""
_HOURS = (1, 2, 3, 6, 24, 48, 168, 720)
"""How many hours a bar may stand for: no other parts of a day, since nights differ from days."""
_GAP = 0.25
"""The part of a bar's room that is left free."""
_MAX_STEP = 8
"""The widest room of a bar."""
_TOP, _MARK, _SHORT_MARK = 20, 6, 3
"""The highest bar, the mark below it of a failure, and of a check that could not be verified."""


class Period(NamedTuple):
    """The hours that the histories of a page cover: all of them share one axis."""

    start: datetime
    """The first hour."""
    bars: int
    """How many bars."""
    hours: int
    """How many hours each bar stands for."""


def period(items: Iterable[View]) -> Period | None:
    """Return the hours from the first to the last that any of the connections has figures of; `None` without figures."""
    hours = [hour for item in items for hour, _ in _figures(item)]
    if not hours:
        return None
    number = int((max(hours) - min(hours)) / timedelta(hours=1)) + 1
    each = next((hours for hours in _HOURS if number <= hours * _BARS), _HOURS[-1])
    return Period(min(hours), ceil(number / each), each)


def history(item: View, whole: Period | None) -> Markup:
    """Return a bar for the median latency of each part of a period, and marks below it where checks failed or were not verified."""
    parts: dict[int, list[View]] = {}
    for hour, figures in _figures(item):
        if whole:
            parts.setdefault(int((hour - whole.start) / timedelta(hours=whole.hours)), []).append(figures)
    if not parts or not whole:
        return Markup()
    medians = {index: _median(part) for index, part in parts.items()}
    highest = max((value for value in medians.values() if value is not None), default=0) or 1
    step = min(_WIDTH / whole.bars, _MAX_STEP)
    width = round(step * (1 - _GAP), 1)
    bars: dict[str, list[str]] = {"bar": [], "failed": [], "unknown": []}
    for index, part in parts.items():
        left, value = round(index * step, 1), medians[index]
        if value is not None:
            height = max(round(value / highest * _TOP, 1), 1)
            bars["bar"].append(_bar(left, round(_TOP - height, 1), width, height))
        if any(one["failed"] for one in part):
            bars["failed"].append(_bar(left, _TOP + 2, width, _MARK))
        elif any(one["unknown"] for one in part):
            bars["unknown"].append(_bar(left, _TOP + 2, width, _SHORT_MARK))
    shapes = [element("path", d="".join(each), class_=kind) for kind, each in bars.items() if each]
    return picture(_WIDTH, _TOP + 2 + _MARK, describe_hours(item["checks"]["hours"]), shapes)


def _bar(left: float, top: float, width: float, height: float) -> str:
    """Return a bar as a part of a path: all bars of a colour are one, since a page may have thousands."""
    return f"M{left:g} {top:g}h{width:g}v{height:g}h-{width:g}z"


def _figures(item: View) -> Iterator[tuple[datetime, View]]:
    """Yield the hourly figures of a connection, each behind its hour."""
    for one in (item.get("checks") or {}).get("hours", ()):
        with suppress(ValueError):  # a record of another hand
            yield datetime.fromisoformat(one["hour"]).astimezone(UTC), one


def describe_hours(hours: Sequence[View]) -> str:
    """Return hourly figures in a sentence."""
    checks, failed, unknown = (sum(one[key] for one in hours) for key in ("checks", "failed", "unknown"))
    usual, worst = _median(hours), max((one["worst_ms"] for one in hours if one["worst_ms"] is not None), default=None)
    latency = f"; latency {milliseconds(usual)} in the median, {milliseconds(worst)} at worst" if usual else ""
    return f"{checks:,} checks, {failed:,} failed, {unknown:,} unknown{latency}"


def hours_key(whole: Period) -> Markup:
    """Return what the bars and marks mean."""
    each = {1: "an hour", 24: "a day"}.get(whole.hours, f"{whole.hours} hours")
    shapes = [
        (_TOP - 2, "bar", f"median latency of {each}"),
        (_MARK, "failed", "below: a check failed"),
        (_SHORT_MARK, "unknown", "below: a check could not be verified"),
    ]
    swatches = [
        element(
            "span",
            picture(8, _TOP, "", [element("path", d=_bar(2, _TOP - height, 4, height), class_=kind)]),
            words,
        )
        for height, kind, words in shapes
    ]
    return element("p", *swatches, class_="key muted")


def _median(hours: Sequence[View]) -> float | None:
    known = [one["median_ms"] for one in hours if one["median_ms"] is not None]
    return float(median(known)) if known else None
