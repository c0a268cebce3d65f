"""The declared connections in the format `text`: a table for `list`, keys and values for `show`.

Layer 4, no IO.
"""

from __future__ import annotations

import json
from typing import Any

from connform.reporters.table import aligned_rows, fitted_rows
from connform.reporters.terminal import BOLD, DIM, Look, Painter, clean, format_place
from connform.reporters.view import View
from connform.reporters.wrapping import fold_rows

_COLUMNS = ("name", "provider", "environment", "region", "auth_method", "base_url", "tags")
_LEAST_IMPORTANT = (5, 6, 1, 4, 3, 2)
"""Columns, the first to be cut on a narrow terminal first: the address, the tags, the provider, …; never the name."""
_FACTS = ("provider", "environment", "region", "auth_method", "base_url")
_DETAILS = ("api_key_header", "key_management_url", "authorize_url", "token_url")


def render_list(view: View, look: Look) -> list[str]:
    """Return a table with one row per connection."""
    if not view["connections"] or look.verbosity < 0:
        return []
    header = [look.paint(column.upper().replace("_", " "), DIM) for column in _COLUMNS]
    rows = [header, *([format_value(item[column]) for column in _COLUMNS] for item in view["connections"])]
    return fitted_rows(rows, look.row_width, _LEAST_IMPORTANT)


def render_show(view: View, look: Look) -> list[str]:
    """Return every effective value; with a verbosity of 1 or more, also the origin of each."""
    paint = look.paint
    lines: list[str] = []
    for connection in view["connections"]:
        facts = [[f"  {key}", format_value(connection[key])] for key in (*_FACTS, *_DETAILS) if connection.get(key)]
        place = format_place(connection)
        lines += [
            paint(clean(connection["name"]), BOLD) + (paint(f"  {place}", DIM) if place else ""),
            *fold_rows(aligned_rows(facts), look.row_width),
        ]
        values = [_value(value, paint, origins=look.verbosity > 0) for value in connection["values"]]
        lines += ["", paint("values", BOLD), *fold_rows(aligned_rows(values), look.row_width)] if values else []
    return lines


def _value(value: View, paint: Painter, *, origins: bool) -> list[str]:
    row = [f"  {clean(value['pointer'].lstrip('/').replace('/', '.'))}", format_value(value["value"])]
    if origins:
        row += [paint(clean(value["origin"]), DIM), paint(format_place(value), DIM)]
    return row


def format_value(value: Any) -> str:
    """Return an effective value as a person writes it: texts without quotes, the items of a list, all else as JSON."""
    items = value if isinstance(value, list | tuple) else [value]
    return clean(", ".join([one if isinstance(one, str) else json.dumps(one, ensure_ascii=False) for one in items]))
