"""Turns a view into a GitLab Code Quality report. Layer 4, no IO."""

from __future__ import annotations

from json import dumps
from typing import TYPE_CHECKING, Final

from connform.reporters.findings import findings

if TYPE_CHECKING:
    from connform.reporters.view import View

_SEVERITIES: Final = {"error": "major", "warning": "minor"}


def render(view: View, *, color: bool, width: int, verbosity: int) -> str:  # noqa: ARG001  (for GitLab)
    """Return an array of findings; one without a place stands at the start of the first manifest."""
    nowhere = next((file for file in view["files"] if file != "<stdin>"), "connections.yaml")
    report = [
        {
            "description": one.text,
            "check_name": one.code,
            "fingerprint": one.fingerprint,
            "severity": _SEVERITIES[one.severity],
            "location": {
                "path": one.place["file"] if one.has_file else nowhere,
                "lines": {"begin": one.place["line"] if one.has_file else 1},
            },
        }
        for one in findings(view)
    ]
    return dumps(report, indent=2) + "\n"
