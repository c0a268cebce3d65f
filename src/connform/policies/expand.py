"""Turns a policy's JSON Schema into one that stands for itself: each `$ref` replaced by what it names, no booleans.

Layer 2, no IO.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from connform.manifest.similar import similar
from connform.policies.keywords import KEYWORDS, NAMED_SCHEMAS, SCHEMA, SCHEMAS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connform.manifest.rules import Path
    from connform.manifest.shape import Schema

MAX_SCHEMAS: Final = 10_000
"""How many schemas a policy may consist of, each counted as often as it is named."""
MAX_DEPTH: Final = 32
"""How deep they may lie in each other."""

NOTHING: Final[Schema] = {"not": {}}
"""What `false` means. The library loses the place of what the boolean refuses."""

_PREFIX: Final = "#/$defs/"


class UnusableSchemaError(Exception):
    """The schema can't be applied."""

    def __init__(self, path: Path, detail: str, hint: str = "") -> None:
        super().__init__(detail)
        self.path = path
        """Where, from the root of the policy's schema."""
        self.detail = detail
        self.hint = hint


def expand(schema: Any) -> Schema:
    """Return the schema without `$ref`, `$defs`, `true` and `false`.

    Args:
        schema: what `policy_schema` accepts.

    Raises:
        UnusableSchemaError: a `$ref` that names nothing, or its own surroundings; a pattern that is none; too large.
    """
    return _Expansion(schema).of(schema, (), ())


class _Expansion:
    def __init__(self, root: Any) -> None:
        self._defs: Mapping[str, Any] = {} if isinstance(root, bool) else root.get("$defs", {})
        self._count = 0
        self._depth = 0

    def of(self, schema: Any, here: Path, inside: tuple[str, ...]) -> Schema:
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

    def _written_out(self, schema: Mapping[str, Any], here: Path, inside: tuple[str, ...]) -> Schema:
        expanded: Schema = {}
        for word, value in schema.items():
            place, kind = (*here, word), KEYWORDS[word]
            if word == "pattern":
                _require_pattern(value, place)
            elif word == "patternProperties":
                for pattern in value:
                    _require_pattern(pattern, (*place, pattern))
            if kind is SCHEMA:
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

    def _target(self, reference: str, here: Path, inside: tuple[str, ...]) -> Schema:
        name = reference.removeprefix(_PREFIX)
        if name not in self._defs:
            guess = similar(name, self._defs)
            hint = f"did you mean `{_PREFIX}{guess}`?" if guess else ""
            raise UnusableSchemaError(here, "`$defs` of this policy has no such schema", hint)
        if name in inside:
            raise UnusableSchemaError(here, "the schema contains itself; a connection has no endless depth")
        return self.of(self._defs[name], ("$defs", name), (*inside, name))


def _require_pattern(pattern: str, here: Path) -> None:
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        detail = f"not a regular expression: {error.msg}" if isinstance(error, re.error) else "too large a pattern"
        raise UnusableSchemaError(here, detail) from None
