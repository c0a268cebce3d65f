"""Rules for the rows of `answers`: known classes, proof of ready, and a row for everything that stands there.

Layer 2, no IO.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from connform.faults import FAULTS
from connform.manifest.rules import Finding, KeyPath
from connform.manifest.similar import did_you_mean, spelling_variant
from connform.providers.body_schema import schema_findings
from connform.providers.described.rules.patterns import Patterns

READY = "ready"
_CLASSES = (READY, *FAULTS)
_PROOFS = ("body", "empty", "text")
_CONDITIONS = ("code", "header", "own_root", *_PROOFS)
_ANY_CODE = frozenset({".+", ".*"})
_SUCCESSES = range(200, 300)


def answer_findings(node: Mapping[str, Any], patterns: Patterns) -> Iterator[Finding]:
    """Yield what is wrong with the rows of answers, the error code and the classes of examples."""
    rows: list[Mapping[str, Any]] = node["answers"]
    if "error_code" in node and (problem := patterns.problem(node["error_code"]["pattern"])):
        yield Finding("malformed-value", ("error_code", "pattern"), problem)
    for index, row in enumerate(rows):
        path: KeyPath = ("answers", index)
        yield from class_findings((*path, "means"), row["means"])
        yield from _code_findings((*path, "code"), row.get("code", ""), node, patterns)
        yield from body_findings((*path, "body"), row.get("body", {}), patterns)
        if row["means"] == READY:
            yield from _ready_findings(path, row)
    yield from _unreachable_rows(rows)
    if not any(
        row["means"] == READY or row["means"] not in _CLASSES for row in rows
    ):  # a misspelt class may be `ready`
        detail = "`answers` needs a row with `means: ready`: without one, no connection ever is"
        yield Finding("missing-key", ("answers",), detail)
    for index, example in enumerate(node.get("examples", ())):
        yield from class_findings(("examples", index, "means"), example["means"])


def class_findings(path: KeyPath, means: str) -> Iterator[Finding]:
    """Yield a finding if a class doesn't exist."""
    if means not in _CLASSES:
        detail = "neither `ready` nor a class of failure; `connform explain` lists the classes"
        hint = did_you_mean(means, _CLASSES) or _alike(means)
        yield Finding("unknown-value", path, detail, hint, fix=spelling_variant(means, _CLASSES))


def _alike(means: str) -> str:
    """Return a hint that names the class with the most words of a name, if it has at least two of them."""
    words = set(means.split("_"))
    name = max(_CLASSES, key=lambda one: len(words.intersection(one.split("_"))))
    return f"did you mean `{name}`?" if len(words.intersection(name.split("_"))) > 1 else ""


def _code_findings(path: KeyPath, code: str, node: Mapping[str, Any], patterns: Patterns) -> Iterator[Finding]:
    if code and "error_code" not in node:
        detail = '`error_code` says where the code stands: `error_code: {at: /error, pattern: "[a-z_]+"}`'
        yield Finding("missing-key", path, detail, at_key=True)
    if code and (problem := patterns.problem(code)):
        yield Finding("malformed-value", path, problem)


def body_findings(path: KeyPath, schema: Mapping[str, Any], patterns: Patterns) -> Iterator[Finding]:
    """Yield what is wrong with the schema of a body: its patterns within the limit of the run, its depth."""
    for where, pattern in _patterns_in(schema, path):
        if problem := patterns.problem(pattern):
            yield Finding("malformed-value", where, problem)
            return
    yield from schema_findings(schema, path)


def _patterns_in(schema: Mapping[str, Any], path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    if "pattern" in schema:
        yield (*path, "pattern"), schema["pattern"]
    for key, part in schema.get("properties", {}).items():
        yield from _patterns_in(part, (*path, "properties", key))
    if "items" in schema:
        yield from _patterns_in(schema["items"], (*path, "items"))


def _ready_findings(path: KeyPath, row: Mapping[str, Any]) -> Iterator[Finding]:
    for index, status in enumerate(row["status"]):
        if status not in _SUCCESSES:
            detail = "only a success, 200 to 299, shows that a connection is ready"
            yield Finding("unproven-ready", (*path, "status", index), detail)
            return
    given = [key for key in _PROOFS if key in row]
    if len(given) != 1:
        detail = "a row that means ready needs one of `body`, `empty` and `text`: a status alone, any server answers"
        if given:
            detail = f"a body is either {' or '.join(f'`{key}`' for key in given)}: keep one of them"
        yield Finding("unproven-ready", (*path, "means"), detail)
    elif "body" in row and _is_any_object(row["body"]):
        detail = (
            "the schema accepts `{}`, which any server may answer: name in `required` what only this API's answer has"
        )
        yield Finding("unproven-ready", (*path, "body"), detail)


def _is_any_object(schema: Mapping[str, Any]) -> bool:
    """Whether a schema accepts an object without keys."""
    types = schema.get("type", "object")
    return (
        (types == "object" or (isinstance(types, list) and "object" in types))
        and not schema.get("required")
        and schema.get("const", {}) == {}
        and {} in schema.get("enum", [{}])
    )


def _unreachable_rows(rows: list[Mapping[str, Any]]) -> Iterator[Finding]:
    for index, row in enumerate(rows):
        left, before = set(row["status"]), []
        for number, earlier in enumerate(rows[:index]):
            if left.intersection(earlier["status"]) and _is_wider(earlier, row):
                left -= set(earlier["status"])
                before.append(number)
        if not left:
            listed = " and ".join(f"row {number + 1}" for number in before)
            verb = "judges" if len(before) == 1 else "judge"
            detail = f"row {index + 1} is never reached: every answer that it fits, {listed} {verb} before; put it first, or remove it"
            related = tuple(("answers", number, "status") for number in before)
            yield Finding("unreachable-row", ("answers", index, "status"), detail, at_key=True, related=related)


def _is_wider(earlier: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    """Whether each condition of the earlier row but its statuses is one of the row too."""
    return all(
        key in row and (earlier[key] == row[key] or (key == "code" and earlier[key] in _ANY_CODE))
        for key in _CONDITIONS
        if key in earlier
    )
