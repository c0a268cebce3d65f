"""The published JSON Schemas of shapes, in draft-07, which editors and validators in all languages read. Layer 1, no IO.

Draft-07 has no `unevaluatedProperties`. Each branch is therefore a closed schema behind an `if`, and repeats the keys of
the object around it. VS Code and yaml-language-server also read `defaultSnippets` and
`enumDescriptions`, which the draft doesn't have.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain, count
from types import MappingProxyType
from typing import Any, NamedTuple

from connform.manifest.shape import (
    Schema,
    Shape,
    Snippet,
    discriminator_schema,
    or_text,
    outer_keys,
    properties_of_branches,
    without_required,
)


class LayeredSchemas(NamedTuple):
    """The schemas of objects that may inherit keys."""

    chosen: Schema
    """The keys of the branch that an object chooses itself; none is required."""
    undecided: Schema
    """The keys of an object that chooses no branch, where what it inherits may choose one."""
    default: Schema
    """The keys of an object that chooses no branch and inherits nothing."""
    requirements: Schema
    """The keys that must be there if nothing is inherited."""


class Composer:
    """Makes the schemas of shapes, and keeps the definitions of nested ones that they share."""

    def __init__(self) -> None:
        self.definitions: dict[str, Schema] = {}
        """Name → schema, for `definitions` of the document."""

    def compose(self, shape: Shape, *, partial: bool = False) -> Schema:
        """Return the schema of a shape.

        Args:
            shape: the object.
            partial: whether no key is required (`defaults`, templates, and connections that inherit).
        """
        return or_text(shape, {"type": "object", **_annotations(shape), **self._chain(shape, {}, (), partial=partial)})

    def compose_layered(self, shape: Shape) -> LayeredSchemas:
        """Return the schemas of a shape with a default branch whose objects may inherit keys, the branch among them."""
        key, chain = shape.discriminator, self._chain(shape, {}, (), partial=True)
        *chosen, undecided = chain["allOf"]
        default = next(one["then"] for one in chosen if one["if"]["properties"][key] == {"const": shape.default})
        return LayeredSchemas(
            {"type": "object", **_annotations(shape), **chain, "allOf": chosen},
            undecided,
            {"if": undecided["if"], "else": default},
            _requirements(shape),
        )

    def _chain(
        self, shape: Shape, above: Mapping[str, Any], required_above: tuple[str, ...], *, partial: bool
    ) -> Schema:
        """Return the closed keys of a shape, one alternative for each value of its discriminator.

        Args:
            shape: the object, or a branch of it.
            above: the schemas of the keys of the object around a branch.
            required_above: those of them that are required.
            partial: nothing is required.
        """
        key = shape.discriminator
        own = {name: self._part(name, part, partial=partial) for name, part in shape.properties.items()}
        properties = {**({key: {}} if key else {}), **above, **own}
        required = () if partial else (*required_above, *shape.required)
        if not key:
            return _closed(properties, required)
        alternatives: list[Schema] = []
        for name, branch in shape.branches.items():
            chosen = _chosen(key, name, is_default=not partial and name == shape.default)
            alternatives.append({"if": chosen, "then": self._chain(branch, properties, required, partial=partial)})
        schema: Schema = {"properties": {key: discriminator_schema(shape)}}
        if partial:  # another layer may choose the branch
            several = {name: self._of_several(name, part, shape) for name, part in shape.properties.items()}
            undecided = _closed(
                properties_of_branches(shape) | properties | {k: v for k, v in several.items() if v}, ()
            )
            alternatives.append({"if": {"required": [key]}, "else": undecided})
        elif not shape.default:
            schema["required"] = [key]
        return {**schema, "allOf": alternatives}

    def _of_several(self, name: str, part: Schema | Shape, around: Shape) -> Schema:
        """Return the schema of a nested object for which branches have other shapes: it accepts their keys as well.

        Empty where no branch has one.
        """
        others = [one for branch in around.branches.values() if isinstance(one := branch.properties.get(name), Shape)]
        if not isinstance(part, Shape) or not others:
            return {}
        key, known = part.discriminator, part.branches
        further: dict[str, Schema | Shape] = {one: {} for other in others for one in sorted(outer_keys(other))}
        widened = {
            chosen: branch._replace(properties={**further, **branch.properties}) for chosen, branch in known.items()
        }
        schema = self.compose(part._replace(branches=widened), partial=True)
        undecided = schema["allOf"][-1]
        undecided["if"]["properties"] = {key: {"enum": list(known)}}
        undecided["else"]["properties"] |= properties_of_branches(part)
        choices = dict.fromkeys([*known, *(chosen for other in others for chosen in other.branches)])
        return {**schema, "properties": {key: {**schema["properties"][key], "enum": list(choices)}}}

    def _part(self, name: str, part: Schema | Shape, *, partial: bool) -> Schema:
        """Return the schema of one key; that of an object becomes a definition."""
        if not isinstance(part, Shape):
            return without_required(part) if partial else part
        schema = self.compose(part, partial=partial)
        name = f"{name}-part" if partial else name
        numbered = (f"{name}-{number}" for number in count(2))  # a provider has auth methods of its own
        name = next(one for one in chain((name,), numbered) if self.definitions.setdefault(one, schema) == schema)
        return {"$ref": f"#/definitions/{name}"}


def _requirements(shape: Shape, above: Mapping[str, Schema] = MappingProxyType({})) -> Schema:
    """Return a schema of the keys that a shape and its nested objects require, for what its partial schema accepts.

    Args:
        shape: the object, or a branch of it.
        above: what the nested objects of the object around a branch require; those of a branch replace them.
    """
    key = shape.discriminator
    own = {
        name: _requirements(part) if isinstance(part, Shape) else _required_keys(part)
        for name, part in shape.properties.items()
    }
    nested = {**above, **own}
    alternatives = [
        {"if": _chosen(key, name, is_default=name == shape.default), "then": found}
        for name, branch in shape.branches.items()
        if (found := _requirements(branch, nested))
    ]
    parts = {
        "required": [*([key] if key and not shape.default else []), *shape.required],
        "properties": {} if key else {name: part for name, part in nested.items() if part},
        "allOf": alternatives,
    }
    return {word: part for word, part in parts.items() if part}


def _required_keys(schema: Schema) -> Schema:
    """Return a schema of the keys that an object and its nested objects require."""
    nested = {key: found for key, part in schema.get("properties", {}).items() if (found := _required_keys(part))}
    parts = {"required": schema.get("required"), "properties": nested}
    return {word: part for word, part in parts.items() if part}


def _chosen(key: str, name: str, *, is_default: bool) -> Schema:
    """Return a schema of the objects that choose a branch."""
    schema: Schema = {"properties": {key: {"const": name}}}
    return schema if is_default else {**schema, "required": [key]}


def with_definitions(schema: Schema) -> Schema:
    """Return a copy of a schema that has each `x-definition` of its parts among its `definitions`."""
    found: dict[str, Schema] = {}
    copy: Schema = _refer(schema, found)
    return {**copy, "definitions": copy.get("definitions", {}) | found} if found else copy


def _refer(schema: Any, definitions: dict[str, Schema]) -> Any:
    if isinstance(schema, list):
        return [_refer(part, definitions) for part in schema]
    if not isinstance(schema, dict):
        return schema
    copy = {word: _refer(part, definitions) for word, part in schema.items() if word != "x-definition"}
    for name, definition in schema.get("x-definition", {}).items():
        definitions[name] = definition
        copy["allOf"] = [{"$ref": f"#/definitions/{name}"}]
    return copy


def _annotations(shape: Shape) -> Schema:
    texts = {"title": shape.title, "description": shape.description}
    return {key: text for key, text in texts.items() if text}


def named_snippets(shape: Shape) -> list[Schema]:
    """Return the `defaultSnippets` of a mapping from names to objects of a shape."""
    return [{"label": one.label, "body": {"${1:name}": one.body}} for one in _snippets(shape)]


def _snippets(shape: Shape) -> Iterator[Snippet]:
    yield from shape.snippets
    for branch in shape.branches.values():
        yield from _snippets(branch)


def _closed(properties: Schema, required: tuple[str, ...]) -> Schema:
    schema: Schema = {"properties": properties, "additionalProperties": False}
    return {**schema, "required": list(required)} if required else schema
