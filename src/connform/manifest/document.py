"""Entries of a run's files (connections, templates, stores, providers), and inheritance.

Layer 1, no IO. All files of a run share one namespace; `defaults` apply to the connections of their own file only.
"""

from collections.abc import Container, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

from connform.diagnostics import Related, Span
from connform.manifest.harmless import shown_name
from connform.manifest.nodes import Map, Node, Seq, locate

MAX_TEMPLATES = 32
"""How many templates may extend each other in a row."""
_SIZE_OF_A_NODE = 64
"""One key or item counts as this many characters."""
_FREE_CHARACTERS = 4_096
"""A connection may inherit this many characters, some fifty keys, which don't count towards the limit."""


class Layer(NamedTuple):
    """One source of a connection's values."""

    origin: str
    """`connection`, `template portal` or `defaults`."""
    node: Map
    """Its keys and values."""

    def has(self, path: tuple[Any, ...]) -> bool:
        """Whether it has a value at a path of keys."""
        here: Any = self.node
        for part in path:
            if not isinstance(here, dict) or part not in here:
                return False
            here = here[part]
        return True


class Entry:
    """The declaration of a connection, template, store or provider."""

    __slots__ = ("_span", "base", "defaults", "effective", "inherited", "is_valid", "kind", "name", "node", "section")
    effective: Map
    """All of its values, inherited ones included; set by `Inheritance`."""

    def __init__(
        self,
        kind: str,
        name: str,
        node: Map,
        section: Map,
        base: str,
        defaults: Map | None = None,
    ) -> None:
        self.kind = kind
        """`connections`, `templates`, `stores` or `providers`."""
        self.name = name
        """Its key."""
        self.node = node
        """Its own keys."""
        self.section = section
        """The mapping that has it: its name, or `defaults`, is a key of it."""
        self.base = base
        """The folder of its file."""
        self.defaults = defaults
        """The `defaults` of its file."""
        self.inherited: tuple[Layer, ...] | None = None
        """The sources of what it inherits, the one with the highest precedence first; set by `Inheritance`."""
        self.is_valid = False
        """Whether its effective values have no error; set by `manifest.validate`, of connections and providers."""
        self._span: Span | None = None

    @property
    def span(self) -> Span:
        """The span of its name."""
        if self._span is None:
            self._span = self.section.key_span("defaults" if self.kind == "defaults" else self.name)
        return self._span

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The sources of its values, the one with the highest precedence first; none before `Inheritance` has found them."""
        return () if self.inherited is None else (Layer("connection", self.node), *self.inherited)

    @property
    def file(self) -> str:
        """The name of its file."""
        return self.section.file_of(self.name)

    @property
    def tags(self) -> list[str]:
        """Its effective tags; empty if they aren't a list."""
        tags: object = None if self.inherited is None else self.effective.get("tags")
        return [str(tag) for tag in tags] if isinstance(tags, list) else []

    def place(self, path: tuple[str | int, ...]) -> Span:
        """Return the span of the effective value at a path, or else of the nearest value around it."""
        return locate(self.effective, path, self.span)

    def origin(self, path: tuple[Any, ...]) -> str:
        """Return the layer that the value at a path comes from; empty if there is no such value."""
        return next((layer.origin for layer in self.layers if layer.has(path)), "")

    def layer(self, path: tuple[Any, ...]) -> Layer:
        """Return the first layer that has the value at a path, or else the nearest value around it."""
        for end in range(len(path), -1, -1):
            for layer in self.layers:
                if layer.has(path[:end]):
                    return layer
        return Layer("connection", self.node)  # its template is unknown


class InheritanceError(Exception):
    """What an entry inherits can't be resolved."""

    def __init__(
        self,
        node: Map,
        detail: str,
        template: str = "",
        code: str = "unknown-template",
        related: tuple[Related, ...] = (),
        at: str = "extends",
    ) -> None:
        super().__init__(detail)
        self.node = node
        """The mapping with the mistake."""
        self.at = at
        """The key that is wrong; empty if it is the mapping as a whole."""
        self.detail = detail
        self.template = template
        """The name that no template has."""
        self.code = code
        self.related = related
        """The other templates of a circle."""


class Inheritance:
    """Merges entries with what they inherit; a template and its own templates are merged once."""

    def __init__(
        self, templates: Mapping[str, Entry], known: Container[str], objects: Container[str], max_characters: int
    ) -> None:
        """Take the templates.

        Args:
            templates: those of the run.
            known: the keys of a connection, nested ones included. Other keys of a template are reported there, and not
                inherited.
            objects: those whose value is an object with known keys; in any other value, every key is inherited.
            max_characters: how much all connections together may inherit.
        """
        self._templates = templates
        self._known = known
        self._objects = objects
        self._characters_left = max_characters
        self._merged: dict[tuple[str, int], tuple[Map, int]] = {}
        self._pruned: dict[int, Map] = {}
        self._sizes: dict[int, int] = {}

    def resolve(self, entry: Entry) -> None:
        """Set what an entry inherits and its effective values: `defaults` < template < its own.

        Raises:
            InheritanceError: an unknown template, a circle, too many templates, or too much content.
        """
        inherited = self._ancestors(entry)
        if entry.defaults and entry.kind == "connections":
            inherited.append(Layer("defaults", entry.defaults))
        if inherited:
            lower, size = self._merge_layers(inherited, (str(entry.node.get("extends", "")), id(entry.defaults)))
            if entry.kind == "connections" and size > _FREE_CHARACTERS:
                self._characters_left -= size
                if self._characters_left < 0:
                    place = "extends" if "extends" in entry.node else ""
                    detail = "connections inherit too much content too often: make templates and `defaults` smaller"
                    raise InheritanceError(entry.node, detail, code="too-much-inherited", at=place)
            entry.effective = _merge(lower, entry.node)
            entry.effective.pop("extends", None)
        else:
            entry.effective = entry.node
        entry.inherited = tuple(inherited)

    def _merge_layers(self, layers: Sequence[Layer], cache_key: tuple[str, int]) -> tuple[Map, int]:
        """Return the merged values of layers, of which the first has the highest precedence, and their size."""
        if cache_key not in self._merged:
            parts = [self._prune(layer.node) for layer in layers]
            merged = parts[-1]
            for part in reversed(parts[:-1]):
                merged = _merge(merged, part)
            self._merged[cache_key] = merged, self._size(merged)
        return self._merged[cache_key]

    def _ancestors(self, entry: Entry) -> list[Layer]:
        seen: dict[str, Map] = {entry.name: entry.node} if entry.kind == "templates" else {}
        own, node = len(seen), entry.node
        while "extends" in node:
            name = node["extends"]
            if not isinstance(name, str):
                raise InheritanceError(node, "a text belongs here", code="wrong-type")
            if name not in self._templates:
                raise InheritanceError(node, "no template has that name", name)
            if name in seen:
                names = list(seen)
                raise _circle_error(names[names.index(name) :], self._templates)
            if len(seen) == MAX_TEMPLATES:
                detail = f"the template extends another one, and so on: at most {MAX_TEMPLATES} in a row are allowed"
                raise InheritanceError(entry.node, detail, code="too-much-inherited")
            node = seen[name] = self._templates[name].node
        return [Layer(f"template {name}", node) for name, node in islice(seen.items(), own, None)]

    def _prune(self, node: Map) -> Map:
        """Return a mapping without unknown keys."""
        if id(node) not in self._pruned:
            pruned = self._pruned[id(node)] = Map((node,))
            for key, value in node.items():
                if key == "extends" or key in self._known:
                    pruned[key] = self._prune(value) if isinstance(value, Map) and key in self._objects else value
        return self._pruned[id(node)]

    def _size(self, node: Node) -> int:
        """Return the size of a value in characters."""
        if isinstance(node, str):
            return _SIZE_OF_A_NODE + len(node)
        if not isinstance(node, Map | Seq):
            return _SIZE_OF_A_NODE
        if id(node) not in self._sizes:
            self._sizes[id(node)] = sum(map(self._size, node.values() if isinstance(node, Map) else node))
        return _SIZE_OF_A_NODE + self._sizes[id(node)]


def _circle_error(names: list[str], templates: Mapping[str, Entry]) -> InheritanceError:
    """Return the error of a circle of templates; it doesn't depend on the template that is resolved first."""
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


def _merge(lower: Map, upper: Map) -> Map:
    """Merge mappings, and replace all other values; each keeps its source position."""
    merged = Map((lower, upper))
    merged.update(lower)
    for key, value in upper.items():
        lower_value = lower.get(key)
        are_mappings = isinstance(value, Map) and isinstance(lower_value, Map)
        merged[key] = _merge(lower_value, value) if are_mappings else value  # type: ignore[arg-type]  # both are Maps
    return merged
