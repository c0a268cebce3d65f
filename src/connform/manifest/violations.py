"""Finder of schema violations: every part of a value that a JSON Schema refuses, one after the other.

Layer 1, no IO. The time is linear in the number of parts of the value. The `jsonschema` library takes twenty times as
long, and compares each item of a list with every other one: it is used only if the schema of a third-party package has a
keyword that `compiled` doesn't know. Both find the same violations (`tests/manifest/test_violations.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Any, NamedTuple, TypeAlias

from connform.manifest.compiled import ANNOTATIONS, are_known, compile_predicate
from connform.manifest.rules import KeyPath
from connform.manifest.shape import Schema


class SchemaViolation(NamedTuple):
    """One violation of a schema."""

    keyword: str
    """The violated keyword; for `required`, each missing key is a violation of its own."""
    expected: Any
    """The value of the keyword; for `required`, the missing key."""
    schema: Mapping[str, Any]
    """The schema that has the keyword."""
    value: Any
    """The refused value."""
    path: KeyPath
    """Its path."""
    in_names: bool = False
    """Whether the refused value is a key; the path is then that of its mapping."""


Finder: TypeAlias = "Callable[[Any, KeyPath], Iterator[SchemaViolation]]"


def compile_finder(schema: Schema | bool, root: Schema | None = None) -> Finder:  # noqa: FBT001  (a JSON Schema may be one)
    """Return the function that finds the violations of a schema.

    Args:
        schema: the schema.
        root: the schema with the `$defs` that its references name; by default, the schema itself.
    """
    compiler = _Compiler({} if isinstance(schema, bool) else root or schema)
    return compiler.finder(schema)


class _Compiler:
    """Makes the finders of a schema and of the definitions that its references name."""

    def __init__(self, root: Schema) -> None:
        self._definitions: Mapping[str, Any] = root.get("$defs", {})
        self._built: dict[str, Finder] = {}

    def finder(self, schema: Schema | bool) -> Finder:  # noqa: FBT001  (a JSON Schema may be one)
        """Return the finder of a schema's violations."""
        if isinstance(schema, bool):
            return _nothing if schema else lambda value, path: iter((SchemaViolation("", None, {}, value, path),))
        if not are_known(schema.keys() - {"$ref", "$defs", "$schema"}):
            return _by_library(schema)
        parts = [part for word in schema if (part := self._finder_of_keyword(word, schema)) is not None]
        return parts[0] if len(parts) == 1 else _chained(parts)

    def _finder_of_keyword(self, word: str, schema: Schema) -> Finder | None:
        """Return the finder of one keyword; `None` if it refuses nothing, or another keyword's finder includes it."""
        if word in _FINDERS:
            return _FINDERS[word](self, schema)
        if word in _WITHOUT_FINDER or word in ANNOTATIONS or word.startswith("x-"):
            return None
        return _predicate_finder(word, schema)

    def reference(self, schema: Schema) -> Finder:
        """Return the finder of the definition that a reference names; definitions may be recursive."""
        name = schema["$ref"].rpartition("/")[2]

        def find(value: Any, path: KeyPath) -> Iterator[SchemaViolation]:
            if name not in self._built:
                self._built[name] = self.finder(self._definitions[name])
            yield from self._built[name](value, path)

        return find

    def properties(self, schema: Schema) -> Finder:
        """Return the finder for the values of known keys."""
        known = {key: self.finder(part) for key, part in schema["properties"].items()}

        def find(value: Any, path: KeyPath) -> Iterator[SchemaViolation]:
            if isinstance(value, dict):
                for key, part in value.items():
                    if key in known:
                        yield from known[key](part, (*path, key))

        return find

    def additional_properties(self, schema: Schema) -> Finder:
        """Return the finder for unknown keys."""
        expected = schema["additionalProperties"]
        known = schema.get("properties", {})
        inner = None if expected is False else self.finder(expected)

        def find(value: Any, path: KeyPath) -> Iterator[SchemaViolation]:
            if not isinstance(value, dict):
                return
            if inner is None:
                if not value.keys() <= known.keys():
                    yield SchemaViolation("additionalProperties", expected, schema, value, path)
                return
            for key, part in value.items():
                if key not in known:
                    yield from inner(part, (*path, key))

        return find

    def property_names(self, schema: Schema) -> Finder:
        """Return the finder for the names of keys."""
        inner = self.finder(schema["propertyNames"])

        def find(value: Any, path: KeyPath) -> Iterator[SchemaViolation]:
            for key in value if isinstance(value, dict) else ():
                for violation in inner(key, path):
                    yield violation._replace(in_names=True)

        return find

    def items(self, schema: Schema) -> Finder:
        """Return the finder for the items of a list."""
        inner = self.finder(schema["items"])

        def find(value: Any, path: KeyPath) -> Iterator[SchemaViolation]:
            if isinstance(value, list):
                for index, item in enumerate(value):
                    yield from inner(item, (*path, index))

        return find

    def all_of(self, schema: Schema) -> Finder:
        """Return the finder for several schemas, all of which apply."""
        return _chained([self.finder(one) for one in schema["allOf"]])

    def condition(self, schema: Schema) -> Finder:
        """Return the finder for the schema that a condition selects."""
        test = compile_predicate(schema["if"])
        then, otherwise = (self.finder(schema.get(word, True)) for word in ("then", "else"))
        return lambda value, path: (then if test(value) else otherwise)(value, path)


_FINDERS: dict[str, Callable[[_Compiler, Schema], Finder]] = {
    "$ref": _Compiler.reference,
    "properties": _Compiler.properties,
    "additionalProperties": _Compiler.additional_properties,
    "propertyNames": _Compiler.property_names,
    "items": _Compiler.items,
    "required": lambda _, schema: _required(schema["required"], schema),
    "allOf": _Compiler.all_of,
    "if": _Compiler.condition,
    "x-definition": lambda _, schema: _definition(schema["x-definition"]),
}
"""Keyword → the method that makes its finder; all other keywords have a predicate."""
_WITHOUT_FINDER = frozenset({"then", "else", "$defs", "$schema"})
"""Keywords that refuse nothing by themselves: `if` includes `then` and `else`."""


def _definition(definitions: Schema) -> Finder:
    (definition,) = definitions.values()
    return compile_finder(definition, {"$defs": definitions})


def _predicate_finder(word: str, schema: Schema) -> Finder:
    expected = schema[word]
    accepts = compile_predicate({word: expected})

    def find(value: Any, path: KeyPath) -> Iterator[SchemaViolation]:
        if not accepts(value):
            yield SchemaViolation(word, expected, schema, value, path)

    return find


def _chained(finders: list[Finder]) -> Finder:
    def find(value: Any, path: KeyPath) -> Iterator[SchemaViolation]:
        for find_one in finders:
            yield from find_one(value, path)

    return find


def _nothing(value: object, path: KeyPath) -> Iterator[SchemaViolation]:  # noqa: ARG001  (it is a finder)
    return iter(())


def _required(required: list[str], schema: Schema) -> Finder:
    def find(value: Any, path: KeyPath) -> Iterator[SchemaViolation]:
        if isinstance(value, dict):
            for key in required:
                if key not in value:
                    yield SchemaViolation("required", key, schema, value, path)

    return find


def _by_library(schema: Schema) -> Finder:
    def find(value: Any, path: KeyPath) -> Iterator[SchemaViolation]:
        from jsonschema import Draft202012Validator  # none of our own schemas needs it

        for error in Draft202012Validator(schema).iter_errors(value):
            schema_of_keyword = error.schema if isinstance(error.schema, dict) else {}
            here = (*path, *error.absolute_path)
            refuses_key = in_names(error.absolute_schema_path)
            if error.validator == "required":
                expected = [key for key in error.validator_value if error.message.startswith(repr(key))]
            else:
                expected = [error.validator_value]
            for value_of_keyword in expected:
                yield SchemaViolation(
                    str(error.validator), value_of_keyword, schema_of_keyword, error.instance, here, refuses_key
                )

    return find


def in_names(schema_path: Any) -> bool:
    """Whether an error of the library with this schema path refuses a key; its path is that of the mapping then."""
    return any(step == "propertyNames" and above != "properties" for above, step in pairwise(["", *schema_path]))
