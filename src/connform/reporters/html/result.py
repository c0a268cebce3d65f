"""The result of a report in a sentence, for the title of a page. Layer 4, no IO."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from connform.reporters.terminal import format_count
from connform.reporters.text_change import SIGNS as ACTIONS
from connform.reporters.view import View

_FAILURES = {"failed": "failed", "unknown": "could not be verified"}


def result(view: View, items: Sequence[View]) -> tuple[str, str]:
    """Return the verdict on a whole report, or an empty text, and the result in a sentence."""
    summary, counts = view["summary"], Counter(item["verdict"] for item in items)
    number = format_count(summary["connections"], "connection")
    if "interrupted" in view:
        return "unknown", f"The run was interrupted: {counts['skipped']} of {number} were not looked at"
    if view.get("findings"):
        return _of_findings(view["findings"])
    failures = [f"{counts[verdict]} {words}" for verdict, words in _FAILURES.items() if counts[verdict]]
    if failures and summary["connections"] == len(items) == 1:
        return items[0]["verdict"], f"{items[0]['name']} {_FAILURES[items[0]['verdict']]}"
    if failures:
        return ("failed" if counts["failed"] else "unknown"), f"Of {number}, {', '.join(failures)}"
    if summary["errors"]:
        return "failed", f"{format_count(summary['errors'], 'error')} in the manifests"
    return _without_failures(view, number, counts)


def _of_findings(findings: Sequence[View]) -> tuple[str, str]:
    problems = sum(one["status"] == "problem" for one in findings)
    if problems:
        return "failed", f"This manifest can't work here: {format_count(problems, 'problem')}"
    return "ready", "Nothing keeps connform from working here"


def _without_failures(view: View, number: str, counts: Counter[str]) -> tuple[str, str]:
    connections = view["summary"]["connections"]
    if view["command"] == "plan" and (plan := view.get("plan")):
        changes = [f"{plan[action]} to {action}" for action in ACTIONS if plan[action]]
        return "", f"Changes: {', '.join(changes)}" if changes else "No changes"
    if view.get("backends"):
        return "", format_count(len(view["backends"]), "secret backend")
    if counts["ready"]:
        return "ready", f"{number} ready" if counts["ready"] == connections else f"{counts['ready']} of {number} ready"
    valid = view["command"] == "validate" and connections
    return ("ready", f"{number} valid") if valid else ("", number.capitalize())
