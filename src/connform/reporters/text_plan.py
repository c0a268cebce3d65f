"""The changes of a plan in the format `text`: what is created, updated, moved and removed. Layer 4, no IO."""

from __future__ import annotations

import json

from connform.grant import describe_grant
from connform.reporters.terminal import (
    BOLD,
    BOLD_YELLOW,
    DIM,
    GREEN,
    RED,
    YELLOW,
    Painter,
    aligned_rows,
    clean,
    paragraph,
)
from connform.reporters.text_inventory import format_value
from connform.reporters.text_verdicts import display_name, render_verdicts
from connform.reporters.view import View

SIGNS = {"create": ("+", GREEN), "update": ("~", YELLOW), "move": ("~", YELLOW), "remove": ("-", RED)}


def render_plan(view: View, paint: Painter, *, width: int, verbosity: int) -> list[str]:
    """Return a row for each change, with its values, reasons and destinations; then unverified connections, refusals, the digest."""
    pending = changed_connections(view) if verbosity >= 0 else []
    rows = aligned_rows([_row(item, paint) for item in pending]) if pending else []
    lines: list[str] = []
    for row, item in zip(rows, pending, strict=True):
        lines.append(row)
        lines += aligned_rows([_value_row(field) for field in item["changes"]])
        for reason in item["reasons"]:
            lines += paragraph(reason, first=f"    {paint('why:', BOLD)} ", rest="         ", width=width)
        lines += aligned_rows([_destination_row(send) for send in item["sends"]])
        if item["revokes"]:
            lines += paragraph(
                describe_grant(**item["revokes"]),
                first=f"    {paint('revokes:', BOLD_YELLOW)} ",
                rest="             ",
                width=width,
            )
    lines += render_verdicts(
        {**view, "connections": unchanged_with_remarks(view)}, paint, width=width, verbosity=verbosity
    )
    if view.get("plan") and verbosity >= 0:
        for refusal in view["plan"]["refusals"]:
            lines += paragraph(refusal, first=paint("needs --force: ", BOLD_YELLOW), rest="  ", width=width)
        lines.append(paint(f"digest {view['plan']['digest']}", DIM))
    return lines


def change_counts(view: View) -> list[str]:
    """Return how many changes of each action a plan has, or how many connections `apply` left unchanged."""
    plan = view.get("plan")
    if not plan:
        return []
    if view["command"] == "plan":
        return [f"{plan[action]} to {action}" for action in SIGNS if plan[action]] or ["no changes"]
    return [f"{plan['none']} unchanged"] if plan["none"] else []


def changed_connections(view: View) -> list[View]:
    """Return the connections that a plan changes."""
    return [item for item in view["connections"] if item.get("action") in SIGNS]


def unchanged_with_remarks(view: View) -> list[View]:
    """Return the unchanged connections of a plan that could not be verified, or that a warning is about."""
    return [item for item in view["connections"] if item.get("action") == "none" and _has_remarks(item)]


def _has_remarks(item: View) -> bool:
    return item["verdict"] in {"failed", "unknown"} or bool(item["warnings"])


def describe_change(item: View) -> str:
    """Return the description of a change in one line, for formats without room for more."""
    fields = ["{}: {}".format(*map(str.strip, _value_row(field))) for field in item["changes"]]
    moved = [f"{item['moved_from']} → {item['name']}"] if item["moved_from"] else []
    ends = [f"revokes {describe_grant(**item['revokes'])}"] if item["revokes"] else []
    description = "; ".join([*moved, *fields, *item["reasons"], *ends]) or item["base_url"]
    return "; ".join([description, *(" ".join(map(str.strip, _destination_row(send))) for send in item["sends"])])


def _row(item: View, paint: Painter) -> list[str]:
    sign, style = SIGNS[item["action"]]
    where = "/".join(filter(None, (item["environment"], item["region"])))
    return [
        paint(f"{sign} {item['action']}", style),
        paint(display_name(item), BOLD),
        where,
        item["auth_method"],
        clean(item["base_url"]),
    ]


def _destination_row(send: View) -> list[str]:
    how = f" ({', '.join(send['how'])})" if send["how"] else ""
    return [f"    {clean(send['secret'])}", clean(f"→ {send['origin']}{how}")]


def _value_row(field: View) -> list[str]:
    before, after = format_value(field["before"]), format_value(field["after"])
    if before == after or not (before and after):  # a list and its text, an empty value: only JSON shows the difference
        before, after = (clean(json.dumps(field[side], ensure_ascii=False)) for side in ("before", "after"))
    before = "(none)" if field["before"] is None else before
    after = "(none)" if field["after"] is None else after
    return [f"    {clean(field['pointer'].lstrip('/').replace('/', '.'))}", f"{before} → {after}"]
