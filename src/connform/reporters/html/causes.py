"""Connections on a page that failed, could not be verified, or have a warning: each cause once, with the names below it. Layer 4, no IO."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from connform.reporters.causes import Cause, by_cause
from connform.reporters.html.hours import Period, history
from connform.reporters.html.markup import Markup, element, joined, with_links
from connform.reporters.html.outcomes import SIGNS, checked, since, where
from connform.reporters.html.parts import facts, milliseconds, moment, name_of, places, said, section, sign
from connform.reporters.terminal import format_count
from connform.reporters.view import View

_TITLES = {"failed": "Failed", "unknown": "Could not be verified"}
_RESULTS = {"ok": "done", "failed": "ended here", "skipped": "not reached"}
"""The result of a stage → its words for who can't see the sign."""


class PageSetting(NamedTuple):
    """What the sections of one page share."""

    now: datetime | None
    """When the page is made, aware; or `None`."""
    period: Period | None
    """The hours of the histories on it."""
    longest_ms: float
    """The longest check on it."""
    detailed: Collection[str]
    """The connections whose details it has."""


def failures(items: Sequence[View], verdict: str, setting: PageSetting) -> Markup:
    """Return the section of the connections with a verdict, `failed` or `unknown`."""
    found = by_cause(item for item in items if item["verdict"] == verdict)
    return section(verdict, _TITLES[verdict], *(_cause(cause, verdict, setting) for cause in found))


def warnings(items: Iterable[View], setting: PageSetting) -> Markup:
    """Return the section of the connections that didn't fail, and have a warning."""
    found = by_cause(item for item in items if item["verdict"] not in _TITLES and item["warnings"])
    return section("remarks", "With a warning", *(_cause(cause, "warning", setting) for cause in found))


def _cause(cause: Cause, kind: str, setting: PageSetting) -> Markup:
    first, number = cause.connections[0], len(cause.connections)
    title = name_of(first, setting.detailed) if number == 1 else element("span", format_count(number, "connection"))
    classes = dict.fromkeys(filter(None, [first["class"], *first["warning_codes"]]))
    about = " · ".join(filter(None, (where(first), first["base_url"]))) if number == 1 else ""
    changed = sorted({at for item in cause.connections if (at := since(item))})
    pairs = [
        ("why", with_links(cause.message)),
        ("what to do", with_links(cause.hint)),
        *(("warning", with_links(warning)) for warning in first["warnings"]),
        ("since", joined([moment(at, setting.now) for at in dict.fromkeys((*changed[:1], *changed[-1:]))], " to ")),
        ("checked", _checked(first, setting.now) if number == 1 else ""),
        ("latency", history(first, setting.period) if number == 1 else ""),
        ("declared at", places(cause.connections)),
    ]
    return element(
        "article",
        element("h3", sign(kind), said(kind), title, *(element("code", each, class_="chip") for each in classes)),
        element("p", about, class_="muted") if about else "",
        facts(pairs),
        _members(cause, setting) if number > 1 else "",
        _stages(cause.connections) if kind in _TITLES else "",
        class_=kind,
    )


def _checked(item: View, now: datetime | None) -> Markup:
    latest = checked(item)
    if not latest:
        return Markup()
    by = [" by ", with_links(latest["by"])] if latest.get("by") else []
    return joined([moment(latest["at"], now), *by])


def _members(cause: Cause, setting: PageSetting) -> Markup:
    names = [
        element("li", name_of(item, setting.detailed), element("span", f" {own}", class_="muted") if own else "")
        for item, own in zip(cause.connections, cause.own_parts, strict=True)
    ]
    return element("ul", *names, class_="names")


def _stages(items: Sequence[View]) -> Markup:
    """Return how far the checks came; nothing where they came to different stages."""
    results = [[(stage["name"], stage["status"]) for stage in item["stages"]] for item in items]
    if not results[0] or any(result != results[0] for result in results):
        return Markup()
    kinds = {"ok": "ready", "failed": items[0]["verdict"], "skipped": "skipped"}
    steps = []
    for stage in items[0]["stages"]:
        kind = kinds[stage["status"]]
        elapsed = milliseconds(stage["elapsed_ms"]) if len(items) == 1 and stage["elapsed_ms"] else ""
        mark = element("span", SIGNS[kind], class_=f"sign {kind}", aria_hidden="true")
        result = element("span", f" {_RESULTS[stage['status']]}", class_="unseen")
        time = element("span", f" {elapsed}", class_="muted") if elapsed else ""
        steps.append(element("li", mark, stage["name"], result, time, class_=kind))
    return element("ol", *steps, class_="stages", aria_label="stages of the check")
