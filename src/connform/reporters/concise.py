"""The format `concise`: one line for each finding, as compilers and `grep -n` print them. Layer 4, no IO."""

from __future__ import annotations

from connform.reporters.findings import findings
from connform.reporters.terminal import clean, format_place
from connform.reporters.view import View


def render(view: View, *, color: bool, width: int, verbosity: int) -> str:  # noqa: ARG001  (for editors)
    """Return `path:line:column: severity[code]: text` lines; an empty text without findings."""
    lines = []
    for one in findings(view):
        if verbosity >= 0 or one.severity == "error":
            place = format_place(one.place)
            text = clean(" ".join(one.text.split()))
            lines.append(f"{place}{': ' if place else ''}{one.severity}[{one.code}]: {text}\n")
    return "".join(lines)
