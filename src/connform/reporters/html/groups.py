"""Connections on a page that didn't fail: a table for each environment and region. Layer 4, no IO."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from connform.reporters.html.causes import PageSetting
from connform.reporters.html.hours import history
from connform.reporters.html.markup import Markup, element, joined
from connform.reporters.html.outcomes import certificate_end, latency_ms, since, where
from connform.reporters.html.parts import Column, day, days_left, in_days, milliseconds, name_of, said, sign, table
from connform.reporters.html.stages import stage_bars
from connform.reporters.text_connection import outcome
from connform.reporters.time_ago import time_ago
from connform.reporters.view import View


def groups(items: Sequence[View], setting: PageSetting) -> Markup:
    """Return a table for each environment and region."""
    found: dict[str, list[View]] = {}
    for item in items:
        found.setdefault(where(item), []).append(item)
    return joined([_group(title, group, setting) for title, group in sorted(found.items())])


def _group(title: str, items: Sequence[View], setting: PageSetting) -> Markup:
    title = title or "no environment"
    left = [days_left(certificate_end(item), setting.now) for item in items]
    columns = [
        Column("connection", [_name(item, setting) for item in items], "name"),
        Column("method", [item["auth_method"] for item in items], "wide method"),
        Column("address", [_address(item) for item in items], "wide address"),
        *_latency(items, setting),
        Column("since", [_since(item, setting.now) for item in items], "wide since"),
        Column("certificate", ["" if days is None else in_days(days) for days in left], "wide number"),
    ]
    heading = element("h3", title, " ", element("span", str(len(items)), class_="muted"))
    return joined([heading, table(f"connections: {title}", columns, "connections")])


def _name(item: View, setting: PageSetting) -> Markup:
    word = outcome(item)
    notes = [*([word] if word not in {item["verdict"], ""} else []), *([item["message"]] if item["message"] else [])]
    kind = "warning" if item["warnings"] else item["verdict"]
    shown = [element("span", note, class_="note") for note in notes]
    return joined([sign(kind), said(kind), name_of(item, setting.detailed), *shown])


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
    """Return how long a connection has its verdict: the day, or on the first day how long ago."""
    at = since(item)
    if not at:
        return Markup()
    ago = time_ago(at, now) if now else at
    return element("span", ago) if ago.split(" ")[1:2] in (["hours"], ["hour"], ["minutes"], ["minute"]) else day(at)
