"""The format `junit`: JUnit XML with a test case for each checked connection, else for each manifest. Layer 4, no IO."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from connform.reporters.findings import ReportFinding, findings, grouped, mistake_count
from connform.reporters.terminal import clean, format_count, format_place
from connform.reporters.view import View

syntax: Final = "xml"
uses_repository_paths: Final = True

_OUTCOMES = {"failed": "failure", "unknown": "error", "skipped": "skipped"}
"""Verdict → element. What could not be verified is an error of the run, not a failure of the connection."""


def render(view: View, *, color: bool, width: int, verbosity: int) -> str:  # noqa: ARG001  (for machines)
    """Return one suite; a case with errors says what is wrong, and where."""
    suite = Element("testsuite", name=f"connform {view['command']}")
    found = findings(view)
    checked = {one["name"]: one for one in view["connections"] if one["verdict"]}
    of_connections = grouped(found, lambda one: one.connection)
    for name, one in checked.items():
        _add_connection(suite, one, of_connections.get(name, []))
    of_files = grouped((one for one in found if one.connection not in checked), lambda one: one.place["file"])
    if of_files or not checked:
        for file in dict.fromkeys((*view["files"], *of_files)):
            _add_file(suite, view["command"], file, of_files.get(file, []))
    if "interrupted" in view:  # else a run that found nothing wrong so far would look as if it had ended well
        case = SubElement(suite, "testcase", name=f"connform {view['command']}", classname="connform", time=_seconds(0))
        _add_outcome(case, "error", "interrupted", "the run was interrupted", [])
    for one in view.get("unrecorded", ()):
        case = SubElement(suite, "testcase", name="state", classname="connform", time=_seconds(0))
        _add_outcome(case, "error", one["class"], clean(f"results were not recorded: {one['message']}"), [])
    root = Element("testsuites", name="connform")
    root.append(suite)
    for element in (root, suite):
        element.set("tests", str(len(suite)))
        for kind in ("failure", "error"):
            element.set(f"{kind}s", str(len(suite.findall(f"testcase/{kind}"))))
        element.set("time", _seconds(view["elapsed_ms"]))
    suite.set("skipped", str(len(suite.findall("testcase/skipped"))))
    indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _add_connection(suite: Element, one: View, found: Sequence[ReportFinding]) -> None:
    case = SubElement(suite, "testcase", name=clean(one["name"]), classname=f"connform.{clean(one['provider'])}")
    case.set("time", _seconds(one["elapsed_ms"]))
    if one["file"]:
        case.set("file", clean(one["file"]))
    if outcome := _OUTCOMES.get(one["verdict"]):
        _add_outcome(
            case, outcome, one["class"], clean(one["message"]), [each for each in found if each.severity == "error"]
        )
    _add_warnings(case, found)


def _add_file(suite: Element, command: str, file: str, found: Sequence[ReportFinding]) -> None:
    name = clean(file) or command
    case = SubElement(suite, "testcase", name=name, classname="connform.manifest", file=name, time=_seconds(0))
    errors = [one for one in found if one.severity == "error"]
    if errors:
        _add_outcome(case, "failure", errors[0].code, format_count(mistake_count(errors), "error"), errors)
    _add_warnings(case, found)


def _add_outcome(case: Element, outcome: str, kind: str, message: str, found: Sequence[ReportFinding]) -> None:
    element = SubElement(case, outcome, message=message)
    if outcome != "skipped":
        element.set("type", clean(kind))
        element.text = "\n".join(map(_line, found))


def _add_warnings(case: Element, found: Sequence[ReportFinding]) -> None:
    if warnings := [one for one in found if one.severity == "warning"]:
        SubElement(case, "system-out").text = "\n".join(map(_line, warnings))


def _line(one: ReportFinding) -> str:
    place = format_place(one.place)
    return f"{place}{': ' if place else ''}{one.severity}[{one.code}]: {clean(' '.join(one.text_with_related.split()))}"


def _seconds(elapsed_ms: float) -> str:
    return f"{elapsed_ms / 1000:.3f}"
