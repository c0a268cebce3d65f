"""Turns a view into text for a person: what is wrong, what was found, and one line that sums it up.

Layer 4, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from connform.reporters.terminal import BOLD_GREEN, BOLD_RED, BOLD_YELLOW, Painter, counted
from connform.reporters.text_diagnostic import render_diagnostic
from connform.reporters.text_inventory import render_list, render_show
from connform.reporters.text_verdicts import render_verdicts

if TYPE_CHECKING:
    from connform.reporters.view import View

_BODIES: Final = {"check": render_verdicts, "apply": render_verdicts, "list": render_list, "show": render_show}
"""What a command shows of its connections; the others show none."""

_VERDICTS: Final = ("ready", "failed", "unknown", "skipped")


def render(view: View, *, color: bool, width: int, verbosity: int) -> str:
    """Return the blocks of a report with blank lines between them."""
    paint = Painter(color=color)
    blocks = [
        render_diagnostic(diagnostic, paint, width=width, verbosity=verbosity)
        for diagnostic in view["diagnostics"]
        if verbosity >= 0 or diagnostic["severity"] == "error"
    ]
    if body := _BODIES.get(view["command"]):
        blocks.append(body(view, paint, width=width, verbosity=verbosity))
    if verbosity >= 0:
        blocks.append(_summary(view, paint))
    return "".join("\n".join(block) + "\n\n" for block in blocks if block)[:-1]


def _summary(view: View, paint: Painter) -> list[str]:
    summary = view["summary"]
    if view["command"] == "show" and view["connections"]:
        return []
    subject = f"{counted(summary['connections'], 'connection')} in {counted(len(view['files']), 'file')}"
    found = [f"{summary[verdict]} {verdict}" for verdict in _VERDICTS if summary[verdict]]
    if summary["errors"] or not (found or view["command"] == "list"):
        found.append(counted(summary["errors"], "error"))
    if summary["warnings"]:
        found.append(counted(summary["warnings"], "warning"))
    style = BOLD_RED if view["exit_code"] else BOLD_YELLOW if summary["warnings"] else BOLD_GREEN
    return [subject + (": " if found else "") + paint(", ".join(found), style) + _aside(view)]


def _aside(view: View) -> str:
    if not view["connections"] or view["command"] == "list":
        return ""
    simulated = "; simulated: no secret was read, nothing left this machine" if view["simulated"] else ""
    return f" ({view['elapsed_ms'] / 1000:.1f} s{simulated})"
