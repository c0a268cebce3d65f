"""What must hold for any text at all, whatever it says."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any

from jsonschema import Draft7Validator, Draft202012Validator

from connform.diagnostics import CODES, Diagnostic, Severity
from connform.engine.load.manifest_schemas import manifest_schema
from connform.engine.load.vocabulary import all_store_reference_keys, reference_keys, vocabulary
from connform.layout.canonical import canonical
from connform.manifest.compiled import compile_predicate
from connform.manifest.document import Entry
from connform.manifest.files import Source
from connform.manifest.fixes import apply_edits
from connform.manifest.nodes import lines_of
from connform.manifest.parser import parse
from connform.manifest.published import with_definitions
from connform.manifest.shape import Schema, build_signature, selected
from connform.manifest.source_excerpts import add_source_lines
from connform.manifest.tally import Tally
from connform.manifest.validate import validate
from connform.manifest.yaml_errors import YamlError
from tests.manifest.syntax_cases import LIBYAML
from tests.schemas import validator_of
from tests.simple_yaml import is_simple

NAME = "connections.yaml"
OF_THE_SCHEMA = frozenset(
    {
        *(
            "wrong-indentation",
            "unknown-key",
            "missing-key",
            "wrong-type",
            "unknown-value",
            "malformed-value",
            "out-of-range",
        ),
        *("unsupported-version", "unknown-provider", "unknown-environment", "unknown-region", "unknown-auth-method"),
        *("unknown-store-type", "bad-name", "plaintext-secret", "malformed-url", "malformed-reference"),
        "foreign-reference",
    }
)
"""What a schema can find; the rest are rules. Rules that share one of these codes are switched off for the comparison."""
_BY_GRAMMAR = (
    *("a reference carries", "a `#` in a reference", "the only option"),
    *("vals writes a field", "`echo://` is followed"),
)
"""References that the schema accepts and the grammar refuses."""


_READ_DIFFERENTLY = re.compile(rb"\r(?!\n)|\xc2\x85|\xe2\x80[\xa8\xa9]")
"""A carriage return alone, U+0085, U+2028, U+2029."""


def examine(text: bytes) -> str:
    """Return `accepted`, `refused` or `not yaml`.

    Raises:
        AssertionError: something doesn't hold.
    """
    sources = [Source(NAME, text, "")]
    tally = Tally()
    read = validate(sources, vocabulary(), tally)
    found = add_source_lines(tally.diagnostics(), sources, vocabulary(), read.stores)
    _check_places(text, found)
    try:
        data, _ = parse(text, NAME)
    except YamlError:
        assert found, "not YAML, and nothing is said"
        return "not yaml"
    is_simple(text)
    assert not _READ_DIFFERENTLY.search(text), "some readers see other lines"
    _check_fixes(text, found)
    tally = Tally()
    tree = validate(sources, _without_rules(), tally)
    by_schema = tuple(tally.diagnostics())
    ours = not any(map(_is_of_the_schema, by_schema)) and data is not None
    _check_verdict(data, by_schema, tree.connections, accepted=ours)
    return "refused" if any(one.severity is Severity.ERROR for one in found) else "accepted"


def _reference_keys() -> frozenset[str]:
    return reference_keys() | all_store_reference_keys()


def examine_layout(text: bytes) -> str:
    """Return `laid out` or `refused`.

    Raises:
        AssertionError: a second run changes something.
        ModelChangedError: the layout says something else.
    """
    try:
        after = canonical(text, NAME, _reference_keys)
    except YamlError:
        return "refused"
    assert canonical(after, NAME, _reference_keys) == after, "a second run changes something"
    return "laid out"


def _check_places(text: bytes, found: tuple[Diagnostic, ...]) -> None:
    lines = lines_of(text.decode("utf-8-sig", "replace"))
    for one in found:
        assert one.code in CODES, one
        assert one.severity is CODES[one.code][0]
        assert not (one.code.startswith("yaml-") and LIBYAML.search(one.detail)), one
        span = one.span
        assert (1, 1) <= (span.line, span.column) < (span.end_line, span.end_column), one
        assert span.line <= len(lines), one
        assert span.column <= len(lines[span.line - 1]) + 1, one
    assert list(found) == sorted(found, key=lambda one: (one.span, one.code, one.detail))
    assert len({(one.code, one.span, one.detail) for one in found}) == len(found)


def _check_fixes(text: bytes, found: tuple[Diagnostic, ...]) -> None:
    edits = [edit for one in found for edit in one.fix]
    mended, made = apply_edits(text, edits)
    assert bool(made) is bool(edits)
    assert (mended != text) is bool(edits)
    parse(mended, NAME)  # it was YAML, and it still is


def _check_verdict(data: Any, found: tuple[Diagnostic, ...], connections: dict[str, Entry], *, accepted: bool) -> None:
    if {"unexpanded-placeholder", "more-errors"} & {one.code for one in found}:
        return  # of the value that holds the one nothing else is said; with the other, some errors are only counted
    theirs = _whole().is_valid(data)
    if any(one.code == "unknown-template" for one in found):
        assert theirs or not accepted, "what the published schema refuses is accepted"
        return
    effective = [entry.effective for entry in connections.values() if entry.layers]
    expected = theirs and all(_one().is_valid(node) for node in effective)
    assert accepted is expected, f"the published schema says {expected}, connform says {accepted}"
    for node in effective:
        accepts, library = _both(node)
        verdict = accepts(node)
        assert verdict is library.is_valid(node), "the compiled predicate and the library disagree"
        assert verdict is _one().is_valid(node), "the flat and the published schema disagree"


def _is_of_the_schema(one: Diagnostic) -> bool:
    return one.code in OF_THE_SCHEMA and not one.detail.startswith(_BY_GRAMMAR)


@cache
def _without_rules() -> Any:
    return vocabulary()._replace(rules=lambda _: (), lint=lambda *_: "", store_rules=lambda _: ())


@cache
def _whole() -> Draft7Validator:
    return Draft7Validator(manifest_schema())


@cache
def _one() -> Draft7Validator:
    return validator_of(vocabulary().connection)


@cache
def _signature() -> Callable[[Any], tuple[object, ...]]:
    return build_signature(vocabulary().connection)


_BUILT: dict[tuple[object, ...], tuple[Callable[[Any], bool], Draft202012Validator]] = {}


def _both(node: Any) -> tuple[Callable[[Any], bool], Draft202012Validator]:
    shape = vocabulary().connection
    key = _signature()(node)
    if key not in _BUILT:
        schema: Schema = selected(shape, node)
        _BUILT[key] = compile_predicate(schema), Draft202012Validator(with_definitions(schema))
    return _BUILT[key]
