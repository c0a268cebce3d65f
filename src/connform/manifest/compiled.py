"""Compiler from a JSON Schema without references to a predicate that accepts a good value in microseconds.

Layer 1, no IO. The `jsonschema` library, which takes longer to import than a whole run, is used only for keywords that
this module doesn't know. Both agree on every value (`tests/manifest/test_compiled.py`).
"""

from __future__ import annotations

import re
from functools import cache, reduce
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    from connform.manifest.shape import Schema

Predicate: TypeAlias = "Callable[[Any], bool]"

REMARKS: Final = frozenset(
    {"title", "description", "enumDescriptions", "examples", "default", "errorMessage", "$comment", "format"}
)
"""Keywords that refuse nothing; so does whatever starts with `x-`."""


def compile_predicate(schema: Schema | bool) -> Predicate:  # noqa: FBT001  (a JSON Schema may be one)
    """Return the predicate of a schema; one with a keyword that isn't known here goes to the `jsonschema` library."""
    if isinstance(schema, bool):
        return _anything if schema else _nothing
    words = {word for word in schema if word not in REMARKS and not word.startswith("x-")}
    if not is_known(words):
        return _by_library(schema)
    checks: list[Predicate] = []
    if words & _OBJECT_WORDS:
        checks.append(_object(schema))
    if "if" in words:
        checks.append(_condition(schema))
    checks += [_WORDS[word](schema[word]) for word in schema if word in _WORDS]
    return reduce(_both, checks) if checks else _anything


def is_known(words: Iterable[str]) -> bool:
    """Whether each of these keywords is known here."""
    return all(
        word in _WORDS or word in _OBJECT_WORDS or word in _CONDITION_WORDS or word in REMARKS or word.startswith("x-")
        for word in words
    )


def canonical(value: Any) -> Hashable:
    """Return what is equal for values that are equal in JSON: 1 and 1.0 are, 1 and `true` are not."""
    if isinstance(value, dict):
        return frozenset((key, canonical(part)) for key, part in value.items())
    if isinstance(value, list):
        return tuple(map(canonical, value))
    return _BOOLEANS[value] if isinstance(value, bool) else value


_BOOLEANS: Final = {True: object(), False: object()}


def _both(first: Predicate, second: Predicate) -> Predicate:
    return lambda value: first(value) and second(value)


_OBJECT_WORDS: Final = frozenset({"properties", "required", "additionalProperties", "propertyNames"})
_CONDITION_WORDS: Final = frozenset({"if", "then", "else"})


def _object(schema: Schema) -> Predicate:
    known = {key: compile_predicate(part) for key, part in schema.get("properties", {}).items()}
    required = frozenset(schema.get("required", ()))
    rest = schema.get("additionalProperties", True)
    others = _nothing if rest is False else _anything if rest is True else compile_predicate(rest)
    name = compile_predicate(schema["propertyNames"]) if "propertyNames" in schema else None

    def check(value: Any) -> bool:
        if not isinstance(value, dict):
            return True
        for key, part in value.items():
            if not known.get(key, others)(part) or (name is not None and not name(key)):
                return False
        return required <= value.keys()

    return check


def _condition(schema: Schema) -> Predicate:
    test, then, otherwise = (compile_predicate(schema.get(word, True)) for word in ("if", "then", "else"))
    return lambda value: then(value) if test(value) else otherwise(value)


def _nothing(_: object) -> bool:
    return False


def _anything(_: object) -> bool:
    return True


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_integer(value: object) -> bool:
    return _is_number(value) and (isinstance(value, int) or value.is_integer())  # type: ignore[attr-defined]  # not an int, so a float


_TYPES: Final[dict[str, Predicate]] = {
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
    values = frozenset(map(canonical, allowed))
    return lambda value: canonical(value) in values


def _pattern(pattern: str) -> Predicate:
    search = getattr(pattern, "search", None) or re.compile(pattern).search  # that of a policy searches for itself
    return lambda value: not isinstance(value, str) or bool(search(value))


def _unique(wanted: bool) -> Predicate:  # noqa: FBT001  (a keyword's value)
    def check(value: object) -> bool:
        if not isinstance(value, list):
            return True
        return len(set(map(canonical, value))) == len(value)

    return check if wanted else _anything


def _items(schema: Schema) -> Predicate:
    item = compile_predicate(schema)

    def check(value: Any) -> bool:
        if isinstance(value, list):
            for one in value:
                if not item(one):
                    return False
        return True

    return check


def _all(schemas: list[Schema]) -> Predicate:
    return reduce(_both, map(compile_predicate, schemas))


def _any(schemas: list[Schema]) -> Predicate:
    parts = [compile_predicate(schema) for schema in schemas]
    return lambda value: any(part(value) for part in parts)


def _one(schemas: list[Schema]) -> Predicate:
    parts = [compile_predicate(schema) for schema in schemas]
    return lambda value: sum(part(value) for part in parts) == 1


def _not(schema: Schema) -> Predicate:
    part = compile_predicate(schema)
    return lambda value: not part(value)


def _contains(schema: Schema) -> Predicate:
    item = compile_predicate(schema)
    return lambda value: not isinstance(value, list) or any(map(item, value))


_WORDS: Final[dict[str, Callable[[Any], Predicate]]] = {
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
    "minimum": lambda limit: lambda value: not _is_number(value) or value >= limit,
    "maximum": lambda limit: lambda value: not _is_number(value) or value <= limit,
    "exclusiveMinimum": lambda limit: lambda value: not _is_number(value) or value > limit,
    "allOf": _all,
    "anyOf": _any,
    "oneOf": _one,
    "not": _not,
    "contains": _contains,
}


def _by_library(schema: Schema) -> Predicate:
    @cache
    def validator() -> Any:
        from connform.manifest.library import Validator

        return Validator(schema)

    return lambda value: bool(validator().is_valid(value))
