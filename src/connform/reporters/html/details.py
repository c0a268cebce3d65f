"""The details of each connection on a page: its facts, its stages, its changes of verdict, its attempts. Layer 4, no IO."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from connform.reporters.html.hours import describe_hours
from connform.reporters.html.markup import Markup, element, joined, with_links
from connform.reporters.html.outcomes import WORDS, certificate_end, checked
from connform.reporters.html.parts import Column, facts, milliseconds, moment, said, section, sign, table
from connform.reporters.terminal import clean, format_place
from connform.reporters.text_connection import display_name
from connform.reporters.text_inventory import format_value
from connform.reporters.view import View

_CHANGES = 20
"""How many changes of verdict are shown, the latest."""
_DETAILED = 200
"""Up to so many connections, a page has the details of all; of more, those of the ones that are not ready."""
_NO_FACTS = {"name", "status", "elapsed_ms"}
_ADDRESSES = ("key_management_url", "authorize_url", "token_url", "api_key_header", "owner")


def detailed(items: Sequence[View]) -> list[View]:
    """Return the connections whose details a page has, the most urgent first."""
    found = [
        item for item in items if item["stages"] or item.get("checks") or item.get("recorded") or item.get("values")
    ]
    found.sort(key=lambda item: list(WORDS).index(item["verdict"]))
    return found if len(found) <= _DETAILED else [item for item in found if item["verdict"] in {"failed", "unknown"}]


def details(items: Iterable[View], now: datetime | None) -> Markup:
    """Return the section with a folded part for each connection."""
    return section("details", "Each connection", *(_connection(item, now) for item in items), style="details")


def _connection(item: View, now: datetime | None) -> Markup:
    summary = element(
        "summary",
        sign(item["verdict"]),
        said(item["verdict"]),
        display_name(item),
        id=f"c-{item['name']}",
    )
    latest, checks, recorded = checked(item), item.get("checks") or {}, item.get("recorded") or {}
    certificate = certificate_end(item)
    pairs = [
        ("provider", item["provider"]),
        ("environment", item["environment"]),
        ("region", item["region"]),
        ("address", element("code", item["base_url"])),
        ("method", item["auth_method"]),
        ("tags", ", ".join(item["tags"])),
        ("declared at", element("code", place) if (place := format_place(item)) else ""),
        ("manifest", element("code", recorded["file"]) if recorded else ""),
        (
            "checked",
            joined([moment(latest["at"], now), f" by {latest['by']}" if latest.get("by") else ""]) if latest else "",
        ),
        ("certificate ends", moment(certificate, None) if certificate else ""),
        ("checks", describe_hours(hours) if (hours := checks.get("hours", [])) else ""),
        *((key.replace("_", " "), with_links(str(item.get(key, "")))) for key in _ADDRESSES),
        *((f"secret {one['key']}", _secret(one)) for one in latest.get("secrets", ())),
        ("message", with_links(item["message"])),
    ]
    content = [
        facts(pairs),
        _stages(item),
        _changes(checks.get("changes", ()), now),
        _attempts(item.get("history", ()), now),
        _values(item.get("values", ())),
    ]
    return element("details", summary, *content, open="open" if item.get("values") else None)


def _secret(one: View) -> Markup:
    return element("code", one["reference"], f" (version {one['version']})" if one["version"] else "")


def _stages(item: View) -> Markup:
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
    return table(f"stages of the check of {item['name']}", columns, "values") if stages else Markup()


def _facts_of(stage: View) -> str:
    found = {key: value for key, value in stage.items() if key not in _NO_FACTS}
    return ", ".join(f"{clean(key).replace('_', ' ')} {format_value(value)}" for key, value in found.items())


def _changes(changes: Sequence[View], now: datetime | None) -> Markup:
    """Return the latest changes of verdict, the latest first."""
    shown = list(reversed(changes))[:_CHANGES]
    columns = [
        Column("changed", [moment(one["at"], now) for one in shown]),
        Column("to", [joined([sign(one["verdict"]), one["verdict"]]) for one in shown]),
        Column("class", [element("code", one["class"]) if one["class"] else "" for one in shown]),
    ]
    return table("changes of verdict, the latest first", columns, "values") if shown else Markup()


def _attempts(attempts: Sequence[View], now: datetime | None) -> Markup:
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
    return table("attempts of apply, the latest first", columns, "values") if shown else Markup()


def _values(values: Sequence[View]) -> Markup:
    columns = [
        Column("key", [element("code", one["pointer"].lstrip("/").replace("/", ".")) for one in values]),
        Column("value", [format_value(one["value"]) for one in values], "address"),
        Column("from", [one["origin"] for one in values]),
        Column("place", [element("code", format_place(one)) if one["file"] else "" for one in values], "wide"),
    ]
    return table("values", columns, "values") if values else Markup()
