"""The declared connections in the format `text`: a table for `list`, keys and values for `show`.

Layer 4, no IO.
"""

from __future__ import annotations

import json
from typing import Any

from connform.reporters.terminal import BOLD, DIM, Painter, aligned_rows, clean, format_place
from connform.reporters.view import View

_COLUMNS = ("name", "provider", "environment", "region", "auth_method", "base_url", "tags")
_FACTS = ("provider", "environment", "region", "auth_method", "base_url")
_DETAILS = ("api_key_header", "key_management_url", "authorize_url", "token_url")


def render_list(view: View, paint: Painter, *, width: int, verbosity: int) -> list[str]:  # noqa: ARG001  (every body of a report takes these)
    """Return a table with one row per connection."""
    if not view["connections"] or verbosity < 0:
        return []
    header = [paint(column.upper().replace("_", " "), DIM) for column in _COLUMNS]
    return aligned_rows(
        [header, *([format_value(item[column]) for column in _COLUMNS] for item in view["connections"])]
    )


def render_show(view: View, paint: Painter, *, width: int, verbosity: int) -> list[str]:  # noqa: ARG001  (every body of a report takes these)
    """Return every effective value; with a verbosity of 1 or more, also the origin of each."""
    lines: list[str] = []
    for connection in view["connections"]:
        facts = [[f"  {key}", format_value(connection[key])] for key in (*_FACTS, *_DETAILS) if connection.get(key)]
        place = format_place(connection)
        lines += [
            paint(clean(connection["name"]), BOLD) + (paint(f"  {place}", DIM) if place else ""),
            *aligned_rows(facts),
        ]
        values = [_value(value, paint, origins=verbosity > 0) for value in connection["values"]]
        lines += ["", paint("values", BOLD), *aligned_rows(values)] if values else []
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
