"""The details of each connection on a page: its facts, its stages, its changes of verdict, its attempts. Layer 4, no IO."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from connform.reporters.html.detail_tables import attempts_table, changes_table, stages_table, values_table
from connform.reporters.html.hours import describe_hours, history, period
from connform.reporters.html.markup import Markup, element, joined, with_links
from connform.reporters.html.outcomes import WORDS, certificate_end, checked
from connform.reporters.html.parts import facts, moment, said, section, sign
from connform.reporters.terminal import format_place
from connform.reporters.text_connection import display_name
from connform.reporters.view import View

_DETAILED = 200
"""Up to so many connections, a page has the details of all; of more, those of the ones that are not ready."""
_ADDRESSES = ("key_management_url", "authorize_url", "token_url", "api_key_header", "owner")


def detailed(items: Sequence[View]) -> list[View]:
    """Return the connections whose details a page has, the most urgent first."""
    found = [
        item for item in items if item["stages"] or item.get("checks") or item.get("recorded") or item.get("values")
    ]
    found.sort(key=lambda item: list(WORDS).index(item["verdict"]))
    return found if len(found) <= _DETAILED else [item for item in found if item["verdict"] in {"failed", "unknown"}]


def details(items: Sequence[View], now: datetime | None) -> Markup:
    """Return the section with a folded part for each connection."""
    return section(
        "details",
        "Each connection",
        *(_connection(item, now, is_open=len(items) == 1) for item in items),
        style="details",
    )


def _connection(item: View, now: datetime | None, *, is_open: bool) -> Markup:
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
        ("latency", history(item, period([item]))),
        ("checks", describe_hours(hours) if (hours := checks.get("hours", [])) else ""),
        *((key.replace("_", " "), with_links(str(item.get(key, "")))) for key in _ADDRESSES),
        *((f"secret {one['key']}", _secret(one)) for one in latest.get("secrets", ())),
        ("message", with_links(item["message"])),
    ]
    content = [
        facts(pairs),
        stages_table(item),
        changes_table(checks.get("changes", ()), now),
        attempts_table(item.get("history", ()), now),
        values_table(item.get("values", ())),
    ]
    return element("details", summary, *content, open="open" if is_open or item.get("values") else None)


def _secret(one: View) -> Markup:
    return element("code", one["reference"], f" (version {one['version']})" if one["version"] else "")
