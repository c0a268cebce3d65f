"""Further sections of a page: secrets, backends, logins, and what `doctor` found. Layer 4, no IO."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby

from connform.reporters.html.markup import Markup, element, joined, with_links
from connform.reporters.html.parts import facts, moment, name_of, said, section, sign
from connform.reporters.html.table import Column, table
from connform.reporters.view import View

_KINDS = {"ok": "ready", "note": "warning", "problem": "failed"}
"""What `doctor` says of a finding → the verdict whose sign it has."""


def secrets(items: Sequence[View], now: datetime | None) -> Markup:
    """Return where each secret lies, and whether it could be read; never what it is."""
    found = [(item, one) for item in items for one in item.get("secrets", ())]
    columns = [
        Column(
            "connection", [joined([sign("failed" if one["class"] else "ready"), name_of(item)]) for item, one in found]
        ),
        Column("key", [one["key"] for _, one in found]),
        Column("reference", [element("code", one["reference"]) for _, one in found], "address"),
        Column("result", [one["class"] or "read" for _, one in found]),
        Column("version", [one["version"] for _, one in found], "wide"),
        Column("since", [moment(one["since"], now) if one["since"] else "" for _, one in found], "wide"),
    ]
    return section("secrets", "Secrets", table("secrets", columns))


def backends(found: Sequence[View]) -> Markup:
    """Return the secret backends, and what is missing for some of them."""
    columns = [
        Column("scheme", [one["scheme"] for one in found]),
        Column("form", [element("code", one["form"]) for one in found], "address"),
        Column("description", [one["description"] for one in found], "wide"),
        Column("from", [one["package"] for one in found], "wide"),
        Column("to install", [element("code", one["missing"]) if one["missing"] else "" for one in found], "address"),
    ]
    return section("backends", "Secret backends", table("secret backends", columns))


def logins(items: Sequence[View], now: datetime | None) -> Markup:
    """Return the grants of OAuth connections."""
    found = [item for item in items if item.get("login")]
    grants = [item["grant"] or {} for item in found]
    columns = [
        Column("connection", [joined([sign(item["verdict"]), name_of(item)]) for item in found]),
        Column("login", [item["login"] for item in found]),
        Column("granted", [moment(at, now) if (at := one.get("granted_at")) else "" for one in grants]),
        Column("by", [str(one.get("account", "")) for one in grants]),
        Column("scopes", [" ".join(one.get("scopes", ())) for one in grants], "wide"),
        Column("renewable", ["" if not one else "yes" if one["has_refresh_token"] else "no" for one in grants], "wide"),
    ]
    return section("logins", "Logins", table("logins", columns))


def findings(found: Sequence[View]) -> Markup:
    """Return all that `doctor` looked at, the problems first."""
    problems = [one for one in found if one["status"] == "problem"]
    sections = [
        joined([element("h3", title), element("ul", *map(_finding, group), class_="findings")])
        for title, group in groupby(found, lambda one: one["section"])
    ]
    first = section(
        "problems", "Problems", element("ul", *map(_finding, problems), class_="findings") if problems else ""
    )
    return joined([first, section("findings", "All that was looked at", *sections)])


def _finding(one: View) -> Markup:
    text = [
        sign(_KINDS[one["status"]]),
        said(one["status"]),
        element("strong", one["name"]),
        " ",
        with_links(one["message"]),
    ]
    return element("li", element("p", *text), facts([("what to do", with_links(one["hint"]))]))
