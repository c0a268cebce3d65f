"""Checked connections in the format `text`: the verdict, its stages, and why it failed. Layer 4, no IO."""

from __future__ import annotations

from collections import Counter
from typing import Any

from connform.reporters.terminal import (
    BOLD,
    BOLD_RED,
    BOLD_YELLOW,
    DIM,
    GREEN,
    Painter,
    aligned_rows,
    clean,
    format_place,
    paragraph,
)
from connform.reporters.view import View

_VERDICTS = {
    "ready": ("✓", GREEN),
    "failed": ("✗", BOLD_RED),
    "unknown": ("?", BOLD_YELLOW),
    "skipped": ("-", DIM),
}
_REMOVED = "removed"
_MOVED = "moved"
_INDENT = "    "


def render_verdicts(view: View, paint: Painter, *, width: int, verbosity: int) -> list[str]:
    """Return a row for each connection; below it its stages, and its message, hint and warnings."""
    shown = [item for item in view["connections"] if verbosity >= 0 or item["verdict"] in {"failed", "unknown"}]
    if not shown:
        return []
    rows = aligned_rows([_row(connection, paint) for connection in shown])
    lines: list[str] = []
    for row, connection in zip(rows, shown, strict=True):
        lines += [row, *_stages(connection, paint), *_facts(connection, paint, width, verbosity)]
        for label, text in _remarks(connection):
            lines += paragraph(
                text, first=f"{_INDENT}{paint(label, BOLD)} ", rest=_INDENT + " " * (len(label) + 1), width=width
            )
    return lines


def render_applied(view: View, paint: Painter, *, width: int, verbosity: int) -> list[str]:
    """Return the same without connections that `apply` left unchanged, unless the verbosity is 1 or more."""
    done = [item for item in view["connections"] if verbosity > 0 or item.get("action") != "none"]
    return render_verdicts({**view, "connections": done}, paint, width=width, verbosity=verbosity)


def verdict_counts(view: View) -> list[str]:
    """Return how many connections had each verdict; removed and moved ones have a word of their own."""
    counts = Counter(map(_outcome, view["connections"]))
    return [
        f"{counts[word]} {word}" for word in ("ready", _MOVED, _REMOVED, "failed", "unknown", "skipped") if counts[word]
    ]


def _outcome(connection: View) -> str:
    """Return the verdict of a connection, or `removed` or `moved` where it was only that."""
    if connection["verdict"] == "ready" and not connection["stages"]:
        return {"remove": _REMOVED, "move": _MOVED}.get(connection.get("action", ""), "ready")
    return str(connection["verdict"])


def display_name(connection: View) -> str:
    """Return the name of a connection; of a renamed one, the old name and the new one."""
    old = connection.get("moved_from", "")
    return clean(f"{old} → {connection['name']}" if old else connection["name"])


def _row(connection: View, paint: Painter) -> list[str]:
    glyph, style = _VERDICTS[connection["verdict"]]
    latency = f"{connection['elapsed_ms']:.1f} ms" if connection["elapsed_ms"] else ""
    return [
        paint(f"{glyph} {_outcome(connection)}", style),
        paint(display_name(connection), BOLD),
        "/".join(filter(None, (connection["environment"], connection["region"]))),
        connection["auth_method"],
        latency.rjust(9) if latency else "",
        paint(connection["class"], style),
    ]


def _stages(connection: View, paint: Painter) -> list[str]:
    return [_INDENT + "  ".join(_stage(stage, connection, paint) for stage in connection["stages"])][
        : len(connection["stages"])
    ]


def _stage(stage: View, connection: View, paint: Painter) -> str:
    verdict = {"ok": "ready", "failed": connection["verdict"], "skipped": "skipped"}[stage["status"]]
    glyph, style = _VERDICTS[verdict]
    elapsed = f" {stage['elapsed_ms']:.1f}ms" if stage["elapsed_ms"] else ""
    return f"{stage['name']} {paint(glyph, style)}{paint(elapsed, DIM)}"


def _remarks(connection: View) -> list[tuple[str, str]]:
    if connection["verdict"] == "ready":
        done = [("note:", connection["message"])] if connection["message"] else []
        return done + [("warning:", warning) for warning in connection["warnings"]]
    return [("why: ", connection["message"]), ("help:", connection["hint"]), ("at:  ", format_place(connection))]


def _facts(connection: View, paint: Painter, width: int, verbosity: int) -> list[str]:
    if verbosity < 1:
        return []
    lines = [_INDENT + paint(clean(connection["base_url"]), DIM)]
    for stage in connection["stages"]:
        facts = {key: value for key, value in stage.items() if key not in {"name", "status", "elapsed_ms"}}
        text = ", ".join(f"{key} {_fact(value)}" for key, value in facts.items())
        lines += paragraph(text, first=f"{_INDENT}{stage['name']}: ", rest=_INDENT * 2, width=width)
    return lines


def _fact(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
