"""The validator of the `jsonschema` library, with `uniqueItems` and `pattern` in linear time.

Layer 1, no IO. It is imported only if a schema has a keyword that `compiled` doesn't know, or if a policy is violated.
The library itself compares each item of a list with every other one, and its patterns may backtrack.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend

from connform.manifest.compiled import equality_key


def _matches(pattern: str, text: str) -> bool:
    """Whether a pattern matches; a policy's `Pattern` has a search of its own."""
    search = getattr(pattern, "search", None) or re.compile(pattern).search
    return bool(search(text))


def _pattern(_: Any, pattern: str, value: Any, __: Any) -> Iterator[ValidationError]:
    if isinstance(value, str) and not _matches(pattern, value):
        yield ValidationError("does not match")


def _pattern_properties(validator: Any, patterns: dict[str, Any], value: Any, _: Any) -> Iterator[ValidationError]:
    if isinstance(value, dict):
        for pattern, schema in patterns.items():
            for key, part in value.items():
                if _matches(pattern, key):
                    yield from validator.descend(part, schema, path=key, schema_path=pattern)


def _additional_properties(validator: Any, expected: Any, value: Any, schema: Any) -> Iterator[ValidationError]:
    if isinstance(value, dict):
        known, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
        for key, part in value.items():
            if key not in known and not any(_matches(pattern, key) for pattern in patterns):
                yield from validator.descend(part, expected, path=key)


def _required(_: Any, required: list[str], value: Any, __: Any) -> Iterator[ValidationError]:
    if isinstance(value, dict) and not value.keys() >= set(required):
        yield ValidationError("lacks keys")  # one error for all missing keys


def _unique_items(_: Any, expected: bool, value: Any, __: Any) -> Iterator[ValidationError]:  # noqa: FBT001  (a keyword's value)
    if expected and isinstance(value, list) and len(set(map(equality_key, value))) < len(value):
        yield ValidationError("has an item twice")


Validator: Final = extend(  # type: ignore[no-untyped-call]  # the stubs leave its types out
    Draft202012Validator,
    {
        "pattern": _pattern,
        "required": _required,
        "patternProperties": _pattern_properties,
        "additionalProperties": _additional_properties,
        "uniqueItems": _unique_items,
    },
)
