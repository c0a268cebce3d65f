"""Expansion of a policy's JSON Schema: each `$ref` replaced by what it names, `true` and `false` by schemas.

Layer 2, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from connform.manifest.similar import similar
from connform.policies.keywords import KEYWORDS, NAMED_SCHEMAS, SCHEMA, SCHEMAS
from connform.policies.pattern import Pattern, UnusablePatternError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connform.manifest.rules import KeyPath
    from connform.manifest.shape import Schema
    from connform.policies.pattern import Meter

MAX_SCHEMAS: Final = 10_000
"""How many schemas a policy may consist of, each counted as often as it is named."""
MAX_DEPTH: Final = 32
"""How deep they may lie in each other."""

NOTHING: Final[Schema] = {"not": {}}
"""What `false` means. The library loses the place of what the boolean refuses."""

_PREFIX: Final = "#/$defs/"


class UnusableSchemaError(Exception):
    """The schema can't be applied."""

    def __init__(self, path: KeyPath, detail: str, hint: str = "") -> None:
        super().__init__(detail)
        self.path = path
        """Where, from the root of the policy's schema."""
        self.detail = detail
        self.hint = hint


def expand(schema: Any, meter: Meter) -> Schema:
    """Return the schema without `$ref`, `$defs`, `true` and `false`.

    Args:
        schema: what `policy_schema` accepts.
        meter: counts what its patterns take.

    Raises:
        UnusableSchemaError: a `$ref` that names nothing, or its own surroundings; a pattern that is none; too large.
    """
    expansion = _Expansion(schema, meter)
    expanded = expansion.of(schema, (), ())
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
        """The keywords that stand anywhere in it."""

    def of(self, schema: Any, here: KeyPath, inside: tuple[str, ...]) -> Schema:
        """Return a schema that stands at `here`, reached through the references `inside`."""
        self._count += 1
        if self._count > MAX_SCHEMAS:
            raise UnusableSchemaError(here, f"with each `$ref` written out it has more than {MAX_SCHEMAS} schemas")
        if isinstance(schema, bool):
            return {} if schema else NOTHING
        if self._depth == MAX_DEPTH:
            raise UnusableSchemaError(here, f"with each `$ref` written out it is more than {MAX_DEPTH} schemas deep")
        self._depth += 1
        expanded = self._written_out(schema, here, inside)
        self._depth -= 1
        return expanded

    def _written_out(self, schema: Mapping[str, Any], here: KeyPath, inside: tuple[str, ...]) -> Schema:
        expanded: Schema = {}
        for word, value in schema.items():
            place, kind = (*here, word), KEYWORDS[word]
            self.words.add(word)
            if word == "pattern":
                expanded[word] = self._pattern(value, place)
            elif word == "patternProperties":
                expanded[word] = {
                    self._pattern(name, (*place, name)): self.of(one, (*place, name), inside)
                    for name, one in value.items()
                }
            elif kind is SCHEMA:
                expanded[word] = self.of(value, place, inside)
            elif kind is SCHEMAS:
                expanded[word] = [self.of(one, (*place, index), inside) for index, one in enumerate(value)]
            elif kind is NAMED_SCHEMAS:
                expanded[word] = {name: self.of(one, (*place, name), inside) for name, one in value.items()}
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
        return self.of(self._defs[name], ("$defs", name), (*inside, name))


def cost_of(schema: Any) -> int:
    """Return how many schemas are looked at for one value at most, an expanded one and those in it.

    The library looks at what stands beside an `unevaluated…` a second time, and so on at each level.
    """
    return _costs(schema)[0]


def _costs(schema: Any) -> tuple[int, int]:
    """Return what it takes to judge by a schema, and to find out afterwards what it has evaluated."""
    judging, finding = 1, 0
    for word, value in schema.items():
        kind = KEYWORDS[word]
        parts = (
            [value] if kind is SCHEMA else value if kind is SCHEMAS else value.values() if kind is NAMED_SCHEMAS else ()
        )
        for part_judging, part_finding in map(_costs, parts):
            judging += part_judging
            if word in _ANOTHER_LOOK:
                finding += part_judging + part_finding
    if schema.keys() & {"unevaluatedProperties", "unevaluatedItems"}:
        judging += finding
    return judging, finding


_ANOTHER_LOOK: Final = frozenset(
    {"allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas", "contains", "prefixItems", "items"}
)
"""The keywords whose schemas decide on what an `unevaluated…` beside them sees."""
