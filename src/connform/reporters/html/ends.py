"""Certificates and grants on a page, by their end. Layer 4, no IO."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from connform.reporters.html.markup import Markup, element, joined
from connform.reporters.html.outcomes import End, ends
from connform.reporters.html.parts import day, days_left, in_days, section, sign, urgency
from connform.reporters.html.table import Column, table
from connform.reporters.text_connection import display_name
from connform.reporters.view import View

_SHOWN = 10
"""How many ends are shown at once; the others below them are folded."""
_NAMES = 8
"""How many connections of one end are named."""


def certificates_and_grants(items: Iterable[View], now: datetime | None) -> Markup:
    """Return the section of what ends, the soonest first; what several connections share is there once."""
    groups: dict[tuple[str, str], list[End]] = {}
    for one in sorted(ends(items), key=lambda one: one.at):
        groups.setdefault((one.at, one.what), []).append(one)
    rows = list(groups.values())
    more = rows[_SHOWN:]
    folded = element("details", element("summary", f"{len(more)} more"), _table(more, now)) if more else ""
    return section("ends", "Certificates and grants by their end", _table(rows[:_SHOWN], now), folded)


def _table(rows: Sequence[Sequence[End]], now: datetime | None) -> Markup:
    columns = [
        Column("ends", [_end(row[0].at, now) for row in rows], "when"),
        Column("what", [row[0].what for row in rows], "what"),
        Column("connections", [_names(row) for row in rows]),
    ]
    return table("what ends, the soonest first", columns, "stacked")


def _end(at: str, now: datetime | None) -> Markup:
    left = days_left(at, now)
    if left is None:
        return day(at)
    kind = urgency(left)
    return joined([sign(kind) if kind else "", day(at), element("span", f" {in_days(left)}", class_=kind or "muted")])


def _names(row: Sequence[End]) -> str:
    names = [display_name(one.connection) for one in row]
    more = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
    return ", ".join(names[:_NAMES]) + more
