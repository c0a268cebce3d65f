"""The format `gitlab`: a GitLab Code Quality report. Layer 4, no IO."""

from __future__ import annotations

from json import dumps
from typing import Final

from connform.reporters.findings import findings
from connform.reporters.view import View

syntax: Final = "json"
uses_repository_paths: Final = True

_NO_FILE = "connections.yaml"
"""The path of a finding that is not about a file, as of `doctor`: GitLab wants one."""
_SEVERITIES = {"error": "major", "warning": "minor"}


def render(view: View, *, color: bool, width: int, verbosity: int) -> str:  # noqa: ARG001  (for GitLab)
    """Return an array of findings."""
    report = [
        {
            "description": f"{one.code}: {one.text_with_related}",  # GitLab shows no `check_name`
            "check_name": one.code,
            "fingerprint": one.fingerprint,
            "severity": _SEVERITIES[one.severity],
            "location": {"path": one.place["file"] or _NO_FILE, "lines": {"begin": one.place["line"] or 1}},
        }
        for one in findings(view)
    ]
    return dumps(report, indent=2) + "\n"
