"""Compiler from a JSON Schema without references to a predicate that accepts a good value in microseconds.

Layer 1, no IO. The `jsonschema` library, which takes longer to import than a whole run, is used only for keywords that
this module doesn't know. Both agree on every value (`tests/manifest/test_compiled.py`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable
from functools import cache
from typing import Any, TypeAlias

from connform.manifest.shape import Schema

Predicate: TypeAlias = "Callable[[Any], bool]"

ANNOTATIONS = frozenset(
    {"title", "description", "enumDescriptions", "examples", "default", "errorMessage", "$comment", "format"}
)
"""Keywords that refuse nothing; nor do those that start with `x-`."""


def compile_predicate(schema: Schema | bool) -> Predicate:  # noqa: FBT001  (a JSON Schema may be one)
    """Return the predicate of a schema; the `jsonschema` library checks one with a keyword that isn't known here."""
    if isinstance(schema, bool):
        return _accept_all if schema else _accept_none
    if not are_known(schema):
        return _by_library(schema)
    checks: list[Predicate] = []
    words = [word for word in schema if word in _KEYWORDS]
    if schema.keys() & _OBJECT_KEYWORDS:
        checks.append(_object(schema))
        if schema.get("type") == "object":
            words.remove("type")
    elif schema.get("type") == "string" and "pattern" in schema:
        checks.append(_text(schema["pattern"]))
        words = [word for word in words if word not in ("type", "pattern")]
    if "if" in schema:
        checks.append(_condition(schema))
    return _all_of_checks([*checks, *(_KEYWORDS[word](schema[word]) for word in words)])


def are_known(words: Iterable[str]) -> bool:
    """Whether each of these keywords is known here."""
    return all(
        word in _KEYWORDS
        or word in _OBJECT_KEYWORDS
        or word in _CONDITION_KEYWORDS
        or word in ANNOTATIONS
        or word.startswith("x-")
        for word in words
    )


def equality_key(value: Any) -> Hashable:
    """Return a key that is the same for values that are equal in JSON: 1 and 1.0 are equal, 1 and `true` are not."""
    if isinstance(value, dict):
        return frozenset((key, equality_key(part)) for key, part in value.items())
    if isinstance(value, list):
        return tuple(map(equality_key, value))
    return _BOOLEANS[value] if isinstance(value, bool) else value


_FEW_ITEMS = 100
_BOOLEANS = {True: object(), False: object()}


def _all_of_checks(checks: list[Predicate]) -> Predicate:
    match checks:
        case []:
            return _accept_all
        case [only]:
            return only
        case [first, second]:
            return lambda value: first(value) and second(value)
        case [first, second, third]:
            return lambda value: first(value) and second(value) and third(value)
    return lambda value: all(check(value) for check in checks)


_OBJECT_KEYWORDS = frozenset({"properties", "required", "additionalProperties", "propertyNames"})
_CONDITION_KEYWORDS = frozenset({"if", "then", "else"})


def _object(schema: Schema) -> Predicate:
    schemas, known = schema.get("properties", {}), dict[str, Predicate]()
    others = compile_predicate(schema.get("additionalProperties", True))
    required = frozenset(schema.get("required", ()))
    name = compile_predicate(schema["propertyNames"]) if "propertyNames" in schema else None
    others_are_refused = schema.get("type") == "object"

    def compiled(key: str) -> Predicate:  # when it is first met: most objects have few of the keys
        if key in schemas:
            known[key] = compile_predicate(schemas[key])
        return known.get(key, others)

    def check(value: Any) -> bool:
        if not isinstance(value, dict):
            return not others_are_refused
        for key, part in value.items():
            if not (known.get(key) or compiled(key))(part) or (name is not None and not name(key)):
                return False
        return required <= value.keys()

    return check


def _condition(schema: Schema) -> Predicate:
    test, then, otherwise = (compile_predicate(schema.get(word, True)) for word in ("if", "then", "else"))
    return lambda value: then(value) if test(value) else otherwise(value)


def _accept_none(_: object) -> bool:
    return False


def _accept_all(_: object) -> bool:
    return True


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_integer(value: object) -> bool:
    return _is_number(value) and (isinstance(value, int) or value.is_integer())  # type: ignore[attr-defined]  # not an int, so a float


_TYPES: dict[str, Predicate] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "number": _is_number,
    "integer": _is_integer,
}


def _type(names: str | list[str]) -> Predicate:
    checks = [_TYPES[name] for name in ([names] if isinstance(names, str) else names)]
    return checks[0] if len(checks) == 1 else lambda value: any(check(value) for check in checks)


def _enum(allowed: list[Any]) -> Predicate:
    if all(isinstance(one, str) for one in allowed):
        texts = frozenset(allowed)
        return lambda value: isinstance(value, str) and value in texts
    values = frozenset(map(equality_key, allowed))
    return lambda value: equality_key(value) in values


def _search(pattern: str) -> Callable[[str], object]:
    # a policy's `Pattern` has a search of its own
    return getattr(pattern, "search", None) or re.compile(pattern).search


def _pattern(pattern: str) -> Predicate:
    search = _search(pattern)
    return lambda value: not isinstance(value, str) or bool(search(value))


def _text(pattern: str) -> Predicate:
    """Return the predicate of `type: string` with a pattern, which most values of a manifest have."""
    search = _search(pattern)
    return lambda value: isinstance(value, str) and bool(search(value))


def _unique(expected: bool) -> Predicate:  # noqa: FBT001  (a keyword's value)
    def check(value: object) -> bool:
        if not isinstance(value, list):
            return True
        if len(value) > _FEW_ITEMS and len(set(map(id, value))) < len(value):  # an alias repeats a whole collection
            return False
        return len(set(map(equality_key, value))) == len(value)

    return check if expected else _accept_all


def _items(schema: Schema) -> Predicate:
    item = compile_predicate(schema)

    def check(value: Any) -> bool:
        if isinstance(value, list):
            for part in value:
                if not item(part):
                    return False
        return True

    return check


def _all_of(schemas: list[Schema]) -> Predicate:
    return _all_of_checks([*map(compile_predicate, schemas)])


def _any_of(schemas: list[Schema]) -> Predicate:
    parts = [compile_predicate(schema) for schema in schemas]
    return lambda value: any(part(value) for part in parts)


def _one_of(schemas: list[Schema]) -> Predicate:
    parts = [compile_predicate(schema) for schema in schemas]
    return lambda value: sum(part(value) for part in parts) == 1


def _not(schema: Schema) -> Predicate:
    part = compile_predicate(schema)
    return lambda value: not part(value)


def _contains(schema: Schema) -> Predicate:
    item = compile_predicate(schema)
    return lambda value: not isinstance(value, list) or any(map(item, value))


def _definition(definitions: dict[str, Schema]) -> Predicate:
    """Return the predicate of the one schema of a definition; each reference in it leads back to it."""
    (definition,) = definitions.values()

    def accepts(value: Any) -> bool:
        return accepts_once(value)

    accepts_once = compile_predicate(_with_reference(definition, {_REFERENCE: accepts}))
    return accepts


def _with_reference(schema: Any, reference: Schema) -> Any:
    if not isinstance(schema, dict):
        return schema
    return reference if "$ref" in schema else {key: _with_reference(part, reference) for key, part in schema.items()}


_REFERENCE = "x-accepts"
"""The keyword that a reference is replaced by: its value is the predicate."""

_KEYWORDS: dict[str, Callable[[Any], Predicate]] = {
    "x-definition": _definition,
    _REFERENCE: lambda accepts: accepts,
    "type": _type,
    "enum": _enum,
    "const": lambda one: _enum([one]),
    "pattern": _pattern,
    "items": _items,
    "uniqueItems": _unique,
    "minLength": lambda limit: lambda value: not isinstance(value, str) or len(value) >= limit,
    "maxLength": lambda limit: lambda value: not isinstance(value, str) or len(value) <= limit,
    "minItems": lambda limit: lambda value: not isinstance(value, list) or len(value) >= limit,
    "maxItems": lambda limit: lambda value: not isinstance(value, list) or len(value) <= limit,
    "minProperties": lambda limit: lambda value: not isinstance(value, dict) or len(value) >= limit,
    "maxProperties": lambda limit: lambda value: not isinstance(value, dict) or len(value) <= limit,
    "minimum": lambda limit: lambda value: not _is_number(value) or value >= limit,
    "maximum": lambda limit: lambda value: not _is_number(value) or value <= limit,
    "exclusiveMinimum": lambda limit: lambda value: not _is_number(value) or value > limit,
    "allOf": _all_of,
    "anyOf": _any_of,
    "oneOf": _one_of,
    "not": _not,
    "contains": _contains,
}


def _by_library(schema: Schema) -> Predicate:
    @cache
    def validator() -> Any:
        from connform.manifest.library import Validator

        return Validator(schema)

    return lambda value: bool(validator().is_valid(value))
