"""The table of all JSON Schemas that connform publishes, of manifests and of reports. Layer 4, no IO.

`make schema` writes each to `schema/NAME.schema.json`. Those of reports are what programs that read them may rely on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from connform.engine.schemas import SCHEMAS as _INPUT_SCHEMAS
from connform.reporters.view import REPORT

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_LISTS = ("diagnostics", "connections")

REPORT_SCHEMA: dict[str, Any] = {
    "$schema": _DIALECT,
    "title": "What a connform command found (--format json)",
    **REPORT.schema,
}
"""JSON Schema 2020-12, closed but for the facts of a stage."""


def _line(kind: str, schema: dict[str, Any]) -> dict[str, Any]:
    # Each item of a list of the report is a line of its own, and the rest of the report is the last line.
    fields = {
        "type": {"const": kind},
        **{name: each for name, each in schema["properties"].items() if name not in _LISTS},
    }
    required = [name for name in ("type", *schema["required"]) if name in fields]
    return schema | {"properties": fields, "required": required}


LINE_SCHEMA: dict[str, Any] = {
    "$schema": _DIALECT,
    "title": "One line of what a connform command found (--format jsonl)",
    "anyOf": [
        *(_line(name.removesuffix("s"), REPORT.schema["properties"][name]["items"]) for name in _LISTS),
        _line("summary", REPORT.schema | {"description": "The last line: the run as a whole."}),
    ],
}
"""JSON Schema 2020-12; `type` says which of the three a line is."""

SCHEMAS: dict[str, Callable[[], dict[str, Any]]] = {
    **_INPUT_SCHEMAS,
    "report": lambda: REPORT_SCHEMA,
    "report-line": lambda: LINE_SCHEMA,
}
"""The name of a schema, as in `schema/NAME.schema.json` → the function that composes it."""
