"""Recorded state in the format `text`: a table of connections, one record, one history. Layer 4, no IO."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from connform.recorded import ListRow, StateRow, list_row
from connform.reporters.table import aligned_rows, fitted_lines
from connform.reporters.terminal import BOLD, DIM, Look, clean, clean_column
from connform.reporters.text_checks import STYLES, check_facts, render_checks, sparkline, time_text
from connform.reporters.view import View
from connform.reporters.wrapping import fold_rows

T = TypeVar("T")

_COLUMNS = ("verdict", "connection", "since", "latency", "certificate ends", "checked", "by")
_LEAST_IMPORTANT = (6, 4, 3, 2, 5, 0)
"""Columns, the first to be cut on a narrow terminal first: who checked it, the certificate, the latency, …; never the name."""


def render_state(view: View, look: Look) -> list[str]:
    """Return a table with one row per connection."""
    found = view.get("briefs") or list(map(_list_row, view["connections"]))
    columns = [
        [look.paint(title.upper(), DIM) if any(cells) else "", *cells]
        for title, cells in zip(_COLUMNS, _cells(found, look) if found else (), strict=bool(found))
    ]
    return fitted_lines(columns, look.row_width, _LEAST_IMPORTANT)


def render_record(view: View, look: Look) -> list[str]:
    """Return everything that is recorded of a connection."""
    lines: list[str] = []
    for item in view["connections"]:
        facts = [("base_url", clean(item["base_url"])), ("auth_method", clean(item["auth_method"]))]
        facts += _record_facts(item["recorded"]) if "recorded" in item else []
        facts += check_facts(item["checks"], look) if "checks" in item else []
        lines.append(look.paint(clean(item["name"]), BOLD))
        lines += fold_rows(aligned_rows([[f"  {key}", value] for key, value in facts if value]), look.row_width)
    return lines


def _record_facts(recorded: View) -> list[tuple[str, str]]:
    """Return names and texts of what `apply` recorded; an empty text for none."""
    latest = recorded["latest"]
    facts = [
        ("manifest", recorded["file"]),
        ("specification", recorded["digest"] or "never applied with success"),
        ("latest attempt", f"{latest['action']} at {latest['at']} by {latest['by']}"),
        ("verdict", " ".join(filter(None, (latest["verdict"], latest["class"])))),
        ("latency", _format_ms(latest["latency_ms"])),
        ("certificate ends", latest["certificate_expires_at"]),
        *((f"secret {one['key']}", _format_secret(one)) for one in latest["secrets"]),
        *((f"stage {one['name']}", f"{one['status']} {_format_ms(one['elapsed_ms'])}") for one in latest["stages"]),
    ]
    return [(clean(name), clean(str(value))) for name, value in facts]


def render_history(view: View, look: Look) -> list[str]:
    """Return every attempt of a connection, with its latency as a line of bars; below, what its checks found."""
    lines: list[str] = []
    for item in view["connections"]:
        attempts = item.get("history", [])
        rows: list[ListRow] = [(*_state_row(attempt["action"], attempt), "") for attempt in attempts]
        bars = sparkline([(attempt["latency_ms"], attempt["verdict"]) for attempt in attempts], look.paint)
        lines.append(f"{look.paint(clean(item['name']), BOLD)}  {bars}".rstrip())
        lines += fitted_lines(_cells(rows, look), look.row_width, _LEAST_IMPORTANT) if rows else []
        lines += render_checks(item["checks"], look) if "checks" in item else []
    return lines


def _list_row(item: View) -> ListRow:
    attempt = _state_row(item["name"], item["recorded"]["latest"]) if "recorded" in item else None
    check = _state_row(item["name"], item["checks"]) if "checks" in item else None
    return list_row(attempt, check, item["checks"]["since"] if check else "")


def _state_row(name: str, result: View) -> StateRow:
    """Return the row of an attempt or a check."""
    keys = ("verdict", "class", "latency_ms", "certificate_expires_at", "at", "by")
    return (name, *(result[key] for key in keys))


def _cells(rows: Sequence[ListRow], look: Look) -> list[Sequence[str]]:
    """Return the columns of a table of attempts and checks."""
    names, verdicts, faults, latencies, ends, times, actors, since = zip(*rows, strict=True)
    return [
        _texts(list(zip(verdicts, faults, strict=True)), lambda outcome: _outcome(*outcome, look)),
        clean_column(names),
        _texts(since, lambda at: _time(at, look)),
        _texts(latencies, _format_ms),
        _texts(ends, lambda at: clean(at[:10])),
        _texts(times, lambda at: _time(at, look)),
        _texts(actors, clean),
    ]


def _texts(values: Sequence[T], text: Callable[[T], str]) -> list[str]:
    """Return the cells of a column, which are texts of values; thousands of rows share most of these."""
    texts = {value: text(value) for value in {*values}}
    return [texts[value] for value in values]


def _outcome(verdict: str, fault: str, look: Look) -> str:
    return look.paint(f"{verdict} {fault}".rstrip(), STYLES[verdict])


def _time(at: str, look: Look) -> str:
    return time_text(at, look) if at else ""


def _format_secret(one: View) -> str:
    return f"{one['reference']} (version {one['version']})" if one["version"] else str(one["reference"])


def _format_ms(latency: float | None) -> str:
    return "" if latency is None else f"{latency:.1f} ms"
