"""One checked connection in the format `text`: its row, its stages, its facts. Layer 4, no IO."""

from __future__ import annotations

from typing import Any

from connform.reporters.table import fitted_rows
from connform.reporters.terminal import BOLD, BOLD_RED, BOLD_YELLOW, DIM, GREEN, Look, Painter, clean
from connform.reporters.view import View
from connform.reporters.wrapping import fold, paragraph

VERDICTS = {
    "ready": ("✓", GREEN),
    "failed": ("✗", BOLD_RED),
    "unknown": ("?", BOLD_YELLOW),
    "skipped": ("-", DIM),
}
"""Verdict → its glyph and its style."""
REMOVED = "removed"
MOVED = "moved"
INDENT = "    "
_LEAST_IMPORTANT = (3, 2, 4)
"""Columns of a row, the first to be cut on a narrow terminal first: the method, where, the latency."""
_VERBOSITY_OF_FACTS = 2


def outcome(connection: View) -> str:
    """Return the verdict of a connection, or `removed` or `moved` where it was only that."""
    if connection["verdict"] == "ready" and not connection["stages"]:
        return {"remove": REMOVED, "move": MOVED}.get(connection.get("action", ""), "ready")
    return str(connection["verdict"])


def display_name(connection: View) -> str:
    """Return the name of a connection; of a renamed one, the old name and the new one."""
    return format_name(connection["name"], connection.get("moved_from", ""))


def format_name(name: str, moved_from: str) -> str:
    """Return the name of a connection; of a renamed one, the old name and the new one."""
    return clean(f"{moved_from} → {name}" if moved_from else name)


def listed(connections: list[View], look: Look) -> list[str]:
    """Return a row for each connection; with a verbosity of 1 or more its stages below it, and from 2 on the facts."""
    if not connections:
        return []
    lines: list[str] = []
    rows = fitted_rows([row_of(item, look) for item in connections], look.row_width, _LEAST_IMPORTANT)
    for row, item in zip(rows, connections, strict=True):
        lines.append(row)
        if look.verbosity > 0:
            lines += stages_of(item, look) + facts_of(item, look)
    return lines


def sign(outcome: str, verdict: str, look: Look) -> str:
    """Return an outcome behind the glyph of its verdict."""
    glyph, style = VERDICTS[verdict]
    return look.paint(f"{glyph} {outcome}", style)


def row_of(connection: View, look: Look) -> list[str]:
    """Return the cells of a row: outcome, name, where, method, latency, class."""
    latency = f"{connection['elapsed_ms']:.1f} ms" if connection["elapsed_ms"] else ""
    return [
        sign(outcome(connection), connection["verdict"], look),
        look.paint(display_name(connection), BOLD),
        "/".join(filter(None, (connection["environment"], connection["region"]))),
        connection["auth_method"],
        latency.rjust(9) if latency else "",
        look.paint(connection["class"], VERDICTS[connection["verdict"]][1]),
    ]


def stages_of(connection: View, look: Look) -> list[str]:
    """Return the stages with their results and times."""
    pieces = [_stage(stage, connection, look.paint) for stage in connection["stages"]]
    return fold(pieces, first=INDENT, rest=INDENT, width=look.width, separator="  ")


def _stage(stage: View, connection: View, paint: Painter) -> str:
    verdict = {"ok": "ready", "failed": connection["verdict"], "skipped": "skipped"}[stage["status"]]
    glyph, style = VERDICTS[verdict]
    elapsed = f" {stage['elapsed_ms']:.1f}ms" if stage["elapsed_ms"] else ""
    return f"{stage['name']} {paint(glyph, style)}{paint(elapsed, DIM)}"


def facts_of(connection: View, look: Look) -> list[str]:
    """Return the address and the facts of each stage, with a verbosity of 2 or more."""
    if look.verbosity < _VERBOSITY_OF_FACTS:
        return []
    lines = [INDENT + look.paint(clean(connection["base_url"]), DIM)]
    for stage in connection["stages"]:
        facts = {key: value for key, value in stage.items() if key not in {"name", "status", "elapsed_ms"}}
        text = ", ".join(f"{key} {_fact(value)}" for key, value in facts.items())
        lines += paragraph(text, first=f"{INDENT}{stage['name']}: ", rest=INDENT * 2, width=look.width)
    return lines


def _fact(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
