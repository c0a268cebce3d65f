"""The format `text`: diagnostics, the command's own part, and a summary line, for people.

Layer 4, no IO.
"""

from __future__ import annotations

from importlib import import_module

from connform.reporters.terminal import BOLD_GREEN, BOLD_RED, BOLD_YELLOW, Painter, format_count, format_policy_count
from connform.reporters.view import View

_RENDERERS = {
    "check": ("text_verdicts", "render_verdicts"),
    "login": ("text_verdicts", "render_verdicts"),
    "apply": ("text_verdicts", "render_applied"),
    "plan": ("text_plan", "render_plan"),
    "state list": ("text_state", "render_state"),
    "state show": ("text_state", "render_record"),
    "state history": ("text_state", "render_history"),
    "secrets check": ("text_secrets", "render_secrets"),
    "secrets backends": ("text_secrets", "render_backends"),
    "doctor": ("text_doctor", "render_doctor"),
    "list": ("text_inventory", "render_list"),
    "show": ("text_inventory", "render_show"),
}
"""Command → the module and the function that render its connections, imported on use; other commands show none."""

_INVENTORIES = {"list", "state list", "state show", "state history"}
"""Commands that only list things: their summary does not say `no errors`."""


def render(view: View, *, color: bool, width: int, verbosity: int) -> str:
    """Return the blocks of a report with blank lines between them."""
    paint = Painter(color=color)
    blocks: list[list[str]] = []
    if view["diagnostics"]:
        from connform.reporters.text_diagnostic import render_diagnostic

        blocks += [
            render_diagnostic(diagnostic, paint, width=width, verbosity=verbosity)
            for diagnostic in view["diagnostics"]
            if verbosity >= 0 or diagnostic["severity"] == "error"
        ]
    if view["command"] in _RENDERERS:
        module, function = _RENDERERS[view["command"]]
        body = getattr(import_module(f"connform.reporters.{module}"), function)
        blocks.append(body(view, paint, width=width, verbosity=verbosity))
    if verbosity >= 0:
        blocks.append(_summary(view, paint))
    return "".join("\n".join(block) + "\n\n" for block in blocks if block)[:-1]


def _summary(view: View, paint: Painter) -> list[str]:
    summary = view["summary"]
    if view["command"] == "doctor":
        from connform.reporters.text_doctor import verdict

        return [verdict(view, paint)]
    if view["command"] == "secrets backends" or (view["command"] == "show" and view["connections"]):
        return []
    subject = f"{format_count(summary['connections'], 'connection')} in {format_count(len(view['files']), 'file')}"
    if summary["policies"]:
        subject += f", {format_policy_count(summary['policies'])}"
    found: list[str] = []
    if view["connections"]:
        from connform.reporters.text_verdicts import verdict_counts

        found = verdict_counts(view)
    if view.get("plan"):
        from connform.reporters.text_plan import change_counts

        found = [each for each in found if not each.endswith(" skipped")] + change_counts(view)
    if summary["errors"] or not (found or view["command"] in _INVENTORIES):
        found.append(format_count(summary["errors"], "error"))
    if summary["warnings"]:
        found.append(format_count(summary["warnings"], "warning"))
    style = BOLD_RED if view["exit_code"] else BOLD_YELLOW if summary["warnings"] else BOLD_GREEN
    return [subject + (": " if found else "") + paint(", ".join(found), style) + _duration_note(view)]


def _duration_note(view: View) -> str:
    if not view["connections"] or view["command"] in _INVENTORIES:
        return ""
    simulated = "; simulated: no secret was read, nothing left this machine" if view["simulated"] else ""
    return f" ({view['elapsed_ms'] / 1000:.1f} s{simulated})"
