"""The tables in the details of a connection on a page: stages, changes of verdict, attempts, values. Layer 4, no IO."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from connform.reporters.html.markup import Markup, element, joined, with_links
from connform.reporters.html.parts import milliseconds, moment, sign
from connform.reporters.html.table import Column, table
from connform.reporters.terminal import clean, format_place
from connform.reporters.text_inventory import format_value
from connform.reporters.view import View

_CHANGES = 20
"""How many changes of verdict are shown, the latest."""
_NO_FACTS = {"name", "status", "elapsed_ms"}


def stages_table(item: View) -> Markup:
    """Return the stages of a check with their times and facts."""
    stages = item["stages"]
    words = {"ok": "ready", "failed": item["verdict"] or "failed", "skipped": "skipped"}
    columns = [
        Column("stage", [stage["name"] for stage in stages]),
        Column("result", [joined([sign(words[stage["status"]]), stage["status"]]) for stage in stages]),
        Column(
            "time", [milliseconds(stage["elapsed_ms"]) if stage["elapsed_ms"] else "" for stage in stages], "number"
        ),
        Column("facts", [_facts_of(stage) for stage in stages], "address"),
    ]
    return table(f"stages of the check of {item['name']}", columns, "values")


def _facts_of(stage: View) -> str:
    found = {key: value for key, value in stage.items() if key not in _NO_FACTS}
    return ", ".join(f"{clean(key).replace('_', ' ')} {format_value(value)}" for key, value in found.items())


def changes_table(changes: Sequence[View], now: datetime | None) -> Markup:
    """Return the latest changes of verdict, the latest first."""
    shown = list(reversed(changes))[:_CHANGES]
    columns = [
        Column("changed", [moment(one["at"], now) for one in shown]),
        Column("to", [joined([sign(one["verdict"]), one["verdict"]]) for one in shown]),
        Column("class", [element("code", one["class"]) if one["class"] else "" for one in shown]),
    ]
    return table("changes of verdict, the latest first", columns, "values")


def attempts_table(attempts: Sequence[View], now: datetime | None) -> Markup:
    """Return the attempts of `apply`, the latest first."""
    shown = list(reversed(attempts))
    columns = [
        Column("applied", [moment(one["at"], now) for one in shown]),
        Column(
            "result",
            [
                joined([sign(one["verdict"]), " ".join(filter(None, (one["action"], one["verdict"], one["class"])))])
                for one in shown
            ],
        ),
        Column("latency", [milliseconds(one["latency_ms"]) for one in shown], "number"),
        Column("by", [with_links(one["by"]) for one in shown], "address"),
    ]
    return table("attempts of apply, the latest first", columns, "values")


def values_table(values: Sequence[View]) -> Markup:
    """Return the effective values of a connection, and where each comes from."""
    columns = [
        Column("key", [element("code", one["pointer"].lstrip("/").replace("/", ".")) for one in values]),
        Column("value", [format_value(one["value"]) for one in values], "address"),
        Column("from", [one["origin"] for one in values]),
        Column("place", [element("code", format_place(one)) if one["file"] else "" for one in values], "wide"),
    ]
    return table("values", columns, "values")
