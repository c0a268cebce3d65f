"""Turns a view into text for a person: what is wrong, what was found, and one line that sums it up.

Layer 4, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from connform.reporters.terminal import BOLD_GREEN, BOLD_RED, BOLD_YELLOW, Painter, counted
from connform.reporters.text_diagnostic import render_diagnostic
from connform.reporters.text_inventory import render_list, render_show
from connform.reporters.text_plan import planned, render_plan
from connform.reporters.text_secrets import render_backends, render_secrets
from connform.reporters.text_state import render_history, render_record, render_state
from connform.reporters.text_verdicts import render_applied, render_verdicts, verdicts

if TYPE_CHECKING:
    from connform.reporters.view import View

_BODIES: Final = {
    "check": render_verdicts,
    "login": render_verdicts,
    "apply": render_applied,
    "plan": render_plan,
    "state list": render_state,
    "state show": render_record,
    "state history": render_history,
    "secrets check": render_secrets,
    "secrets backends": render_backends,
    "list": render_list,
    "show": render_show,
}
"""What a command shows of its connections; the others show none."""

_INVENTORIES: Final = {"list", "state list", "state show", "state history"}
"""What only tells what there is: no errors is nothing to be told."""


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
    if view["command"] == "secrets backends" or (view["command"] == "show" and view["connections"]):
        return []
    subject = f"{counted(summary['connections'], 'connection')} in {counted(len(view['files']), 'file')}"
    found = verdicts(view)
    if view.get("plan"):
        found = [each for each in found if not each.endswith(" skipped")] + planned(view)
    if summary["errors"] or not (found or view["command"] in _INVENTORIES):
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
