"""Constructors of findings by their status: `good`, `note`, `problem`, `failed`. Layer 3, no IO.

The verb fills in the section.
"""

from __future__ import annotations

from connform.engine.report_parts import DoctorFinding
from connform.errors import ConnectionFailed
from connform.faults import ExitCode

GOOD, NOTE, PROBLEM = "ok", "note", "problem"
_MAX_NAMES = 2


def good(name: str, message: str) -> DoctorFinding:
    """Return the finding of what works."""
    return DoctorFinding("", name, GOOD, message)


def note(name: str, message: str, hint: str = "") -> DoctorFinding:
    """Return the finding of what is missing or unknown, without which this manifest can work."""
    return DoctorFinding("", name, NOTE, message, hint)


def problem(name: str, message: str, hint: str = "", *, exit_code: ExitCode) -> DoctorFinding:
    """Return the finding of what keeps this manifest from working here."""
    return DoctorFinding("", name, PROBLEM, message, hint, exit_code)


def failed(name: str, failure: ConnectionFailed) -> DoctorFinding:
    """Return the problem that a failure is."""
    return problem(name, failure.message, failure.hint, exit_code=failure.exit_code)


def listed(names: list[str]) -> str:
    """Return names in a sentence, each once, the first two by name: `a, b and 3 others`."""
    names = list(dict.fromkeys(names))
    shown, others = names[:_MAX_NAMES], len(names) - _MAX_NAMES
    if others > 0:
        return f"{', '.join(shown)} and {others} other{'s' if others > 1 else ''}"
    return " and ".join(shown)
