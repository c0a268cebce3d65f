"""Turns the text of policy files into policies, and into diagnostics of whatever can't be applied.

Layer 2, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from connform.diagnostics import CODES, Diagnostic, Severity, Span
from connform.manifest.explain import explain
from connform.manifest.nodes import Map, YamlError, locate, parse
from connform.manifest.places import diagnose_file, diagnose_yaml, pointer, pointer_of
from connform.policies.expand import UnusableSchemaError, expand
from connform.policies.keywords import policy_schema

if TYPE_CHECKING:
    from collections.abc import Iterable

    from connform.manifest.files import Source
    from connform.manifest.shape import Schema


class Policy(NamedTuple):
    """One demand on effective connections."""

    code: str
    """The code of its diagnostics, unique over a run."""
    message: str
    """What it demands: the summary of its diagnostics, one line."""
    severity: Severity
    """How grave a breach is."""
    schema: Schema
    """What a connection must satisfy, `expand`ed."""
    span: Span
    """The place of its code."""
    bases: frozenset[str] = frozenset()
    """The folders whose connections it judges; empty: all."""


def read_policies(sources: Iterable[Source]) -> tuple[list[Policy], list[Diagnostic]]:
    """Return the policies of policy files, and what is wrong with the files; a file that isn't understood gives none."""
    policies: dict[str, Policy] = {}
    found: list[Diagnostic] = []
    for source in sources:
        root, wrong = _read(source)
        codes: Any = [] if root is None or wrong else root["policies"]
        for policy in [_policy(root, code, wrong) for code in codes]:
            first = policies.setdefault(policy.code, policy)
            if first is not policy:
                detail = f"a policy's code stands once over all files of a run; {first.span} has it already"
                at = pointer("policies", policy.code)
                wrong.append(diagnose_file("duplicate-name", detail, policy.span, at=at, first=first.span))
        found += wrong
    return list(policies.values()), found


def _read(source: Source) -> tuple[Map | None, list[Diagnostic]]:
    start = Span(source.name, 1, 1, 1, 2)
    try:
        root, duplicates = parse(source.data, source.name)
    except YamlError as error:
        return None, [diagnose_yaml(error)]
    if root is None:
        return None, [diagnose_file("invalid-policy", "write at least `version: 1` and `policies:`", start)]
    wrong = [diagnose_yaml(duplicate) for duplicate in duplicates]
    for finding in explain(policy_schema(), root, {}):
        span = locate(root, finding.path, start, at_key=finding.at_key)
        wrong.append(diagnose_file(finding.code, finding.detail, span, finding.hint, pointer_of(finding)))
    return root, wrong


def _policy(root: Any, code: str, wrong: list[Diagnostic]) -> Policy:
    """Return a policy; what can't be applied of it is added to `wrong`, and its schema then refuses nothing."""
    node, span = root["policies"][code], root["policies"].key_span(code)
    schema: Schema = {}
    if code in CODES:
        detail = f"`{code}` is a code of connform's own: choose another"
        wrong.append(diagnose_file("invalid-policy", detail, span, at=pointer("policies", code)))
    try:
        schema = expand(node["schema"])
    except UnusableSchemaError as error:
        path = ("policies", code, "schema", *error.path)
        place = locate(root, path, span)
        wrong.append(diagnose_file("invalid-policy", error.detail, place, error.hint, pointer(*path)))
    message = " ".join(node["message"].split())
    return Policy(code, message, Severity(node.get("severity", "error")), schema, span)
