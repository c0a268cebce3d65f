"""Recorded state in the format `text`: a table of connections, one record, one history. Layer 4, no IO."""

from __future__ import annotations

from collections.abc import Sequence

from connform.recorded import StateRow
from connform.reporters.terminal import (
    BOLD,
    BOLD_RED,
    BOLD_YELLOW,
    DIM,
    GREEN,
    Painter,
    aligned_lines,
    aligned_rows,
    clean,
    clean_column,
)
from connform.reporters.view import View

_STYLES = {"ready": GREEN, "failed": BOLD_RED, "unknown": BOLD_YELLOW}
_BARS = "▁▂▃▄▅▆▇█"
_COLUMNS = ("verdict", "connection", "latency", "certificate ends", "tried", "by")


def render_state(view: View, paint: Painter, *, width: int, verbosity: int) -> list[str]:  # noqa: ARG001  (every body of a report takes these)
    """Return a table with one row per connection."""
    found = view.get("briefs") or [
        _record_summary(item["name"], item["recorded"]["latest"]) for item in view["connections"]
    ]
    header = [paint(column.upper(), DIM) for column in _COLUMNS]
    return (
        aligned_lines((title, *cells) for title, cells in zip(header, _cells(found, paint), strict=True))
        if found
        else []
    )


def render_record(view: View, paint: Painter, *, width: int, verbosity: int) -> list[str]:  # noqa: ARG001  (every body of a report takes these)
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
        lines.append(paint(clean(item["name"]), BOLD))
        lines += aligned_rows([[f"  {clean(key)}", clean(str(value))] for key, value in facts if value])
    return lines


def render_history(view: View, paint: Painter, *, width: int, verbosity: int) -> list[str]:  # noqa: ARG001  (every body of a report takes these)
    """Return every attempt of a connection, with its latency as a line of bars."""
    lines: list[str] = []
    for item in view["connections"]:
        attempts = item["history"]
        lines.append(f"{paint(clean(item['name']), BOLD)}  {_sparkline(attempts, paint)}")
        lines += (
            aligned_lines(_cells([_record_summary(attempt["action"], attempt) for attempt in attempts], paint))
            if attempts
            else []
        )
    return lines


def _record_summary(name: str, attempt: View) -> StateRow:
    keys = ("verdict", "class", "latency_ms", "certificate_expires_at", "at", "by")
    return (name, *(attempt[key] for key in keys))


def _cells(briefs: Sequence[StateRow], paint: Painter) -> list[Sequence[str]]:
    """Return the columns of a table of attempts."""
    names, verdicts, faults, latencies, ends, times, actors = zip(*briefs, strict=True)
    outcomes = list(zip(verdicts, faults, strict=True))
    painted = {
        (verdict, fault): paint(f"{verdict} {fault}".rstrip(), _STYLES[verdict]) for verdict, fault in set(outcomes)
    }
    return [
        [painted[outcome] for outcome in outcomes],
        clean_column(names),
        list(map(_format_ms, latencies)),
        clean_column([ends_at[:10] for ends_at in ends]),
        clean_column(times),
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
