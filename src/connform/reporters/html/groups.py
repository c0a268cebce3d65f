"""Connections on a page that didn't fail: a table by environment and region. Layer 4, no IO."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from connform.reporters.html.causes import PageSetting
from connform.reporters.html.hours import history
from connform.reporters.html.markup import Markup, element, joined
from connform.reporters.html.outcomes import certificate_end, latency_ms, since, where
from connform.reporters.html.parts import day, days_left, in_days, milliseconds, name_of, said, sign, urgency
from connform.reporters.html.stages import stage_bars
from connform.reporters.html.table import Column, table
from connform.reporters.text_connection import outcome
from connform.reporters.time_ago import time_ago
from connform.reporters.view import View


def groups(items: Sequence[View], setting: PageSetting) -> Markup:
    """Return a table, in which the connections stand below their environment and region."""
    items = sorted(items, key=where)
    left = [days_left(certificate_end(item), setting.now) for item in items]
    columns = [
        Column("connection", [_name(item, setting) for item in items], "name"),
        Column("method", [item["auth_method"] for item in items], "wide method"),
        Column("address", [_address(item) for item in items], "wide address"),
        *_latency(items, setting),
        Column("since", [_since(item, setting.now) for item in items], "wide since"),
        Column(
            "certificate",
            ["" if days is None else _days(days) for days in left],
            "wide number",
        ),
    ]
    places = Counter(where(item) or "no environment" for item in items)
    return table("connections, by environment and region", columns, "connections", places)


def _name(item: View, setting: PageSetting) -> Markup:
    word = outcome(item)
    notes = [*([word] if word not in {item["verdict"], ""} else []), *([item["message"]] if item["message"] else [])]
    kind = "warning" if item["warnings"] else item["verdict"]
    shown = [element("span", note, class_="note") for note in notes]
    return joined([sign(kind), said(kind), name_of(item, setting.detailed), *shown])


def _days(days: int) -> Markup:
    kind = urgency(days)
    return joined([sign(kind) if kind else "", element("span", in_days(days), class_=kind)])


def _address(item: View) -> str:
    """Return the API root; without the scheme where that is https, as nearly always."""
    return str(item["base_url"]).removeprefix("https://")


def _latency(items: Sequence[View], setting: PageSetting) -> list[Column]:
    if setting.period:
        pictures = [history(item, setting.period) for item in items]
        return [
            Column("latency", pictures, "picture"),
            Column("latest", [milliseconds(latency_ms(item)) for item in items], "number"),
        ]
    return [
        Column("stages", [stage_bars(item, setting.longest_ms) for item in items], "picture"),
        Column("time", [milliseconds(item["elapsed_ms"] or latency_ms(item)) for item in items], "number"),
    ]


def _since(item: View, now: datetime | None) -> Markup:
    """Return since when a connection has its verdict: the day, or on the first day how long ago."""
    at = since(item)
    if now and days_left(at, now) == -1:
        return element("span", time_ago(at, now))
    return day(at) if at else Markup()
