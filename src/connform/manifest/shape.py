"""Shapes: closed objects whose discriminator selects further keys, and the JSON Schemas made from them.

Layer 1, no IO. A `Shape` is a closed object; the value of its discriminator decides which further
keys are allowed. `selected` makes a flat schema for the one branch that a given object selects, so that one mistake
gives one error; `manifest.published` makes one of all branches, for editors and other validators.
"""

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

Schema: TypeAlias = dict[str, Any]
"""A JSON Schema of one value. `x-compare` says in which spellings it means the same: a `url` (case of the host, default port), a `root`
(a URL where a slash at the end counts no more either), a `path` (`./`), a `header` (case), a `class` (the default is that of the environment),
`json` (no key or value stands for its absence). `x-default-without` names the key beside which its default doesn't hold;
`x-definition`, a recursive schema by its name, which the published one refers to."""


class Snippet(NamedTuple):
    """A snippet that editors offer."""

    label: str
    """Its title, in a few words."""
    body: Mapping[str, Any]
    """An object of the shape; `${2:text}` is a field to fill in (LSP snippet syntax), 1 is the object's name."""


class Shape(NamedTuple):
    """A closed object of the manifest."""

    properties: Mapping[str, "Schema | Shape"] = MappingProxyType({})
    """The keys that are allowed in every branch."""
    required: tuple[str, ...] = ()
    """Those of them that are required."""
    discriminator: str = ""
    """The key whose value selects a branch; empty for none. It is added to the properties."""
    default: str = ""
    """The branch of an object without the discriminator; if empty, the discriminator is required."""
    branches: Mapping[str, "Shape"] = MappingProxyType({})
    """Discriminator value → the keys that it adds."""
    outlines: Mapping[str, "Shape"] = MappingProxyType({})
    """The same with empty schemas but for `x-secret`, for a look through the keys of all branches; empty if that needs no shorter way."""
    description: str = ""
    """One sentence for editors."""
    code: str = "unknown-value"
    """The diagnostic code of an unknown discriminator value."""
    extensible: bool = False
    """Whether packages can add branches: then an unknown discriminator value allows any key. A branch with it allows any key."""
    title: str = ""
    """A few words for editors; empty for a branch."""
    question: str = ""
    """What the discriminator decides, in one sentence for editors."""
    snippets: Iterable[Snippet] = ()
    """The snippets that editors offer where a name is expected."""
    text: Schema | None = None
    """The schema of a text that may stand in place of the object; `None` if none may."""


def selected(shape: Shape, value: object, *, partial: bool = False, only_given: bool = False) -> Schema:
    """Return the flat schema of the branch that `value` selects; if it selects none, that of all branches together.

    With `only_given`, a nested object that `value` lacks has no keys if it has branches, so that these needn't be loaded.
    """
    return _flat(shape, value, _Selection(partial=partial, described=False, only_given=only_given))


class _Selection(NamedTuple):
    """Which parts of a schema are made."""

    partial: bool
    """Whether required keys may be missing."""
    described: bool
    """Whether discriminators have descriptions, which loads all branches."""
    only_given: bool = False
    """As for `selected`."""


def _flat(shape: Shape, value: object, selection: _Selection) -> Schema:
    given = value if isinstance(value, dict) else {}
    properties, required = _collect(shape, given, selection)
    branch = shape.branches.get(_branch(shape, given))
    is_foreign = branch.extensible if branch else shape.extensible and shape.discriminator in given
    schema: Schema = {"type": "object", "properties": properties, "additionalProperties": is_foreign}
    if shape.description:
        schema["description"] = shape.description
    return or_text(shape, {**schema, "required": required} if required else schema)


def or_text(shape: Shape, schema: Schema) -> Schema:
    """Return the schema of a shape's objects, extended by the text that may stand in place of one."""
    return schema if shape.text is None else {**shape.text, **schema, "type": ["string", "object"]}


Signature: TypeAlias = "Callable[[object], tuple[object, ...]]"


def build_signature(shape: Shape) -> Signature:
    """Return a function that returns the discriminator values of an object: `selected` depends on nothing else."""
    nested = {key: part for key, part in shape.properties.items() if _discriminates(part)}
    signatures = [(key, build_signature(part)) for key, part in nested.items()]  # type: ignore[arg-type]  # only a Shape discriminates
    key, default, branches = shape.discriminator, shape.default, shape.branches
    known: dict[str, Signature] = {}

    def sign(value: object) -> tuple[object, ...]:
        if not isinstance(value, dict):
            return ()
        chosen = value.get(key, default)
        if isinstance(chosen, str) and (chosen in known or chosen in branches):
            if chosen not in known:
                branch = branches[chosen]
                known[chosen] = build_signature(branch._replace(properties={**nested, **branch.properties}))
            return (chosen, known[chosen](value))
        return (key in value, (), *[part(value.get(name)) for name, part in signatures])

    return sign if key or signatures else lambda _: ()


def _discriminates(part: Schema | Shape) -> bool:
    return isinstance(part, Shape) and bool(part.discriminator or any(map(_discriminates, part.properties.values())))


class KeysOf(Container[str]):
    """The keys of a shape, of all branches, nested ones included. A branch is read when no key before it was the right one."""

    def __init__(self, shape: Shape, *, of_objects: bool = False) -> None:
        """Take a shape; with `of_objects`, only those of its keys count whose values are objects with keys of their own."""
        self._found: set[str] = set()
        self._others = (key for key, part in _walk(shape) if isinstance(part, Shape) or not of_objects)

    def __contains__(self, key: object) -> bool:
        if key in self._found:
            return True
        for other in self._others:
            self._found.add(other)
            if other == key:
                return True
        return False


def _walk(shape: Shape) -> Iterator[tuple[str, Schema | Shape]]:
    """Yield every key with its schema; the default branch before the others, and shapes with branches last."""
    if shape.discriminator:
        yield shape.discriminator, {}
    nested = [part for part in shape.properties.values() if isinstance(part, Shape)]
    yield from shape.properties.items()
    for part in nested:
        if not _discriminates(part):
            yield from _walk(part)
    if shape.default in shape.branches:
        yield from _walk(shape.branches[shape.default])
    for name, branch in outlined_branches(shape).items():
        if name != shape.default:
            yield from _walk(branch)
    for part in nested:
        if _discriminates(part):
            yield from _walk(part)


def without_required(schema: Schema) -> Schema:
    """Return the schema of an object of one layer: the required keys of the object and of nested ones may stand in another layer."""
    parts = schema.get("properties", {})
    optional = {key: without_required(part) for key, part in parts.items()}
    if "required" not in schema and all(optional[key] is part for key, part in parts.items()):
        return schema
    return {**{word: part for word, part in schema.items() if word != "required"}, "properties": optional}


def outlined_branches(shape: Shape) -> Mapping[str, Shape]:
    """Return the branches, or their outlines, for those who need no more than their keys."""
    return shape.outlines or shape.branches


class Keys(NamedTuple):
    """The keys of a shape, of all branches, nested ones included."""

    of_objects: set[str]
    """Those that hold objects with keys of their own."""
    plain: set[str]
    """Those that hold one value or a list, and secret references nowhere."""
    secret: set[str]
    """Those that hold secret references."""


def keys_by_content(shape: Shape) -> Keys:
    """Return the keys of a shape by what they hold; one name may be a key in several places."""
    found = Keys(set(), set(), set())
    waiting = [shape]
    while waiting:
        one = waiting.pop()
        if one.discriminator:
            found.plain.add(one.discriminator)
        for key, part in one.properties.items():
            if isinstance(part, Shape):
                found.of_objects.add(key)
                waiting.append(part)
            else:
                (found.secret if part.get("x-secret") else found.plain).add(key)
        waiting += outlined_branches(one).values()
    found.plain.difference_update(found.secret)
    return found


def keys(shape: Shape) -> set[str]:
    """Return every key of a shape, of all branches, nested ones included."""
    return set().union(*keys_by_content(shape))


def outer_keys(shape: Shape) -> set[str]:
    """Return the keys of a shape and its branches, without those of nested objects."""
    own = {*shape.properties, shape.discriminator} - {""}
    return own.union(*map(outer_keys, outlined_branches(shape).values()))


def secret_keys(shape: Shape) -> set[str]:
    """Return the keys of a shape, of all branches, that hold secret references."""
    return keys_by_content(shape).secret


def _branch(shape: Shape, value: Mapping[str, Any]) -> str:
    chosen = value.get(shape.discriminator, shape.default)
    return chosen if isinstance(chosen, str) else ""


def _collect(shape: Shape, value: Mapping[str, Any], selection: _Selection) -> tuple[dict[str, Schema], list[str]]:
    properties: dict[str, Schema] = {}
    required = [] if selection.partial else list(shape.required)
    if shape.discriminator:
        properties[shape.discriminator] = discriminator_schema(shape, described=selection.described)
        if not (shape.default or selection.partial):
            required.insert(0, shape.discriminator)
    branch = shape.branches.get(_branch(shape, value))
    for key, part in shape.properties.items():
        if branch is not None and key in branch.properties:
            properties[key] = {}  # that of the branch replaces it
        elif not isinstance(part, Shape):
            properties[key] = without_required(part) if selection.partial else part
        elif selection.only_given and _discriminates(part) and not isinstance(value.get(key), dict):
            properties[key] = {"type": "object"}
        else:
            properties[key] = _flat(part, value.get(key), selection)
    if branch is not None:
        branch_properties, branch_required = _collect(branch, value, selection)
        return properties | branch_properties, required + branch_required
    return properties_of_branches(shape, described=selection.described) | properties, required


def properties_of_branches(shape: Shape, *, described: bool = True) -> dict[str, Schema]:
    """Return the schemas of the keys of all branches; a key with different schemas accepts any value, unless all are secret references."""
    found: dict[str, list[Schema]] = {}
    for branch in shape.branches.values():
        for key, schema in _collect(branch, {}, _Selection(partial=True, described=described))[0].items():
            schemas = found.setdefault(key, [])
            schemas += [] if schema in schemas else [schema]
    # The empty schema accepts everything; the others are for the suggestions of editors.
    return {
        key: schemas[0] if len(schemas) == 1 or all("x-secret" in one for one in schemas) else {"anyOf": [*schemas, {}]}
        for key, schemas in found.items()
    }


def discriminator_schema(shape: Shape, *, described: bool = True) -> Schema:
    """Return the schema of a shape's discriminator; `described` for editors, which loads all branches."""
    schema: Schema = {"enum": list(shape.branches), "x-code": shape.code}
    if shape.default:
        schema["default"] = shape.default
    if shape.question:
        schema["description"] = shape.question
    if not described:
        return schema
    descriptions = [branch.description for branch in shape.branches.values()]
    return {**schema, "enumDescriptions": descriptions} if any(descriptions) else schema
