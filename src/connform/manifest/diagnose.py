"""Diagnostics made from findings: paths become source positions, through templates and defaults.

Layer 1, no IO.
"""

from __future__ import annotations

from collections.abc import Iterator

from connform.diagnostics import CODES, MASK, Diagnostic, Edit, Related, Span
from connform.manifest.document import Entry
from connform.manifest.harmless import shown_name, shown_origin
from connform.manifest.nodes import Map, locate
from connform.manifest.rules import Finding, KeyPath
from connform.manifest.yaml_errors import YamlError


def pointer(*path: str | int) -> str:
    """Return the JSON pointer of a path (RFC 6901); a key that may be a pasted secret is masked."""
    return "".join("/" + shown_name(str(part)).replace("~", "~0").replace("/", "~1") for part in path)


def pointer_of(finding: Finding, *above: str) -> str:
    """Return the JSON pointer of a finding; `above` is the path of the object in which the finding was made."""
    path = (*finding.path[:-1], MASK) if finding.is_key_hidden else finding.path
    return pointer(*above, *path)


def diagnose(finding: Finding, entry: Entry, root: Map) -> Diagnostic:
    """Return the diagnostic of a finding in an entry; `root` is the mapping that the finding's path refers to."""
    severity, summary = CODES[finding.code]
    span = locate(root, finding.path, entry.span, at_key=finding.at_key)
    above = (entry.kind,) if entry.kind == "defaults" else (entry.kind, entry.name)
    return Diagnostic(
        severity,
        finding.code,
        summary,
        finding.detail,
        span,
        finding.hint,
        pointer_of(finding, *above),
        shown_name(entry.name) if entry.kind == "connections" else "",
        tuple(_related(finding, entry, root)),
        fix=_fix(span, finding.fix),
    )


def _related(finding: Finding, entry: Entry, root: Map) -> Iterator[Related]:
    origin = entry.origin(finding.path)
    if origin not in ("", "connection"):
        yield Related(f"inherited from {shown_origin(origin)} by connection {shown_name(entry.name)}", entry.span)
    for other in finding.related:
        if isinstance(other, Related):
            yield other
        else:
            yield Related(_describe_position(other, entry), locate(root, other, entry.span, at_key=True))


def _describe_position(path: KeyPath, entry: Entry) -> str:
    origin = entry.origin(path)
    whose = f", in {shown_origin(origin)}" if origin not in ("", "connection") else ""
    return f"`{path[-1]}` stands here{whose}" if isinstance(path[-1], str) else f"first stands here{whose}"


def _fix(span: Span, text: str) -> tuple[Edit, ...]:
    return (Edit(span, text),) if text and span.line == span.end_line else ()


def diagnose_file(
    code: str,
    detail: str,
    span: Span,
    hint: str = "",
    json_pointer: str = "",
    first: Span | None = None,
    related: tuple[Related, ...] = (),
    fix: str = "",
) -> Diagnostic:
    """Return the diagnostic of a mistake that belongs to a file, not to an entry."""
    severity, summary = CODES[code]
    if first:
        related = (Related("first defined here", first), *related)
    return Diagnostic(severity, code, summary, detail, span, hint, json_pointer, "", related, fix=_fix(span, fix))


def diagnose_yaml(error: YamlError) -> Diagnostic:
    """Return the diagnostic of an error of the YAML parser."""
    return diagnose_file(error.code, error.detail, error.span, first=error.first)
