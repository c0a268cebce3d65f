"""The changes of a plan in the format `text`, each with all connections that have it. Layer 4, no IO."""

from __future__ import annotations

import json

from connform.grant import describe_grant
from connform.reporters.equal_changes import EqualChange
from connform.reporters.table import aligned_rows, fitted_rows
from connform.reporters.terminal import BOLD, BOLD_YELLOW, GREEN, RED, YELLOW, Look, clean, clean_column
from connform.reporters.text_connection import INDENT
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


def render_changes(changes: list[EqualChange], look: Look) -> list[str]:
    """Return each change: which connections have it, the values, the reasons, where secrets go, the grant that ends."""
    if not changes:
        return []
    lines: list[str] = []
    headings = fitted_rows([_heading(change, look) for change in changes], look.row_width, _LEAST_IMPORTANT)
    for heading, change in zip(headings, changes, strict=True):
        lines += [heading, *_details(change, look)]
    return lines


def _heading(change: EqualChange, look: Look) -> list[str]:
    sign, style = SIGNS[change.action]
    name = change.names[0] if len(change.names) == 1 else f"{len(change.names)} connections"
    environment, region, method, address = change.shown
    where = "/".join(filter(None, (environment, region)))
    return [look.paint(f"{sign} {change.action}", style), look.paint(name, BOLD), where, method, clean(address)]


def _details(change: EqualChange, look: Look) -> list[str]:
    lines: list[str] = []
    if len(change.names) > 1:
        lines += fold(enumerated(change.names), first=INDENT, rest=INDENT, width=look.width)
    if change.changes:
        lines += fold_rows(aligned_rows([_value_row(field) for field in change.changes]), look.row_width)
    for reason in change.reasons:
        lines += paragraph(reason, first=f"{INDENT}{look.paint('why:', BOLD)} ", rest="         ", width=look.width)
    sends = change.sends()
    secrets = clean_column([INDENT + _secrets(one, look) for one, _ in sends])
    destinations = clean_column([f"→ {to}" for _, to in sends])
    rows = [*zip(secrets, destinations, strict=True)]
    lines += fold_rows(aligned_rows(rows, look.width), look.row_width)
    if change.revokes:
        prefix = f"{INDENT}{look.paint('revokes:', BOLD_YELLOW)} "
        lines += paragraph(describe_grant(**change.revokes), first=prefix, rest="             ", width=look.width)
    return lines


def _value_row(field: View) -> list[str]:
    """Return the row of a value, which says where a value is connform's own default."""
    notes = [" (default)" if field[f"is_default_{side}"] else "" for side in _SIDES]
    return [INDENT + name_of_value(field), " → ".join(map(str.__add__, before_and_after(field), notes))]


def _secrets(secrets: list[str], look: Look) -> str:
    is_counted = len(secrets) > _SECRETS and look.now and look.verbosity == 0
    return f"{len(secrets)} secrets" if is_counted else ", ".join(secrets)


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
