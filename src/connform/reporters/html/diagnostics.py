"""Diagnostics on a page: what is wrong in a manifest, where, and the source line with a mark. Layer 4, no IO."""

from __future__ import annotations

from collections.abc import Sequence

from connform.reporters.html.markup import Markup, element, joined, with_links
from connform.reporters.html.parts import facts, places, said, section, sign
from connform.reporters.terminal import format_place
from connform.reporters.view import View


def diagnostics(found: Sequence[View]) -> Markup:
    """Return the errors, then the warnings; those that say the same once, at the place of the first."""
    groups: dict[object, list[View]] = {}
    for number, one in enumerate(found):
        said = (one["severity"], one["code"], one["summary"], one["detail"], one["hint"])
        groups.setdefault(number if one["related"] else said, []).append(one)
    return joined(
        [
            section(
                f"{severity}s",
                title,
                *(_diagnostic(group) for group in groups.values() if group[0]["severity"] == severity),
            )
            for severity, title in (("error", "Errors"), ("warning", "Warnings"))
        ]
    )


def _diagnostic(group: Sequence[View]) -> Markup:
    first, *others = group
    heading = element(
        "h3",
        sign(first["severity"]),
        said(first["severity"]),
        first["summary"],
        " ",
        element("code", first["code"], class_="chip"),
    )
    connections = dict.fromkeys(filter(None, (one["connection"] for one in group)))
    pairs = [
        ("why", with_links(first["detail"])),
        ("what to do", with_links(first["hint"])),
        ("connection" if len(connections) == 1 else "connections", joined([*connections], ", ")),
        ("also at", places(others)),
    ]
    related = [
        element(
            "div",
            element("p", f"{one['message']}: ", element("code", format_place(one))),
            _source(one),
            class_="related",
        )
        for one in first["related"]
    ]
    place = element("p", element("code", format_place(first)), class_="place")
    return element("article", heading, place, _source(first), facts(pairs), *related, class_=first["severity"])


def _source(item: View) -> Markup:
    """Return the source line with its number, and with what is wrong in it marked."""
    snippet = item["snippet"]
    if not snippet:
        return Markup()
    line, start = snippet["text"].rstrip("\r\n"), snippet["start"]
    end = start + snippet["length"]
    number = element("span", f"{item['line']} ", class_="muted")
    return element("pre", element("code", number, line[:start], element("mark", line[start:end] or " "), line[end:]))
