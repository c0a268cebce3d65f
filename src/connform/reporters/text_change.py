"""The changes of a plan in the format `text`, each with all connections that have it. Layer 4, no IO."""

from __future__ import annotations

import json

from connform.grant import describe_grant
from connform.reporters.equal_changes import by_change, merged_sends
from connform.reporters.table import aligned_rows, fitted_rows
from connform.reporters.terminal import BOLD, BOLD_YELLOW, GREEN, RED, YELLOW, Look, clean
from connform.reporters.text_connection import INDENT, display_name
from connform.reporters.text_inventory import format_value
from connform.reporters.view import View
from connform.reporters.wrapping import enumerated, fold, fold_rows, paragraph

SIGNS = {"create": ("+", GREEN), "update": ("~", YELLOW), "move": ("~", YELLOW), "remove": ("-", RED)}
"""Action → its sign and its style."""
_LEAST_IMPORTANT = (4, 3, 2, 1)
"""Columns of a heading, the first to be cut on a narrow terminal first: the address, the method, where, the name."""
_SIDES = ("before", "after")
_SECRETS = 5
"""Secrets of one destination that are listed on a terminal; more are counted."""


def render_changes(connections: list[View], look: Look) -> list[str]:
    """Return each change once: which connections have it, the values, the reasons, where secrets go, the grant that ends."""
    groups = by_change(connections)
    if not groups:
        return []
    lines: list[str] = []
    headings = fitted_rows([_heading(group, look) for group in groups], look.row_width, _LEAST_IMPORTANT)
    for heading, group in zip(headings, groups, strict=True):
        lines += [heading, *_details(group, look)]
    return lines


def _heading(group: list[View], look: Look) -> list[str]:
    first = group[0]
    sign, style = SIGNS[first["action"]]
    name = display_name(first) if len(group) == 1 else f"{len(group)} connections"
    where = "/".join(filter(None, (_common(group, "environment"), _common(group, "region"))))
    cells = (where, _common(group, "auth_method"), clean(_common(group, "base_url")))
    return [look.paint(f"{sign} {first['action']}", style), look.paint(name, BOLD), *cells]


def _common(group: list[View], key: str) -> str:
    """Return a value that all connections of a group have, or an empty text."""
    value: str = group[0][key]
    return value if all(one[key] == value for one in group) else ""


def _details(group: list[View], look: Look) -> list[str]:
    first = group[0]
    lines: list[str] = []
    if len(group) > 1:
        lines += fold(enumerated(list(map(display_name, group))), first=INDENT, rest=INDENT, width=look.width)
    if first["changes"]:
        lines += fold_rows(aligned_rows([_value_row(field) for field in first["changes"]]), look.row_width)
    for reason in first["reasons"]:
        lines += paragraph(reason, first=f"{INDENT}{look.paint('why:', BOLD)} ", rest="         ", width=look.width)
    destinations = [_destination(*send, look) for send in merged_sends(group)]
    lines += fold_rows(aligned_rows(destinations, look.width), look.row_width)
    if first["revokes"]:
        prefix = f"{INDENT}{look.paint('revokes:', BOLD_YELLOW)} "
        lines += paragraph(describe_grant(**first["revokes"]), first=prefix, rest="             ", width=look.width)
    return lines


def _value_row(field: View) -> list[str]:
    """Return the row of a value, which says where a value is connform's own default."""
    notes = [" (default)" if field[f"is_default_{side}"] else "" for side in _SIDES]
    return [INDENT + name_of_value(field), " → ".join(map(str.__add__, before_and_after(field), notes))]


def _destination(secrets: list[str], send: View, look: Look) -> list[str]:
    is_counted = look.now and look.verbosity == 0 and len(secrets) > _SECRETS
    text = f"{len(secrets)} secrets" if is_counted else ", ".join(secrets)
    return destination_row({**send, "secret": text})


def destination_row(send: View) -> list[str]:
    """Return a secret, and where it is sent."""
    how = f" ({', '.join(send['how'])})" if send["how"] else ""
    return [f"    {clean(send['secret'])}", clean(f"→ {send['origin']}{how}")]


def value_row(field: View) -> list[str]:
    """Return the name of a value, and the value before and after."""
    before, after = before_and_after(field)
    return [INDENT + name_of_value(field), f"{before} → {after}"]


def name_of_value(field: View) -> str:
    """Return the path of a value, with dots."""
    return clean(field["pointer"].lstrip("/").replace("/", "."))


def before_and_after(field: View) -> list[str]:
    """Return the value before and after, as texts that differ."""
    texts = [format_value(field[side]) for side in _SIDES]
    if texts[0] == texts[1] or not all(texts):  # a list and its text, an empty value: only JSON shows the difference
        texts = [clean(json.dumps(field[side], ensure_ascii=False)) for side in _SIDES]
    return ["(none)" if field[side] is None else text for side, text in zip(_SIDES, texts, strict=True)]
