"""The table of all JSON Schemas that connform publishes, of manifests and of reports. Layer 4, no IO: each is composed on request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from connform.engine.schemas import SCHEMAS as _INPUT_SCHEMAS
from connform.reporters.report_schema import LINE_SCHEMA, REPORT_SCHEMA

if TYPE_CHECKING:
    from collections.abc import Callable

SCHEMAS: Final[dict[str, Callable[[], dict[str, Any]]]] = {
    **_INPUT_SCHEMAS,
    "report": lambda: REPORT_SCHEMA,
    "report-line": lambda: LINE_SCHEMA,
}
"""The name of a schema, as in `schema/NAME.schema.json` → the function that composes it."""
