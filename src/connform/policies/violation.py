"""Violations of a policy, made from the errors of `jsonschema`: what the policy requires, never the value.

Layer 2, no IO. The library's own messages quote the value, so none of them is shown.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import islice, takewhile
from typing import Any, NamedTuple, TypeAlias

from connform.manifest.diagnose import pointer
from connform.manifest.rules import KeyPath
from connform.manifest.violations import in_names
from connform.policies.expand import NOTHING

_MAX_CHARACTERS = 200
"""How many characters of a required value are shown."""
_MAX_VALUES = 20
"""How many of several required values are shown."""
Error: TypeAlias = Any
"""A `jsonschema.ValidationError`. The type stubs say that each of its attributes may be unset."""


class PolicyViolation(NamedTuple):
    """One violation of a policy."""

    path: KeyPath
    """The path in the facts of the connection."""
    detail: str
    """What the policy requires."""
    at_key: bool = False
    """Whether the key is refused instead of its value."""


def violations_of(error: Error) -> Iterator[PolicyViolation]:
    """Yield the violations of an error; alternatives that all fail are one violation, at the path that they share."""
    path: KeyPath = tuple(error.absolute_path)
    if error.context:
        yield _alternatives(error, path)
    elif in_names(error.absolute_schema_path):
        yield PolicyViolation(
            (*path, error.instance), f"{_name((*path, error.instance))} is no allowed key", at_key=True
        )
    elif error.validator == "required":
        missing = (key for key in error.validator_value if key not in error.instance)
        for key in islice(missing, _MAX_VALUES):
            yield PolicyViolation(path, f"{_name((*path, key))} is missing")
    else:
        wording = _WORDINGS.get(error.validator, _any_other)
        yield PolicyViolation(path, f"{_name(path)} {wording(error)}", at_key=error.schema == NOTHING)


def _alternatives(error: Error, path: KeyPath) -> PolicyViolation:
    inner = [(one.schema_path[0], violation) for one in error.context for violation in violations_of(one)]
    required: dict[Any, dict[str, None]] = {}
    for alternative, violation in inner:
        required.setdefault(alternative, {})[violation.detail] = None
    detail = ", or ".join(dict.fromkeys(" and ".join(details) for details in required.values()))
    columns = zip(*(violation.path for _, violation in inner), strict=False)
    shared: KeyPath = tuple(column[0] for column in takewhile(lambda column: len(set(column)) == 1, columns))
    return PolicyViolation(max(shared, path, key=len), detail)


def _name(path: KeyPath) -> str:
    return f"`{pointer(*path)[1:].replace('/', '.')}`" if path else "the connection"


def _plain(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _MAX_CHARACTERS else f"{text[:_MAX_CHARACTERS]}…"


def _any_of(values: list[Any]) -> str:
    shown = " or ".join(map(_quoted, values[:_MAX_VALUES]))
    return f"{shown} or one of {len(values) - _MAX_VALUES} more" if len(values) > _MAX_VALUES else shown


def _quoted(value: Any) -> str:
    return f"`{_plain(value)}`"


def _any_other(error: Error) -> str:
    value = error.validator_value
    if isinstance(value, dict):
        return f"does not satisfy `{error.validator}`"
    return f"does not satisfy `{error.validator}: {_plain(value)}`"


def _not(error: Error) -> str:
    match error.validator_value:
        case {"const": value}:
            return f"must not be {_quoted(value)}"
        case {"enum": values}:
            return f"must not be {_any_of(values)}"
    if error.schema == NOTHING:
        return "is not allowed"
    return "is what the policy forbids"


def _contains(error: Error) -> str:
    match error.validator_value:
        case {"const": value}:
            return f"must contain {_quoted(value)}"
    return "lacks an item that the policy demands"


_WORDINGS: dict[str, Callable[[Error], str]] = {
    "const": lambda error: f"must be {_quoted(error.validator_value)}",
    "enum": lambda error: f"must be {_any_of(error.validator_value)}",
    "not": _not,
    "contains": _contains,
    "oneOf": lambda _: "satisfies more than one of the alternatives",
    "unevaluatedProperties": lambda _: "has a key that is not allowed",
}
"""Keyword → the message of what it requires."""
