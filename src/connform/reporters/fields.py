"""`JsonObject`: the declaration of an object's fields, from which its JSON and its JSON Schema are computed. Layer 4, no IO."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any, Generic, TypeAlias, TypeVar

from connform.lazy_property import lazy_property

T = TypeVar("T")
Schema = dict[str, Any]
"""A JSON Schema."""

Field: TypeAlias = (
    tuple[Schema, str]
    | tuple[Schema | Callable[[], Schema], str, Callable[[Any], Any]]
    | tuple[Schema, Callable[[T], Any]]
)
"""The schema of a field, and its value: an attribute, a function of an attribute, or a function of the object."""
Fields: TypeAlias = dict[str, Schema | Field[T]]
"""JSON name → field, in the order of the output. A schema alone is for the attribute of that name."""


class JsonObject(Generic[T]):
    """A JSON object that shows a `T` of the engine."""

    def __init__(
        self,
        description: str,
        fields: Fields[T],
        *optional: tuple[str, Fields[T]],
        facts: str = "",
        facts_schemas: dict[str, Schema] | None = None,
        is_nullable: bool = False,
    ) -> None:
        """Take the fields.

        Args:
            description: what the object is.
            fields: the fields that the schema requires.
            optional: an attribute, and the fields that the object has if that attribute is true.
            facts: an attribute with further keys. They never replace a field.
            facts_schemas: their schemas; without them, the schema allows any key.
            is_nullable: whether null can stand for the object.
        """
        self._description = description
        self._facts = facts
        self._facts_schemas = facts_schemas
        self._is_nullable = is_nullable
        self._groups = [(attribute, _with_values(group)) for attribute, group in (("", fields), *optional)]

    @lazy_property
    def schema(self) -> Schema:
        """The JSON Schema of the object."""
        required, *others = ({name: _schema(field) for name, field in group.items()} for _, group in self._groups)
        facts = self._facts_schemas or {}
        return {
            "type": ["object", "null"] if self._is_nullable else "object",
            "description": self._description,
            "properties": {name: schema for group in (required, facts, *others) for name, schema in group.items()},
            "required": list(required),
            **({} if self._facts and self._facts_schemas is None else {"additionalProperties": False}),
        }

    @lazy_property
    def view(self) -> Callable[[T], dict[str, Any]]:
        """The function that makes the JSON object."""
        (_, fields), *optional = self._groups
        required = _reader(fields)
        others = [(attribute, cache(partial(_reader, group))) for attribute, group in optional]  # few are ever there
        facts = self._facts

        def view(item: T) -> dict[str, Any]:
            made = required(item)
            if facts and (more := getattr(item, facts)):
                made |= {name: value for name, value in more.items() if name not in made}
            for attribute, read in others:
                if getattr(item, attribute):
                    made |= read()(item)
            return made

        return view

    def one(self, attribute: str) -> Field[Any]:
        """Return the field for an attribute that holds one object, or `None`."""
        return lambda: self.schema, attribute, lambda item: None if item is None else self.view(item)

    def each(self, attribute: str, description: str = "") -> Field[Any]:
        """Return the field for an attribute that holds several objects."""
        return (
            lambda: array(self.schema, description),
            attribute,
            lambda items: list(map(self.view, items)) if items else [],
        )


def each_of(find: Callable[[], JsonObject[Any]], attribute: str) -> Field[Any]:
    """Return the field for an attribute that holds several objects; `find` imports what shows them, once there is one."""
    return (
        lambda: array(find().schema),
        attribute,
        lambda items: list(map(find().view, items)) if items else [],
    )


def _schema(field: Field[Any]) -> Schema:
    return field[0]() if callable(field[0]) else field[0]


def _with_values(fields: Fields[T]) -> dict[str, Field[T]]:
    return {name: field if isinstance(field, tuple) else (field, name) for name, field in fields.items()}


def _reader(fields: dict[str, Field[T]]) -> Callable[[T], dict[str, Any]]:
    """Return the function that reads the values of fields; compiled as one expression, as Python does it for named tuples."""
    functions = {f"f{number}": field[-1] for number, field in enumerate(fields.values()) if callable(field[-1])}
    values = [
        f"{name!r}: " + (f"f{number}({value})" if f"f{number}" in functions else value)
        for number, (name, field) in enumerate(fields.items())
        for value in [f"item.{field[1]}" if isinstance(field[1], str) else "item"]
    ]
    read: Callable[[T], dict[str, Any]] = eval(f"lambda item: {{{', '.join(values)}}}", functions)  # noqa: S307  (constants of this package)
    return read


def text(description: str = "", **more: Any) -> Schema:
    """Return the schema of a text."""
    return {"type": "string", **more, **({"description": description} if description else {})}


def array(items: Schema, description: str = "") -> Schema:
    """Return the schema of a list."""
    return {"type": "array", "items": items, **({"description": description} if description else {})}


COUNT: Schema = {"type": "integer", "minimum": 0}
MILLISECONDS: Schema = {"type": "number", "minimum": 0, "description": "Milliseconds, to a tenth."}
ELAPSED: Field[Any] = (MILLISECONDS, "elapsed_s", lambda seconds: round(seconds * 1000, 1))

_POSITION: Schema = {"type": "integer", "minimum": 1, "description": "1-based; columns count characters."}
_POSITION_OR_NONE: Schema = _POSITION | {"type": ["integer", "null"]}
# The fields of a place, for objects that have a `span`; and for those that have a `place`, which may be `None`.
SPAN: Fields[Any] = {
    "file": (text("As it was named; `<stdin>` for standard input."), "span.file"),
    "line": (_POSITION, "span.line"),
    "column": (_POSITION, "span.column"),
    "end_line": (_POSITION, "span.end_line"),
    "end_column": (_POSITION | {"description": "Just behind the last character."}, "span.end_column"),
}
PLACE: Fields[Any] = {
    "file": (
        text("As it was named; empty where there is no place."),
        "place",
        lambda place: place.file if place else "",
    ),
    "line": (_POSITION_OR_NONE, "place", lambda place: place and place.line),
    "column": (_POSITION_OR_NONE, "place", lambda place: place and place.column),
    "end_line": (_POSITION_OR_NONE, "place", lambda place: place and place.end_line),
    "end_column": (
        _POSITION_OR_NONE | {"description": "Just behind the last character."},
        "place",
        lambda place: place and place.end_column,
    ),
}
