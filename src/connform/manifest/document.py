"""Turns the trees of a run's files into entries: connections, templates and stores by name, inheritance resolved.

Layer 1, no IO. All files of a run share one namespace; `defaults` reach the connections of their own file.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from connform.diagnostics import Related
from connform.manifest.harmless import shown_name
from connform.manifest.nodes import Map, locate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connform.diagnostics import Span
    from connform.manifest.shape import Schema

NAME: Final = r"^[a-z0-9][a-z0-9._-]{0,62}(?!\n)$"


_NAME_MESSAGE: Final = (
    "a name starts with a small letter or a digit, and goes on with small letters, digits, `-`, `_` or `.` (63 at most)"
)


def _named(entry: Schema, title: str, description: str) -> Schema:
    return {
        "type": "object",
        "title": title,
        "description": description,
        "propertyNames": {"title": "name", "pattern": NAME, "errorMessage": _NAME_MESSAGE},
        "additionalProperties": entry,
    }


_NEW_NAME: Final[Schema] = {
    "type": "string",
    "pattern": NAME,
    "x-code": "bad-name",
    "description": "The name that the connection has now.",
    "errorMessage": _NAME_MESSAGE,
}


def frame(connections: Schema, templates: Schema, defaults: Schema, stores: Schema) -> Schema:
    """Return the schema of a whole document, given the schemas of its parts."""
    return {
        "type": "object",
        "properties": {
            "version": {
                "const": 1,
                "x-code": "unsupported-version",
                "description": "The version of this format: 1.",
                "errorMessage": "this connform reads version 1: write `version: 1`",
            },
            "stores": _named(
                stores, "Stores", "Places where secrets lie, by name; references use the name as their scheme."
            ),
            "defaults": defaults,
            "templates": _named(
                templates, "Templates", "What several connections share, by name; a connection `extends` one."
            ),
            "connections": _named(connections, "Connections", "The connections, by name."),
            "moved": _named(
                _NEW_NAME,
                "Renames",
                "Connections that were renamed, the old name before the new one: state and grant move along.",
            ),
        },
        "required": ["version", "connections"],
        "additionalProperties": False,
    }


class Layer(NamedTuple):
    """One source of a connection's values."""

    origin: str
    """`connection`, `template portal` or `defaults`."""
    node: Map
    """What it says."""

    def has(self, path: tuple[Any, ...]) -> bool:
        """Whether it says something at a path of keys."""
        here: Any = self.node
        for part in path:
            if not isinstance(here, dict) or part not in here:
                return False
            here = here[part]
        return True


@dataclass(slots=True)
class Entry:
    """A named connection, template or store, as it stands in its file."""

    kind: str
    """`connections`, `templates` or `stores`."""
    name: str
    """Its key."""
    node: Map
    """Its own keys."""
    span: Span
    """The place of its name."""
    base: str
    """The folder of its file."""
    defaults: Map | None = None
    """The `defaults` of its file."""
    layers: tuple[Layer, ...] = field(default=())
    """Where its values come from, the strongest first; set by `inherit`."""
    effective: Map = field(init=False)
    """All of its values; set by `inherit`."""
    sound: bool = field(default=False, init=False)
    """Whether its effective values have no error; set by `manifest.validate`, of connections."""

    @property
    def tags(self) -> list[str]:
        """Its effective tags, as far as they are a list."""
        tags: object = self.effective.get("tags") if self.layers else None
        return [str(tag) for tag in tags] if isinstance(tags, list) else []

    def place(self, path: tuple[str | int, ...]) -> Span:
        """Return where the effective value at a path stands; the nearest thing above it where it doesn't."""
        return locate(self.effective, path, self.span)

    def origin(self, path: tuple[Any, ...]) -> str:
        """Return which layer the value at a path comes from, or an empty string where there is none."""
        return next((layer.origin for layer in self.layers if layer.has(path)), "")

    def layer(self, path: tuple[Any, ...]) -> Layer:
        """Return the strongest layer that has the value at a path, or the nearest thing above it."""
        for end in range(len(path), -1, -1):
            for layer in self.layers:
                if layer.has(path[:end]):
                    return layer
        return Layer("connection", self.node)  # what it extends is unknown


class InheritanceError(Exception):
    """`extends` names no template, or ends in a circle."""

    def __init__(
        self,
        node: Map,
        detail: str,
        wanted: str = "",
        code: str = "unknown-template",
        related: tuple[Related, ...] = (),
    ) -> None:
        super().__init__(detail)
        self.node = node
        """Whose `extends` is wrong."""
        self.detail = detail
        self.wanted = wanted
        """The name that no template has."""
        self.code = code
        self.related = related
        """The other members of a circle."""


def inherit(entry: Entry, templates: dict[str, Entry]) -> None:
    """Set an entry's layers and effective values: `defaults` < template < its own.

    Raises:
        InheritanceError: an unknown template, or a circle.
    """
    layers = [Layer("connection", entry.node), *_ancestors(entry, templates)]
    if entry.defaults and entry.kind == "connections":
        layers.append(Layer("defaults", entry.defaults))
    entry.layers = tuple(layers)
    if len(layers) == 1:
        entry.effective = entry.node
        return
    merged = layers[-1].node
    for layer in reversed(layers[:-1]):
        merged = _merge(merged, layer.node)
    merged.pop("extends", None)
    entry.effective = merged


def _ancestors(entry: Entry, templates: dict[str, Entry]) -> Iterator[Layer]:
    seen = [entry.name] if entry.kind == "templates" else []
    node = entry.node
    while "extends" in node:
        name = node["extends"]
        if not isinstance(name, str):
            raise InheritanceError(node, "a text belongs here", code="wrong-type")
        if name not in templates:
            raise InheritanceError(node, "no template has that name", name)
        if name in seen:
            raise _circle(seen[seen.index(name) :], templates)
        seen.append(name)
        node = templates[name].node
        yield Layer(f"template {name}", node)


def _circle(names: list[str], templates: dict[str, Entry]) -> InheritanceError:
    """Return the error of a circle, the same from wherever it is entered."""
    first = min(range(len(names)), key=lambda index: templates[names[index]].span)
    ring = [*names[first:], *names[: first + 1]]
    detail = f"the templates extend each other in a circle: {' → '.join(map(shown_name, ring))}"
    others = tuple(
        Related(
            f"template {shown_name(name)} extends {shown_name(str(templates[name].node['extends']))} here",
            templates[name].node.value_span("extends"),
        )
        for name in ring[1:-1]
    )
    return InheritanceError(templates[ring[0]].node, detail, related=others)


def _merge(below: Map, above: Map) -> Map:
    """Merge mappings, replace everything else. The places come along."""
    merged = Map(above.start)
    merged.update(below)
    merged.marks.update(below.marks)
    for key, value in above.items():
        under = below.get(key)
        both = isinstance(value, Map) and isinstance(under, Map)
        merged[key] = _merge(under, value) if both else value  # type: ignore[arg-type]  # both are Maps
        merged.marks[key] = above.marks[key]
    return merged
