"""Checked connections in the format `text`: those that are fine in a line each or counted, then the causes of the others. Layer 4, no IO."""

from __future__ import annotations

from collections import Counter

from connform.reporters.causes import by_cause
from connform.reporters.table import aligned_rows
from connform.reporters.terminal import DIM, Look, format_count
from connform.reporters.text_cause import FAILURES, LISTED, render_cause
from connform.reporters.text_connection import MOVED, REMOVED, display_name, listed, outcome, sign
from connform.reporters.view import View


def render_verdicts(view: View, look: Look) -> list[str]:
    """Return the connections without remarks in a line each or counted; then each cause of the others once, failures last."""
    shown = [item for item in view["connections"] if look.verbosity >= 0 or item["verdict"] in FAILURES]
    lines = _without_remarks([item for item in shown if not _has_remarks(item)], look)
    causes = by_cause(filter(_has_remarks, shown))
    for cause in sorted(causes, key=lambda cause: cause.connections[0]["verdict"] in FAILURES):
        lines += ["", *render_cause(cause, look)] if lines else render_cause(cause, look)
    return lines


def render_applied(view: View, look: Look) -> list[str]:
    """Return the same without connections that `apply` left unchanged, unless the verbosity is 1 or more."""
    done = [item for item in view["connections"] if look.verbosity > 0 or item.get("action") != "none"]
    return render_verdicts({**view, "connections": done}, look)


def names_of_failures(view: View) -> list[str]:
    """Return the names of the connections that failed or could not be verified."""
    return [display_name(item) for item in view["connections"] if item["verdict"] in FAILURES]


def verdict_counts(view: View) -> list[str]:
    """Return how many connections had each verdict; removed and moved ones have a word of their own."""
    counts = Counter(map(outcome, view["connections"]))
    return [
        f"{counts[word]} {word}" for word in ("ready", MOVED, REMOVED, "failed", "unknown", "skipped") if counts[word]
    ]


def _has_remarks(connection: View) -> bool:
    return connection["verdict"] in FAILURES or bool(connection["message"] or connection["warnings"])


def _without_remarks(connections: list[View], look: Look) -> list[str]:
    if look.now and look.verbosity == 0 and len(connections) > LISTED:
        counts = Counter((outcome(item), item["verdict"]) for item in connections)
        note = look.paint("-v lists them", DIM)
        return aligned_rows(
            [[sign(*kind, look), format_count(number, "connection"), note] for kind, number in counts.items()]
        )
    return listed(connections, look)
