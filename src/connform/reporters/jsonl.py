"""The format `jsonl`: one object per line for each diagnostic and connection, the summary last. Layer 4, no IO."""

from __future__ import annotations

from json import dumps
from typing import Final

from connform.reporters.view import View

syntax: Final = "json"


def render(view: View, *, color: bool, width: int, verbosity: int) -> str:  # noqa: ARG001  (for machines)
    """Return lines whose `type` says what they are; the other fields are those of the format json."""
    lines = [{"type": kind, **item} for kind in ("diagnostic", "connection") for item in view[f"{kind}s"]]
    rest = {key: value for key, value in view.items() if key not in {"diagnostics", "connections"}}
    return "".join(f"{dumps(line)}\n" for line in (*lines, {"type": "summary", **rest}))
