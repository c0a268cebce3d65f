"""Expansion of a policy's JSON Schema: each `$ref` replaced by what it names, `true` and `false` by schemas.

Layer 2, no IO.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connform.manifest.pattern import Meter, Pattern, UnusablePatternError
from connform.manifest.rules import KeyPath
from connform.manifest.shape import Schema
from connform.manifest.similar import similar
from connform.policies.keywords import KEYWORDS, NAMED_SCHEMAS, SCHEMA, SCHEMAS

MAX_SCHEMAS = 10_000
"""How many schemas a policy may consist of, each counted as often as it is named."""
MAX_DEPTH = 32
"""How deep they may be nested."""

NOTHING: Schema = {"not": {}}
"""The schema that replaces `false`, because the library doesn't report the path of what `false` refuses."""

_PREFIX = "#/$defs/"


class UnusableSchemaError(Exception):
    """The schema can't be applied."""

    def __init__(self, path: KeyPath, detail: str, hint: str = "") -> None:
        super().__init__(detail)
        self.path = path
        """The path of the mistake in the policy's schema."""
        self.detail = detail
        self.hint = hint


def expand(schema: Any, meter: Meter) -> Schema:
    """Return the schema without `$ref`, `$defs`, `true` and `false`.

    Args:
        schema: a schema that `policy_schema` accepts.
        meter: counts the steps of its patterns.

    Raises:
        UnusableSchemaError: a `$ref` names no schema, or one that contains the `$ref`; a pattern is invalid; the schema
            is too large.
    """
    expansion = _Expansion(schema, meter)
    expanded = expansion.expand(schema, (), ())
    if cost_of(expanded) > MAX_SCHEMAS:
        detail = f"to judge one connection, more than {MAX_SCHEMAS} schemas are looked at: nest fewer `unevaluated…`"
        raise UnusableSchemaError((), detail)
    if expansion.words >= {"patternProperties", "unevaluatedProperties"}:
        detail = "`patternProperties` and `unevaluatedProperties` don't go together here: name the keys"
        raise UnusableSchemaError((), detail)
    return expanded


class _Expansion:
    def __init__(self, root: Any, meter: Meter) -> None:
        self._meter = meter
        self._defs: Mapping[str, Any] = {} if isinstance(root, bool) else root.get("$defs", {})
        self._count = 0
        self._depth = 0
        self.words: set[str] = set()
        """The keywords of the schema and of all schemas in it."""

    def expand(self, schema: Any, here: KeyPath, references: tuple[str, ...]) -> Schema:
        """Return the expanded schema; `here` is its path, and `references` are those that were followed to it."""
        self._count += 1
        if self._count > MAX_SCHEMAS:
            raise UnusableSchemaError(here, f"with each `$ref` written out it has more than {MAX_SCHEMAS} schemas")
        if isinstance(schema, bool):
            return {} if schema else NOTHING
        if self._depth == MAX_DEPTH:
            raise UnusableSchemaError(here, f"with each `$ref` written out it is more than {MAX_DEPTH} schemas deep")
        self._depth += 1
        expanded = self._expand_keywords(schema, here, references)
        self._depth -= 1
        return expanded

    def _expand_keywords(self, schema: Mapping[str, Any], here: KeyPath, inside: tuple[str, ...]) -> Schema:
        expanded: Schema = {}
        for word, value in schema.items():
            place, kind = (*here, word), KEYWORDS[word]
            self.words.add(word)
            if word == "pattern":
                expanded[word] = self._pattern(value, place)
            elif word == "patternProperties":
                expanded[word] = {
                    self._pattern(name, (*place, name)): self.expand(one, (*place, name), inside)
                    for name, one in value.items()
                }
            elif kind is SCHEMA:
                expanded[word] = self.expand(value, place, inside)
            elif kind is SCHEMAS:
                expanded[word] = [self.expand(one, (*place, index), inside) for index, one in enumerate(value)]
            elif kind is NAMED_SCHEMAS:
                expanded[word] = {name: self.expand(one, (*place, name), inside) for name, one in value.items()}
            else:
                expanded[word] = value
        expanded.pop("$defs", None)
        if "$ref" in expanded:
            target = self._target(expanded.pop("$ref"), (*here, "$ref"), inside)
            expanded["allOf"] = [*expanded.get("allOf", ()), target]
        return expanded

    def _pattern(self, text: str, here: KeyPath) -> Pattern:
        try:
            return Pattern(text, self._meter)
        except UnusablePatternError as error:
            raise UnusableSchemaError(here, str(error)) from None

    def _target(self, reference: str, here: KeyPath, inside: tuple[str, ...]) -> Schema:
        name = reference.removeprefix(_PREFIX)
        if name not in self._defs:
            guess = similar(name, self._defs)
            hint = f"did you mean `{_PREFIX}{guess}`?" if guess else ""
            raise UnusableSchemaError(here, "`$defs` of this policy has no such schema", hint)
        if name in inside:
            raise UnusableSchemaError(here, "the schema contains itself; a connection has no endless depth")
        return self.expand(self._defs[name], ("$defs", name), (*inside, name))


def cost_of(schema: Any) -> int:
    """Return the number of schemas that are evaluated for one value at most: an expanded one and those in it.

    The library evaluates the schemas beside an `unevaluated…` keyword a second time, at each level.
    """
    return _costs(schema)[0]


def _costs(schema: Any) -> tuple[int, int]:
    """Return the cost of evaluating a schema, and that of finding out afterwards which parts it has evaluated."""
    judging, finding = 1, 0
    for word, value in schema.items():
        kind = KEYWORDS[word]
        parts = (
            [value] if kind is SCHEMA else value if kind is SCHEMAS else value.values() if kind is NAMED_SCHEMAS else ()
        )
        for part_judging, part_finding in map(_costs, parts):
            judging += part_judging
            if word in _EVALUATED_AGAIN:
                finding += part_judging + part_finding
    if schema.keys() & {"unevaluatedProperties", "unevaluatedItems"}:
        judging += finding
    return judging, finding


_EVALUATED_AGAIN = frozenset(
    {"allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas", "contains", "prefixItems", "items"}
)
"""Keywords with schemas that a neighbouring `unevaluated…` keyword evaluates again."""
