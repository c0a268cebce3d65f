"""The format `sarif`: SARIF 2.1.0 (OASIS), for code scanning. Layer 4. IO: reads what `explain` says of a code."""

from __future__ import annotations

from json import dumps
from typing import Any, Final
from urllib.parse import quote

from connform import __version__
from connform.engine.explain import explain
from connform.reporters.findings import ReportFinding, findings
from connform.reporters.markdown import escape
from connform.reporters.view import View

syntax: Final = "json"
uses_repository_paths: Final = True

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_ROOT = "%SRCROOT%"
"""The name that GitHub gives to the root of the repository."""


def render(view: View, *, color: bool, width: int, verbosity: int) -> str:  # noqa: ARG001  (for machines)
    """Return a log with one run. Paths below the repository are relative to it, others are absolute.

    It has no `automationDetails`: their id would win over the category that an upload gives to the log, so that the
    logs of several roots would replace each other.
    """
    found = findings(view)
    first = {one.code: one for one in reversed(found)}
    order = {code: index for index, code in enumerate(sorted(first))}
    run = {
        "tool": {
            "driver": {
                "name": "connform",
                "version": __version__,
                "semanticVersion": __version__,
                "rules": [_rule(first[code]) for code in order],
            }
        },
        "invocations": [{"executionSuccessful": True, "exitCode": view["exit_code"]}],
        "columnKind": "unicodeCodePoints",
        "results": [_result(one, order[one.code]) for one in found],
    }
    return dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _rule(one: ReportFinding) -> dict[str, Any]:
    try:
        page = explain(one.code)
    except KeyError:  # the code of a policy: its message is the only text
        meaning = advice = one.summary
        markup = escape(advice)
    else:
        examples = ((title, text) for title, text in (("Bad", page.bad), ("Good", page.good)) if text)
        meaning = page.meaning
        advice = markup = "\n\n".join(
            (
                *filter(None, (meaning, page.reason, page.remedy)),
                *(f"**{title}**\n\n{text}" for title, text in examples),
            )
        )
    return {
        "id": one.code,
        "shortDescription": {"text": one.summary},
        "fullDescription": {"text": meaning},
        "help": {"text": advice, "markdown": markup},
        "defaultConfiguration": {"level": one.severity},
    }


def _result(one: ReportFinding, rule_index: int) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": one.code,
        "ruleIndex": rule_index,
        "level": one.severity,
        "message": {"text": _without_links(one.text)},
        "partialFingerprints": {"connform/v1": one.fingerprint},
    }
    if one.number > 1:
        result["occurrenceCount"] = one.number
    location: dict[str, Any] = {}
    if one.place["file"]:
        location["physicalLocation"] = _physical_location(one.place)
    if one.connection:
        location["logicalLocations"] = [{"name": one.connection, "kind": "object"}]
    if location:
        result["locations"] = [location]
    related = [
        {
            "id": number,
            "message": {"text": _without_links(place["message"])},
            "physicalLocation": _physical_location(place),
        }
        for number, place in enumerate(one.related, 1)
    ]
    if related:
        result["relatedLocations"] = related
    if one.fix and one.has_file:
        edits = [{"deletedRegion": _region(edit), "insertedContent": {"text": edit["text"]}} for edit in one.fix]
        result["fixes"] = [
            {"artifactChanges": [{"artifactLocation": _artifact(one.place["file"]), "replacements": edits}]}
        ]
    return result


def _without_links(text: str) -> str:
    """Return text that holds no link: in a message, `[text](target)` is one (SARIF 2.1.0 §3.11.6)."""
    return text.replace("](", "] (")


def _physical_location(place: View) -> dict[str, Any]:
    return {"artifactLocation": _artifact(place["file"]), "region": _region(place)}


def _artifact(file: str) -> dict[str, str]:
    uri = quote(file, errors="surrogateescape")
    return {"uri": f"file://{uri}"} if file.startswith("/") else {"uri": uri, "uriBaseId": _ROOT}


def _region(place: View) -> dict[str, int]:
    return {
        "startLine": place["line"],
        "startColumn": place["column"],
        "endLine": place["end_line"],
        "endColumn": place["end_column"],
    }
