"""Recorded state in the format `text`: a table of connections, one record, one history. Layer 4, no IO."""

from __future__ import annotations

from collections.abc import Sequence

from connform.recorded import StateRow
from connform.reporters.table import aligned_rows, fitted_lines
from connform.reporters.terminal import BOLD, BOLD_RED, BOLD_YELLOW, DIM, GREEN, Look, Painter, clean, clean_column
from connform.reporters.time_ago import time_ago
from connform.reporters.view import View
from connform.reporters.wrapping import fold_rows

_STYLES = {"ready": GREEN, "failed": BOLD_RED, "unknown": BOLD_YELLOW}
_BARS = "▁▂▃▄▅▆▇█"
_COLUMNS = ("verdict", "connection", "latency", "certificate ends", "tried", "by")
_LEAST_IMPORTANT = (5, 3, 2, 4, 0)
"""Columns, the first to be cut on a narrow terminal first: who tried it, the certificate, the latency, …; never the name."""


def render_state(view: View, look: Look) -> list[str]:
    """Return a table with one row per connection."""
    found = view.get("briefs") or [
        _record_summary(item["name"], item["recorded"]["latest"]) for item in view["connections"]
    ]
    columns = [
        [look.paint(title.upper(), DIM) if any(cells) else "", *cells]
        for title, cells in zip(_COLUMNS, _cells(found, look) if found else (), strict=bool(found))
    ]
    return fitted_lines(columns, look.row_width, _LEAST_IMPORTANT)


def render_record(view: View, look: Look) -> list[str]:
    """Return everything that is recorded of a connection."""
    lines: list[str] = []
    for item in view["connections"]:
        recorded = item["recorded"]
        latest = recorded["latest"]
        facts = [
            ("manifest", recorded["file"]),
            ("base_url", item["base_url"]),
            ("auth_method", item["auth_method"]),
            ("specification", recorded["digest"] or "never applied with success"),
            ("latest attempt", f"{latest['action']} at {latest['at']} by {latest['by']}"),
            ("verdict", " ".join(filter(None, (latest["verdict"], latest["class"])))),
            ("latency", _format_ms(latest["latency_ms"])),
            ("certificate ends", latest["certificate_expires_at"]),
            *((f"secret {one['key']}", _format_secret(one)) for one in latest["secrets"]),
            *((f"stage {one['name']}", f"{one['status']} {_format_ms(one['elapsed_ms'])}") for one in latest["stages"]),
        ]
        lines.append(look.paint(clean(item["name"]), BOLD))
        rows = aligned_rows([[f"  {clean(key)}", clean(str(value))] for key, value in facts if value])
        lines += fold_rows(rows, look.row_width)
    return lines


def render_history(view: View, look: Look) -> list[str]:
    """Return every attempt of a connection, with its latency as a line of bars."""
    lines: list[str] = []
    for item in view["connections"]:
        attempts = item["history"]
        rows = [_record_summary(attempt["action"], attempt) for attempt in attempts]
        lines.append(f"{look.paint(clean(item['name']), BOLD)}  {_sparkline(attempts, look.paint)}")
        lines += fitted_lines(_cells(rows, look), look.row_width, _LEAST_IMPORTANT) if rows else []
    return lines


def _record_summary(name: str, attempt: View) -> StateRow:
    keys = ("verdict", "class", "latency_ms", "certificate_expires_at", "at", "by")
    return (name, *(attempt[key] for key in keys))


def _cells(briefs: Sequence[StateRow], look: Look) -> list[Sequence[str]]:
    """Return the columns of a table of attempts."""
    names, verdicts, faults, latencies, ends, times, actors = zip(*briefs, strict=True)
    outcomes = list(zip(verdicts, faults, strict=True))
    painted = {
        (verdict, fault): look.paint(f"{verdict} {fault}".rstrip(), _STYLES[verdict])
        for verdict, fault in set(outcomes)
    }
    return [
        [painted[outcome] for outcome in outcomes],
        clean_column(names),
        list(map(_format_ms, latencies)),
        clean_column([ends_at[:10] for ends_at in ends]),
        clean_column(times if look.now is None or look.verbosity > 0 else [time_ago(at, look.now) for at in times]),
        clean_column(actors),
    ]


def _sparkline(attempts: Sequence[View], paint: Painter) -> str:
    """Return one bar for each attempt: as high as its latency, or a cross where there was none."""
    known = [attempt["latency_ms"] for attempt in attempts if attempt["latency_ms"] is not None]
    highest = max(known, default=0) or 1
    bars = []
    for attempt in attempts:
        latency = attempt["latency_ms"]
        bar = "✗" if latency is None else _BARS[round(latency / highest * (len(_BARS) - 1))]
        bars.append(paint(bar, _STYLES[attempt["verdict"]]))
    return "".join(bars)


def _format_secret(one: View) -> str:
    return f"{one['reference']} (version {one['version']})" if one["version"] else str(one["reference"])


def _format_ms(latency: float | None) -> str:
    return "" if latency is None else f"{latency:.1f} ms"
