"""Recorded checks in the format `text`: facts of the latest, changes of verdict, latency by hour. Layer 4, no IO."""

from __future__ import annotations

from collections.abc import Iterable

from connform.reporters.table import aligned_rows
from connform.reporters.terminal import BOLD_RED, BOLD_YELLOW, GREEN, Look, Painter, clean, format_count
from connform.reporters.time_ago import time_ago
from connform.reporters.view import View
from connform.reporters.wrapping import fold_rows

STYLES = {"ready": GREEN, "failed": BOLD_RED, "unknown": BOLD_YELLOW}
_BARS = "▁▂▃▄▅▆▇█"
_MOST_BARS = 48
"""The most bars in a line: two days, hour by hour."""


def check_facts(checks: View, look: Look) -> list[tuple[str, str]]:
    """Return names and texts of what is recorded of the checks of a connection, for an aligned list; an empty text for none."""
    latency = checks["latency_ms"]
    return [
        ("latest check", clean(f"{checks['at']} by {checks['by']}")),
        ("verdict", f"{_painted(checks, look.paint)} since {clean(checks['since'])}"),
        ("why", clean(checks["message"])),
        ("help", clean(checks["hint"])),
        ("latency", "" if latency is None else f"{latency:.1f} ms"),
        ("certificate ends", clean(checks["certificate_expires_at"])),
        ("grant ends", clean(checks["grant_ends_at"])),
        ("checks", _counts(checks)),
        ("by hour", latency_by_hour(checks["hours"], look.paint)),
    ]


def render_checks(checks: View, look: Look) -> list[str]:
    """Return what the checks of a connection found: how many, since when, latency by hour, and the changes of verdict."""
    result = f"{_painted(checks, look.paint)} since {time_text(checks['since'], look)}"
    number = format_count(sum(checks["counts"].values()), "check")
    lines = [f"  {number}, the latest {time_text(checks['at'], look)}: {_counts(checks)}; {result}"]
    if bars := latency_by_hour(checks["hours"], look.paint):
        lines.append(f"  by hour: {bars}")
    rows = [[f"  {_painted(one, look.paint)}", time_text(one["at"], look)] for one in checks["changes"]]
    return fold_rows(lines, look.row_width) + (aligned_rows(rows) if rows else [])


def latency_by_hour(hours: list[View], paint: Painter) -> str:
    """Return the medians of the latest hours as a line of bars, with the lowest, the highest and the worst latency; empty without any."""
    latest = hours[-_MOST_BARS:]
    verdicts = ["failed" if one["failed"] else "unknown" if one["unknown"] else "ready" for one in latest]
    medians = [one["median_ms"] for one in latest]
    known = [median for median in medians if median is not None]
    if not known:
        return ""
    worst = max(one["worst_ms"] for one in latest if one["worst_ms"] is not None)
    lowest, highest = f"{min(known):.1f}", f"{max(known):.1f}"
    medians_text = lowest if lowest == highest else f"{lowest} to {highest}"
    figures = f"median {medians_text} ms, worst {worst:.1f} ms"
    return f"{sparkline(zip(medians, verdicts, strict=True), paint)}  {figures}"


def sparkline(latencies: Iterable[tuple[float | None, str]], paint: Painter) -> str:
    """Return one bar for each latency in the style of its verdict: as high as the latency, or a cross where there was none."""
    points = list(latencies)
    highest = max((latency for latency, _ in points if latency is not None), default=0) or 1
    bars = []
    for latency, verdict in points:
        bar = "✗" if latency is None else _BARS[round(latency / highest * (len(_BARS) - 1))]
        bars.append(paint(bar, STYLES[verdict]))
    return "".join(bars)


def time_text(at: str, look: Look) -> str:
    """Return a time as it is; on a terminal how long ago it was, unless the verbosity is 1 or more."""
    return clean(at if look.now is None or look.verbosity > 0 else time_ago(at, look.now))


def _counts(checks: View) -> str:
    return ", ".join(f"{checks['counts'][verdict]} {verdict}" for verdict in STYLES)


def _painted(item: View, paint: Painter) -> str:
    return paint(clean(" ".join(filter(None, (item["verdict"], item["class"])))), STYLES[item["verdict"]])
