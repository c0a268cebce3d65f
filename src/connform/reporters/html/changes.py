"""The changes of a plan on a page: each with all connections that have it, what differs, where secrets go. Layer 4, no IO."""

from __future__ import annotations

from collections.abc import Sequence

from connform.grant import describe_grant
from connform.reporters.equal_changes import by_change, merged_sends
from connform.reporters.html.markup import Markup, element, joined, with_links
from connform.reporters.html.outcomes import where
from connform.reporters.html.parts import facts, name_of, section
from connform.reporters.html.table import Column, table
from connform.reporters.terminal import format_count
from connform.reporters.text_change import SIGNS, before_and_after, name_of_value
from connform.reporters.view import View


def changes(items: Sequence[View]) -> Markup:
    """Return the section of what a plan creates, updates, moves and removes."""
    return section("changes", "Changes", *map(_change, by_change(items)))


def refusals(plan: View) -> Markup:
    """Return why `apply` refuses the plan; an empty text if it doesn't."""
    if not plan["refusals"]:
        return Markup()
    reasons = element("ul", *(element("li", with_links(reason)) for reason in plan["refusals"]))
    return element(
        "div",
        element("p", element("strong", "apply refuses this plan without ", element("code", "--force"), ":")),
        reasons,
        class_="banner",
    )


def _change(group: list[View]) -> Markup:
    first, number = group[0], len(group)
    title = name_of(first) if number == 1 else element("span", format_count(number, "connection"))
    heading = element(
        "h3",
        element("span", SIGNS[first["action"]][0], class_=f"sign {first['action']}", aria_hidden="true"),
        f"{first['action']} ",
        title,
    )
    about = " · ".join(filter(None, (where(first), first["auth_method"], first["base_url"]))) if number == 1 else ""
    members = element("ul", *(element("li", name_of(one)) for one in group), class_="names") if number > 1 else ""
    values = list(map(_value, first["changes"]))
    sends = [
        element("li", element("code", ", ".join(secrets)), " → ", element("code", send["origin"]), _how(send))
        for secrets, send in merged_sends(group)
    ]
    pairs = [
        ("why", with_links("; ".join(first["reasons"]))),
        ("revokes", describe_grant(**first["revokes"]) if first["revokes"] else ""),
        ("sends", element("ul", joined(sends)) if sends else ""),
    ]
    columns = [
        Column(title, [row[index] for row in values]) for index, title in enumerate(("value", "before", "after"))
    ]
    return element(
        "article",
        heading,
        element("p", about, class_="muted") if about else "",
        members,
        table("values that differ", columns, "values"),
        facts(pairs),
        class_=first["action"],
    )


def _how(send: View) -> Markup:
    return element("span", f" ({', '.join(send['how'])})", class_="muted") if send["how"] else Markup()


def _value(field: View) -> tuple[Markup, Markup, Markup]:
    texts = [
        element("span", text, element("span", " (default)", class_="muted") if field[f"is_default_{side}"] else "")
        for side, text in zip(("before", "after"), before_and_after(field), strict=True)
    ]
    return element("code", name_of_value(field)), texts[0], texts[1]
