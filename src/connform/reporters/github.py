"""The format `github`: workflow commands that annotate the lines of a pull request. Layer 4, no IO.

GitHub shows ten errors and ten warnings of a step, and drops the rest silently.
"""

from __future__ import annotations

from typing import Final

from connform.reporters.findings import ReportFinding, findings, grouped, mistake_count
from connform.reporters.terminal import clean, format_count
from connform.reporters.text_plan import changed_connections, describe_change
from connform.reporters.view import View

syntax: Final = "commands"
uses_repository_paths: Final = True

SHOWN = 10
"""Annotations that GitHub shows of each severity and step."""
_DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY = _DATA | str.maketrans({":": "%3A", ",": "%2C"})


def render(view: View, *, color: bool, width: int, verbosity: int) -> str:  # noqa: ARG001  (for GitHub)
    """Return one command for each finding that GitHub will show, and a notice about the rest."""
    is_plan = view["command"] == "plan"
    refusals = view.get("plan", {}).get("refusals", ()) if is_plan else ()
    lines = [f"::warning title=connform plan::needs --force: {_escape_data(one)}" for one in refusals[:SHOWN]]
    omitted = [f"{len(refusals) - SHOWN} more reasons for --force"] * (len(refusals) > SHOWN)
    limits = {"warning": SHOWN - len(lines)}
    for severity, found in sorted(grouped(findings(view), lambda one: one.severity).items()):  # errors first
        shown = limits.get(severity, SHOWN)
        lines += [_command(one) for one in found[:shown]]
        if len(found) > shown:
            omitted.append(format_count(mistake_count(found[shown:]), f"more {severity}"))
    if is_plan:
        changes = changed_connections(view)
        lines += [_notice(item) for item in changes[:SHOWN]]
        omitted += [f"{len(changes) - SHOWN} more changes"] * (len(changes) > SHOWN)
    if omitted:
        lines.append(f"::notice title=connform::{' and '.join(omitted)}: see the summary of the job, or --format text")
    return "".join(f"{line}\n" for line in lines)


def _notice(item: View) -> str:
    properties = {"title": f"connform plan: {item['action']}"}
    if item["file"] not in {"", "<stdin>"}:
        properties |= {"file": item["file"], "line": item["line"]}
    listed = ",".join(f"{key}={clean(str(value)).translate(_PROPERTY)}" for key, value in properties.items())
    return f"::notice {listed}::{clean(item['name'])}: {_escape_data(describe_change(item))}"


def _escape_data(text: str) -> str:
    return clean(text).translate(_DATA)


def _command(one: ReportFinding) -> str:
    properties = {"title": f"connform: {one.code}"}
    if one.has_file:
        place = one.place
        properties |= {"file": place["file"], "line": place["line"], "endLine": place["end_line"]}
        if place["line"] == place["end_line"]:  # GitHub takes columns of a single line only
            properties |= {"col": place["column"], "endColumn": place["end_column"]}
    listed = ",".join(f"{key}={clean(str(value)).translate(_PROPERTY)}" for key, value in properties.items())
    text = "\n".join(clean(line) for line in one.text_with_related.splitlines())
    return f"::{one.severity} {listed}::{text.translate(_DATA)}"
