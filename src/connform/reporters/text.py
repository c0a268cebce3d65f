"""The format `text`: diagnostics, the command's own part, and a summary line, for people.

Layer 4, no IO.
"""

from __future__ import annotations

from datetime import datetime
from importlib import import_module
from typing import Final

from connform.reporters.terminal import (
    BOLD_GREEN,
    BOLD_RED,
    BOLD_YELLOW,
    Look,
    Painter,
    format_count,
    format_policy_count,
    width_of,
)
from connform.reporters.view import View
from connform.reporters.wrapping import fold_rows

_RENDERERS = {
    "check": ("text_verdicts", "render_verdicts"),
    "login": ("text_logins", "render_logins"),
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

lists_unchanged: Final = False
is_brief: Final = True

_INVENTORIES = {"list", "state list", "state show", "state history"}
"""Commands that only list things: their summary does not say `no errors`."""


def render(view: View, *, color: bool, width: int, verbosity: int) -> str:
    """Return the report for a log or a file: every connection has its line, rows are as long as they are."""
    return _render(view, Look(Painter(color=color), width, verbosity))


def render_on_terminal(view: View, *, color: bool, width: int, verbosity: int, now: datetime) -> str:
    """Return the report for a person at a terminal: no more than a screen needs, in its width; arguments as of `Reporter`."""
    return _render(view, Look(Painter(color=color), width, verbosity, now))


def _render(view: View, look: Look) -> str:
    """Return the blocks of a report with blank lines between them."""
    shown, ending = view, ""
    if view.get("interrupted"):
        from connform.reporters.text_interrupted import interruption_line, looked_at

        shown, ending = looked_at(view), look.paint(interruption_line(view, look.width), BOLD_YELLOW)
    blocks: list[list[str]] = []
    if view["diagnostics"]:
        from connform.reporters.text_diagnostic import render_diagnostics

        blocks += render_diagnostics(
            [one for one in view["diagnostics"] if look.verbosity >= 0 or one["severity"] == "error"], look
        )
    if view["command"] in _RENDERERS:
        module, function = _RENDERERS[view["command"]]
        body = getattr(import_module(f"connform.reporters.{module}"), function)
        blocks.append(body(shown, look))
    summary = _summary(view, look) if look.verbosity >= 0 else []
    blocks.append([*summary, *([ending] if ending else [])])
    return "\n".join([line for block in blocks if block for line in (*block, "")])


def _summary(view: View, look: Look) -> list[str]:
    summary = view["summary"]
    if view["command"] == "doctor":
        from connform.reporters.text_doctor import verdict

        return [verdict(view, look.paint)]
    if view["command"] == "secrets backends" or (view["command"] == "show" and view["connections"]):
        return []
    subject = f"{format_count(summary['connections'], 'connection')} in {format_count(len(view['files']), 'file')}"
    if summary["policies"]:
        subject += f", {format_policy_count(summary['policies'])}"
    found: list[str] = []
    failures: list[str] = []
    if view["command"] == "login":
        from connform.reporters.text_logins import NOTHING, login_counts

        found = login_counts(view)
        if not (view["connections"] or summary["errors"]):
            return [NOTHING.format(format_count(len(view["files"]), "file"))]
    if view["connections"]:
        from connform.reporters.text_verdicts import names_of_failures, verdict_counts

        found, failures = found or verdict_counts(view), names_of_failures(view)
    if view.get("plan"):
        from connform.reporters.text_plan import change_counts

        found = [each for each in found if not each.endswith(" skipped")] + change_counts(view)
    if summary["errors"] or not (found or view["command"] in _INVENTORIES):
        found.append(format_count(summary["errors"], "error"))
    if summary["warnings"]:
        found.append(format_count(summary["warnings"], "warning"))
    style = BOLD_RED if view["exit_code"] else BOLD_YELLOW if summary["warnings"] else BOLD_GREEN
    line = subject + (": " if found else "") + look.paint(", ".join(found), style) + _duration_note(view)
    room = look.row_width - len(":" if failures else "")
    return _with_names(fold_rows([line], room), failures, look.width) + _mending_note(view, look)


def _mending_note(view: View, look: Look) -> list[str]:
    """Return how many mistakes `validate --fix` can mend, if there are any."""
    number = sum(bool(diagnostic["fix"]) for diagnostic in view["diagnostics"])
    total = view["summary"]["errors"] + view["summary"]["warnings"]
    note = f"{number} of {total} can be mended: `connform validate --fix`"
    return fold_rows([note], look.row_width) if number else []


def _with_names(lines: list[str], names: list[str], width: int) -> list[str]:
    """Return lines with as many names behind them as fit into the last, or else into a line below it."""
    if not names:
        return lines
    beside = f"{lines[-1]}: {_some_of(names, width - width_of(lines[-1]) - len(': '))}"
    if width_of(beside) <= width:
        return [*lines[:-1], beside]
    return [*lines[:-1], f"{lines[-1]}:", f"  {_some_of(names, width - len('  '))}"]


def _some_of(names: list[str], room: int) -> str:
    """Return as many names as fit into `room` columns, at least one, and how many more there are."""
    text = ""
    for number in range(1, len(names) + 1):
        rest = f" and {len(names) - number} more" if number < len(names) else ""
        longer = ", ".join(names[:number]) + rest
        if text and width_of(longer) > room:
            break
        text = longer
    return text


def _duration_note(view: View) -> str:
    is_plan = bool(view.get("plan") and view["summary"]["connections"])  # which lists changes alone
    if not (view["connections"] or is_plan) or view["command"] in _INVENTORIES:
        return ""
    simulated = "; simulated: no secret was read, nothing left this machine" if view["simulated"] else ""
    recorded = (
        "; recorded" if view["command"] == "check" and any("checks" in one for one in view["connections"]) else ""
    )
    return f" ({view['elapsed_ms'] / 1000:.1f} s{simulated}{recorded})"
