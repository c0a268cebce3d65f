"""Turns an object into the branch of its shape that it selects, and what that branch refuses into findings.

Layer 1, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from connform.manifest.gate import Gate, build_gate
from connform.manifest.harmless import shown_name
from connform.manifest.misplaced import misplaced_keys
from connform.manifest.reference_rules import reference_paths
from connform.manifest.rules import Finding, Path
from connform.manifest.shape import Schema, Shape, build_signature, selected

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from connform.manifest.nodes import Map


class Branch(NamedTuple):
    """What one combination of discriminators demands."""

    schema: Schema
    """The flat schema."""
    gate: Gate
    """Its predicate."""
    references: tuple[Path, ...]
    """Where it has secret references."""


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


class Branches:
    """The flat schemas of a shape with their gates, built when an object first selects them."""

    def __init__(self, shape: Shape, *, partial: bool = False) -> None:
        self._shape = shape
        self._signature = build_signature(shape)
        self._homes: dict[str, list[tuple[_Choice, ...]]] | None = None
        self._choices: dict[str | int, list[str]] | None = None
        self._partial = partial
        self._built: dict[tuple[object, ...], Branch] = {}

    def of(self, node: Mapping[str, Any]) -> Branch:
        """Return the branch that an object selects."""
        key = self._signature(node)
        if key not in self._built:
            schema = selected(self._shape, node, partial=self._partial)
            self._built[key] = Branch(schema, build_gate(schema), tuple(reference_paths(schema)))
        return self._built[key]

    def explain(self, branch: Branch, node: Map, origin: Callable[[Path], str] = lambda _: "") -> list[Finding]:
        """Return what is wrong with an object; a key whose content stands beside it is one mistake.

        Args:
            branch: what the object selects.
            node: the object.
            origin: says which layer of an inheriting object a path comes from.
        """
        from connform.manifest.explain import explain  # only bad manifests need it

        found = [self._with_choice(one, origin) for one in explain(branch.schema, node, self._elsewhere(node))]
        parts = branch.schema["properties"]
        owner, strays = misplaced_keys(
            node, lambda above, key: key not in parts and key in parts.get(above, {}).get("properties", ())
        )
        if not strays:
            return found
        detail = indentation(owner, strays[0])
        explained = {(key,) for key in (owner, *strays)}
        found = [one for one in found if one.path[:1] not in explained]
        return [*found, Finding("wrong-indentation", (strays[0],), detail, at_key=True)]

    def _elsewhere(self, node: Map) -> dict[str, str]:
        """Return the keys of other branches, each with the values of discriminators that would admit it."""
        if self._homes is None:
            self._homes = {}
            for key, home in _homes(self._shape):
                self._homes.setdefault(key, []).append(home)
        found = {}
        for key, homes in self._homes.items():
            foreign = [next((one for one in home if not one.is_made_by(node)), home[-1]) for home in homes]
            found[key] = " or ".join(dict.fromkeys(f"`{one.key}: {one.value}`" for one in foreign))
        return found

    def _with_choice(self, finding: Finding, origin: Callable[[Path], str]) -> Finding:
        """Name the discriminators by which a key was refused, where another layer than the key's own has them."""
        if self._choices is None:
            self._choices = _choices(self._shape)
        path = finding.path
        deciding = [(*path[:-1], key) for key in self._choices.get(path[-1], ())] if path else []
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
