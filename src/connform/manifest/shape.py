"""Shapes: closed objects whose discriminator selects further keys, and the JSON Schemas made from them.

Layer 1, no IO. A `Shape` is a closed object; the value of its discriminator decides which further
keys are allowed. These schemas are made from it, and accept the same documents:

- `published`: with `if/then` on the discriminators, for other validators; `manifest.editors` makes one for editors;
- `selected`: flat, for the one branch that a given object selects, so that one mistake gives one error.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Schema: TypeAlias = dict[str, Any]
"""A JSON Schema (2020-12) of one value."""


class Snippet(NamedTuple):
    """What an editor offers to write."""

    label: str
    """What it is, in a few words."""
    body: Mapping[str, Any]
    """An object of the shape; `${2:text}` is a place to fill in (LSP snippet syntax), 1 is the object's name."""


class Shape(NamedTuple):
    """A closed object of the manifest."""

    properties: Mapping[str, Schema | Shape] = MappingProxyType({})
    """The keys that always belong."""
    required: tuple[str, ...] = ()
    """Those of them that must be there."""
    discriminator: str = ""
    """The key whose value selects a branch; empty for none. It is added to the properties."""
    default: str = ""
    """The branch of an object that lacks its discriminator; empty: the discriminator is required."""
    branches: Mapping[str, Shape] = MappingProxyType({})
    """Discriminator value → what that branch adds."""
    description: str = ""
    """One sentence for editors."""
    code: str = "unknown-value"
    """The diagnostic code of an unknown discriminator value."""
    extensible: bool = False
    """Whether packages add branches: then nothing is known of the other keys of an unknown one."""
    title: str = ""
    """A few words for editors; empty for a branch."""
    question: str = ""
    """What the discriminator decides, in one sentence for editors."""
    snippets: tuple[Snippet, ...] = ()
    """What editors offer to write, where a name is expected."""


def published(shape: Shape, *, partial: bool = False) -> Schema:
    """Return the schema of a shape with `if/then` on its discriminators.

    Args:
        shape: the object.
        partial: nothing is required (`defaults`, templates, and connections that inherit).
    """
    return {"type": "object", **_open(shape, partial=partial), "unevaluatedProperties": False}


def selected(shape: Shape, value: object, *, partial: bool = False) -> Schema:
    """Return the flat schema of the branch that `value` selects; where it selects none, of all branches together."""
    given = value if isinstance(value, dict) else {}
    properties, required = _collect(shape, given, partial=partial)
    is_foreign = shape.extensible and shape.discriminator in given and _branch(shape, given) not in shape.branches
    schema: Schema = {"type": "object", "properties": properties, "additionalProperties": is_foreign}
    if shape.description:
        schema["description"] = shape.description
    return {**schema, "required": required} if required else schema


Signature: TypeAlias = "Callable[[object], tuple[object, ...]]"


def build_signature(shape: Shape) -> Signature:
    """Return a function from an object to what `selected` depends on: the values of its discriminators."""
    nested = [(key, build_signature(part)) for key, part in shape.properties.items() if _discriminates(part)]  # type: ignore[arg-type]  # only a Shape does
    key, default, branches = shape.discriminator, shape.default, shape.branches
    known: dict[str, Signature] = {}

    def sign(value: object) -> tuple[object, ...]:
        if not isinstance(value, dict):
            return ()
        chosen = value.get(key, default)
        signed = [part(value.get(name)) for name, part in nested]
        if not (isinstance(chosen, str) and chosen in branches):
            return (key in value, (), *signed)
        if chosen not in known:
            known[chosen] = build_signature(branches[chosen])
        return (chosen, known[chosen](value), *signed)

    return sign


def _discriminates(part: Schema | Shape) -> bool:
    return isinstance(part, Shape) and bool(part.discriminator or any(map(_discriminates, part.properties.values())))


def keys(shape: Shape) -> set[str]:
    """Return every key of a shape, in whichever branch, nested ones included."""
    found = {shape.discriminator} - {""}
    for key, part in shape.properties.items():
        found |= {key} | (keys(part) if isinstance(part, Shape) else set())
    return found.union(*(keys(branch) for branch in shape.branches.values()))


def plain_keys(shape: Shape) -> set[str]:
    """Return the keys of a shape that hold one value or a list and no secret reference, in whichever branch."""
    nested = {key for key, part in shape.properties.items() if isinstance(part, Shape)}
    found = {shape.discriminator} - {""} | shape.properties.keys() - nested
    parts = [part for part in shape.properties.values() if isinstance(part, Shape)]
    return found.union(*map(plain_keys, (*parts, *shape.branches.values()))) - secret_keys(shape)


def secret_keys(shape: Shape) -> set[str]:
    """Return the keys of a shape that are typed as secret references, in whichever branch."""
    found: set[str] = set()
    for key, part in shape.properties.items():
        if isinstance(part, Shape):
            found |= secret_keys(part)
        elif part.get("x-secret"):
            found.add(key)
    return found.union(*(secret_keys(branch) for branch in shape.branches.values()))


def _branch(shape: Shape, value: Mapping[str, Any]) -> str:
    chosen = value.get(shape.discriminator, shape.default)
    return chosen if isinstance(chosen, str) else ""


def _collect(shape: Shape, value: Mapping[str, Any], *, partial: bool) -> tuple[dict[str, Schema], list[str]]:
    properties: dict[str, Schema] = {}
    required = [] if partial else list(shape.required)
    if shape.discriminator:
        properties[shape.discriminator] = choice(shape)
        if not (shape.default or partial):
            required.insert(0, shape.discriminator)
    for key, part in shape.properties.items():
        properties[key] = selected(part, value.get(key), partial=partial) if isinstance(part, Shape) else part
    branch = shape.branches.get(_branch(shape, value))
    if branch is not None:
        more, demanded = _collect(branch, value, partial=partial)
        return properties | more, required + demanded
    return union(shape) | properties, required


def union(shape: Shape) -> dict[str, Schema]:
    """Return every key of every branch; a key that branches disagree on may be anything."""
    together: dict[str, list[Schema]] = {}
    for branch in shape.branches.values():
        for key, schema in _collect(branch, {}, partial=True)[0].items():
            opinions = together.setdefault(key, [])
            opinions += [] if schema in opinions else [schema]
    # An empty schema accepts everything; the others beside it are what an editor offers.
    return {key: found[0] if len(found) == 1 else {"anyOf": [*found, {}]} for key, found in together.items()}


def choice(shape: Shape) -> Schema:
    """Return the schema of a shape's discriminator."""
    schema: Schema = {"enum": list(shape.branches), "x-code": shape.code}
    if shape.question:
        schema["description"] = shape.question
    told = [branch.description for branch in shape.branches.values()]
    return {**schema, "enumDescriptions": told} if any(told) else schema


def about(shape: Shape) -> Schema:
    """Return what a schema tells people of a shape."""
    told = {"title": shape.title, "description": shape.description}
    return {key: text for key, text in told.items() if text}


def _open(shape: Shape, *, partial: bool) -> Schema:
    """Return the schema of a shape's keys, still open for further ones."""
    properties: dict[str, Schema] = {}
    required = [] if partial else list(shape.required)
    if shape.discriminator:
        properties[shape.discriminator] = choice(shape)
        if not (shape.default or partial):
            required.insert(0, shape.discriminator)
    for key, part in shape.properties.items():
        properties[key] = published(part, partial=partial) if isinstance(part, Shape) else part
    schema: Schema = {**about(shape), "properties": properties}
    if required:
        schema["required"] = required
    if shape.branches:
        schema["allOf"] = _conditions(shape, partial=partial)
    return schema


def _conditions(shape: Shape, *, partial: bool) -> list[Schema]:
    key = shape.discriminator
    conditions: list[Schema] = []
    for name, branch in shape.branches.items():
        chosen: Schema = {"properties": {key: {"const": name}}}
        if partial or name != shape.default:
            chosen["required"] = [key]
        conditions.append({"if": chosen, "then": _open(branch, partial=partial)})
    if partial:
        absent: Schema = {"not": {"required": [key]}}
        conditions.append({"if": absent, "then": {"properties": union(shape)}})
    return conditions
