"""The branches of a shape: the schema that an object selects by its discriminators, and the findings it leads to.

Layer 1, no IO.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from connform.lazy_property import lazy_property
from connform.manifest.compiled import compile_predicate
from connform.manifest.harmless import shown_name
from connform.manifest.misplaced import misplaced_keys
from connform.manifest.reference_rules import reference_paths
from connform.manifest.rules import Finding, KeyPath
from connform.manifest.shape import Schema, Shape, build_signature, selected

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from connform.manifest.nodes import Map
    from connform.manifest.violations import Finder


class Branch:
    """What one combination of discriminators demands."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        """The flat schema."""
        self.accepts = compile_predicate(schema)
        """Its predicate."""
        self.references = tuple(reference_paths(schema))
        """Where it has secret references."""

    @lazy_property
    def find(self) -> Finder:
        """What finds its refusals."""
        from connform.manifest.violations import compile_finder  # only bad manifests need it

        return compile_finder(self.schema)


class _Choice(NamedTuple):
    """A value of a discriminator that leads to a branch."""

    path: tuple[str, ...]
    """Where the object is whose discriminator it is."""
    key: str
    value: str
    default: str
    """What counts where the object has none; empty for nothing."""

    def is_made_by(self, node: Any) -> bool:
        """Return whether an object chooses it."""
        for key in self.path:
            node = node.get(key) if isinstance(node, dict) else None
        return isinstance(node, dict) and node.get(self.key, self.default) == self.value


class _Elsewhere(Mapping[str, str]):
    """The keys of other branches than an object's, each with the values of discriminators that would admit it."""

    def __init__(self, homes: Mapping[str, list[tuple[_Choice, ...]]], node: Map) -> None:
        self._homes = homes
        self._node = node

    def __getitem__(self, key: str) -> str:
        foreign = [next((one for one in home if not one.is_made_by(self._node)), home[-1]) for home in self._homes[key]]
        return " or ".join(dict.fromkeys(f"`{one.key}: {one.value}`" for one in foreign))

    def __contains__(self, key: object) -> bool:
        return key in self._homes

    def __iter__(self) -> Iterator[str]:
        return iter(self._homes)

    def __len__(self) -> int:
        return len(self._homes)


class Branches:
    """The flat schemas of a shape with their gates, built when an object first selects them."""

    def __init__(self, shape: Shape, *, partial: bool = False) -> None:
        self._shape = shape
        self._signature = build_signature(shape)
        self._choices: dict[str | int, list[str]] | None = None
        self._partial = partial
        self._built: dict[tuple[object, ...], Branch] = {}

    def of(self, node: Mapping[str, Any]) -> Branch:
        """Return the branch that an object selects."""
        key = self._signature(node)
        if key not in self._built:
            self._built[key] = Branch(selected(self._shape, node, partial=self._partial))
        return self._built[key]

    def explain(
        self, branch: Branch, node: Map, worded: int, origin: Callable[[KeyPath], str] = lambda _: ""
    ) -> Iterator[Finding]:
        """Yield what is wrong with an object; a key whose content stands beside it is one mistake.

        Args:
            branch: what the object selects.
            node: the object.
            worded: as many findings are worth a suggestion.
            origin: says which layer of an inheriting object a path comes from.
        """
        from connform.manifest.explain import explain  # only bad manifests need it

        parts = branch.schema["properties"]
        owner, strays = misplaced_keys(
            node, lambda above, key: key not in parts and key in parts.get(above, {}).get("properties", ())
        )
        explained = {owner, *strays} if strays else set()
        for one in explain(branch.find, node, _Elsewhere(self._homes, node), worded):
            if not (one.path and one.path[0] in explained):
                yield self._with_choice(one, origin)
        if strays:
            yield Finding("wrong-indentation", (strays[0],), indentation(owner, strays[0]), at_key=True)

    @lazy_property
    def _homes(self) -> dict[str, list[tuple[_Choice, ...]]]:
        found: dict[str, list[tuple[_Choice, ...]]] = {}
        for key, home in _homes(self._shape):
            found.setdefault(key, []).append(home)
        return found

    def _with_choice(self, finding: Finding, origin: Callable[[KeyPath], str]) -> Finding:
        """Name the discriminators by which a key was refused, where another layer than the key's own has them."""
        if self._choices is None:
            self._choices = _choices(self._shape)
        path = finding.path
        deciding = [(*path[:-1], key) for key in self._choices.get(path[-1], ())] if path else []
        if not deciding:
            return finding
        far = tuple(other for other in deciding if origin(other) not in ("", origin(path)))
        return finding._replace(related=(*finding.related, *far))


def _choices(shape: Shape) -> dict[str | int, list[str]]:
    """Return which discriminators decide on a key, the nearest first."""
    found: dict[str | int, list[str]] = {}
    for branch in shape.branches.values():
        for key, deciding in _choices(branch).items():
            found.setdefault(key, []).extend(deciding)
        for key in {*branch.properties, branch.discriminator} - {""}:
            found.setdefault(key, []).append(shape.discriminator)
    for part in shape.properties.values():
        if isinstance(part, Shape):
            for key, deciding in _choices(part).items():
                found.setdefault(key, []).extend(deciding)
    return {key: list(dict.fromkeys(deciding)) for key, deciding in found.items()}


def indentation(owner: str, stray: str) -> str:
    """Return what to do about keys that stand one level too far left."""
    return f"`{stray}` belongs below `{shown_name(owner)}:`, not beside it: indent it, and what belongs to it"


def _homes(
    shape: Shape, path: tuple[str, ...] = (), above: tuple[_Choice, ...] = ()
) -> Iterator[tuple[str, tuple[_Choice, ...]]]:
    """Yield each key of a branch with the choices that lead to it, from the outermost on."""
    for name, branch in shape.branches.items():
        choices = (*above, _Choice(path, shape.discriminator, name, shape.default))
        for key in branch.properties:
            yield key, choices
        yield from _homes(branch, path, choices)
    for key, part in shape.properties.items():
        if isinstance(part, Shape):
            yield from _homes(part, (*path, key), above)
