"""Values that a body schema accepts, and answers with them, for the simulator.

Layer 2, no IO.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from connform.providers.body_schema import matches
from connform.providers.interface import Answer

_MAX_ITEMS = 1000
_SIMPLE: tuple[Any, ...] = (None, True, 0, "", [], {})
_KIND_OF_KEYWORD = {
    "required": "object",
    "properties": "object",
    "items": "array",
    "minItems": "array",
    "pattern": "string",
}


def sample(schema: Mapping[str, Any]) -> Any:
    """Return a value that a schema without findings accepts; where none is found, any value."""
    made = schema["enum"] if "enum" in schema else [schema["const"] if "const" in schema else _made(schema)]
    return next((value for value in (*made, *_SIMPLE) if matches(schema, value)), None)


def json_answer(status: int, content: Any, headers: Mapping[str, str] = MappingProxyType({})) -> Answer:
    """Return an answer with a JSON body."""
    body = json.dumps(content).encode()
    return Answer(status, {"content-type": "application/json", **headers}, content, is_json=True, body=body)


def text_answer(status: int, text: str, headers: Mapping[str, str] = MappingProxyType({})) -> Answer:
    """Return an answer whose body is a text, or empty."""
    return Answer(status, {"content-type": "text/plain", **headers}, body=text.encode())


def _made(schema: Mapping[str, Any]) -> Any:
    return _MAKERS[_kind(schema)](schema)


def _kind(schema: Mapping[str, Any]) -> str:
    named: str | list[str] = schema.get("type", [])
    kinds = [named] if isinstance(named, str) else named
    implied = next((kind for word, kind in _KIND_OF_KEYWORD.items() if word in schema), "object")
    return implied if implied in kinds or not kinds else kinds[0]


def _object(schema: Mapping[str, Any]) -> dict[str, Any]:
    parts = schema.get("properties", {})
    return {key: sample(parts.get(key, {})) for key in schema.get("required", ())}


def _array(schema: Mapping[str, Any]) -> list[Any]:
    number = min(schema.get("minItems", 0), _MAX_ITEMS)
    return [sample(schema.get("items", {})) for _ in range(number)]


def _string(schema: Mapping[str, Any]) -> str:
    from connform.manifest.pattern import example  # imported here for start-up

    return example(schema["pattern"]) if "pattern" in schema else ""


_MAKERS: dict[str, Callable[[Mapping[str, Any]], Any]] = {
    "object": _object,
    "array": _array,
    "string": _string,
    "number": lambda _: 0,
    "integer": lambda _: 0,
    "boolean": lambda _: True,
    "null": lambda _: None,
}
