"""Policies from the text of policy files, and diagnostics of whatever can't be applied.

Layer 2, no IO.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any, NamedTuple

from connform.diagnostics import CODES, Diagnostic, Severity, Span
from connform.manifest.diagnose import diagnose_file, diagnose_yaml, pointer, pointer_of
from connform.manifest.explain import explain
from connform.manifest.files import Source
from connform.manifest.nodes import Map, locate
from connform.manifest.parser import parse
from connform.manifest.pattern import Meter
from connform.manifest.shape import Schema
from connform.manifest.tally import Tally
from connform.manifest.violations import Finder, compile_finder
from connform.manifest.yaml_errors import YamlError
from connform.policies.expand import UnusableSchemaError, expand
from connform.policies.keywords import policy_schema


class Policy(NamedTuple):
    """One policy: a JSON Schema that effective connections must satisfy."""

    code: str
    """The code of its diagnostics, unique over a run."""
    message: str
    """What it requires: the summary of its diagnostics, one line."""
    severity: Severity
    """The severity of its diagnostics."""
    schema: Schema
    """The schema that a connection must satisfy, as `expand` returned it."""
    span: Span
    """The span of its code."""
    bases: frozenset[str] = frozenset()
    """The folders whose connections it applies to; empty for all."""


def read_policies(sources: Iterable[Source]) -> tuple[list[Policy], list[Diagnostic]]:
    """Return the policies of policy files, and what is wrong with the files; a refused file has no policies."""
    policies: dict[str, Policy] = {}
    tally, meter = Tally(), Meter()
    for source in sources:
        root: Any = _read(source, tally)
        for policy in [_policy(root, code, tally, meter) for code in ([] if root is None else root["policies"])]:
            first = policies.setdefault(policy.code, policy)
            if first is not policy:
                detail = f"a policy's code stands once over all files of a run; {first.span} has it already"
                at = pointer("policies", policy.code)
                tally.note(diagnose_file("duplicate-name", detail, policy.span, json_pointer=at, first=first.span))
    return list(policies.values()), tally.diagnostics()


def _read(source: Source, tally: Tally) -> Map | None:
    """Return the content of a policy file; `None` if it has mistakes, which are added to the tally."""
    start = Span(source.name, 1, 1, 1, 2)
    try:
        root, duplicates = parse(source.data, source.name)
    except YamlError as error:
        tally.note(diagnose_yaml(error))
        return None
    if root is None:
        tally.note(diagnose_file("invalid-policy", "write at least `version: 1` and `policies:`", start))
        return None
    for duplicate in duplicates:
        tally.note(diagnose_yaml(duplicate))
    is_wrong = bool(duplicates)
    for finding in explain(_finder(), root, {}, tally.room(source.name)):
        is_wrong = True
        span = locate(root, finding.path, start, at_key=finding.at_key)
        if tally.admits(finding.code, CODES[finding.code][0], span, finding.which):
            tally.add(diagnose_file(finding.code, finding.detail, span, finding.hint, pointer_of(finding)))
    return None if is_wrong else root


@cache
def _finder() -> Finder:
    return compile_finder(policy_schema())


def _policy(root: Any, code: str, tally: Tally, meter: Meter) -> Policy:
    """Return a policy; if its schema can't be used, that is added to the tally, and the policy refuses nothing."""
    node, span = root["policies"][code], root["policies"].key_span(code)
    schema: Schema = {}
    if code in CODES:
        detail = f"`{code}` is a code of connform's own: choose another"
        tally.note(diagnose_file("invalid-policy", detail, span, json_pointer=pointer("policies", code)))
    try:
        schema = expand(node["schema"], meter)
    except UnusableSchemaError as error:
        path = ("policies", code, "schema", *error.path)
        place = locate(root, path, span)
        tally.note(diagnose_file("invalid-policy", error.detail, place, error.hint, pointer(*path)))
    return Policy(code, " ".join(node["message"].split()), Severity(node.get("severity", "error")), schema, span)
