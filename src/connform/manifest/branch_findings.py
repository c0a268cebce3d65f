"""The findings in an object that its branch refuses: what is wrong, and which other branch would permit it.

Layer 1, no IO.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from connform.lazy_property import lazy_property
from connform.manifest.branches import Branch
from connform.manifest.explain import explain
from connform.manifest.misplaced import indentation_detail, misplaced_keys
from connform.manifest.nodes import Map
from connform.manifest.rules import Finding, KeyPath
from connform.manifest.shape import Schema, Shape, outer_keys, outlined_branches

_MAX_OWNERS = 3
"""How many values of a discriminator a message names."""


class _Choice(NamedTuple):
    """A value of a discriminator that leads to a branch."""

    path: tuple[str, ...]
    """The path of the object that has the discriminator."""
    key: str
    value: str
    default: str
    """The value that applies if the object has none, or empty."""

    def is_possible_in(self, schema: Schema) -> bool:
        """Whether an object of a schema may choose it by an object inside of it."""
        for key in self.path:
            schema = schema.get("properties", {}).get(key, {})
        allowed = schema.get("properties", {}).get(self.key, {}).get("enum")
        return not self.path or allowed is None or self.value in allowed

    def is_made_by(self, node: Any) -> bool:
        """Whether the values of an object select it."""
        for key in self.path:
            node = node.get(key) if isinstance(node, dict) else None
        return isinstance(node, dict) and node.get(self.key, self.default) == self.value


class _KeysOfOtherBranches(Mapping[str, str]):
    """The keys of branches that an object doesn't select, each with the discriminator values that allow it."""

    def __init__(self, explainer: Explainer, node: Map, schema: Schema) -> None:
        self._explainer = explainer
        self._node = node
        self._schema = schema

    def __getitem__(self, key: str) -> str:
        possible = self._possible(key)
        for choices in possible:
            if all(not choice.path and choice.is_made_by(self._node) for choice in choices):
                return "the level above"  # the key stands in an object inside of the one that has it
        missing = [
            next((choice for choice in choices if not choice.is_made_by(self._node)), choices[-1])
            for choices in possible
        ]
        outermost = possible[0][0].key
        near = [choice for choice in missing if choice.key != outermost]
        far = [choice for choice in missing if choice.key == outermost]
        are_many = bool(near and far) or len(far) > _MAX_OWNERS
        owners = dict.fromkeys(f"`{choice.key}: {choice.value}`" for choice in (near if are_many else missing))
        return " or ".join([*owners, *([f"another `{outermost}`"] if are_many else [])])

    def __contains__(self, key: object) -> bool:
        return bool(self._possible(key))

    def _possible(self, key: object) -> list[tuple[_Choice, ...]]:
        """Return what leads to a key, without what the object can't choose, such as a method that its provider doesn't have."""
        found = self._explainer.choices_by_key.get(str(key), [])
        return [choices for choices in found if all(self._is_possible(choice, choices) for choice in choices)]

    def _is_possible(self, choice: _Choice, choices: tuple[_Choice, ...]) -> bool:
        """Whether an object may choose a value. It chooses no other provider than the one that it names, or that a key inside of it has."""
        is_settled = choices[0].key in self._node or any(one.path for one in choices)
        if choice is choices[0] and not choice.path and is_settled:
            return choice.is_made_by(self._node)
        return choice.is_possible_in(self._schema)

    def __iter__(self) -> Iterator[str]:
        return iter(self._explainer.choices_by_key)

    def __len__(self) -> int:
        return len(self._explainer.choices_by_key)


class Explainer:
    """Finds the mistakes in objects of a shape."""

    def __init__(self, shape: Shape) -> None:
        self._shape = shape

    def explain(
        self, branch: Branch, node: Map, max_suggestions: int, origin: Callable[[KeyPath], str] | None = None
    ) -> Iterator[Finding]:
        """Yield what is wrong with an object; wrong indentation of several keys is one mistake.

        Args:
            branch: the branch that the object selects.
            node: the object.
            max_suggestions: how many findings get a suggestion.
            origin: returns the layer of an inheriting object that the value at a path comes from; `None` for an object of one layer.
        """
        parts = branch.schema["properties"]
        owner, strays = misplaced_keys(
            node, lambda above, key: key not in parts and key in parts.get(above, {}).get("properties", ())
        )
        explained = {owner, *strays} if strays else set()
        other_keys = _KeysOfOtherBranches(self, node, branch.schema)
        is_unknown = self._selects_no_branch(node)
        for finding in explain(branch.find, node, other_keys, max_suggestions):
            is_effect = is_unknown and self._depends_on_branch(finding, node)
            if not is_effect and not (finding.path and finding.path[0] in explained):
                yield finding if origin is None else self._with_deciding_discriminators(finding, origin)
        if strays:
            yield Finding("wrong-indentation", (strays[0],), indentation_detail(owner, strays[0]), at_key=True)

    def _selects_no_branch(self, node: Map) -> bool:
        """Whether the branch of an object is unknown: it may be declared or installed elsewhere, or chosen by another layer."""
        chosen = node.get(self._shape.discriminator, self._shape.default)
        return self._shape.extensible and not (isinstance(chosen, str) and chosen in self._shape.branches)

    def _depends_on_branch(self, finding: Finding, node: Map) -> bool:
        """Whether another branch may permit what a finding is about: a provider has auth methods of its own."""
        key = str(finding.path[0]) if finding.path else ""
        part = self._shape.properties.get(key)
        if not isinstance(part, Shape) or finding.code not in {part.code, "unknown-key", "missing-key"}:
            return False
        if self._shape.discriminator in node:
            return True
        others = [one.properties.get(key) for one in outlined_branches(self._shape).values()]
        return any(isinstance(one, Shape) and _permits(one, part, finding, node[key]) for one in others)

    @lazy_property
    def choices_by_key(self) -> Mapping[str, list[tuple[_Choice, ...]]]:
        """Each key of the branches, with the choices that lead to it; only a key that is like none of the object's own is looked for here."""
        found: dict[str, list[tuple[_Choice, ...]]] = {}
        for key, choices in _keys_of_branches(self._shape):
            found.setdefault(key, []).append(choices)
        return found

    @lazy_property
    def _discriminators(self) -> dict[str | int, list[str]]:
        return _discriminators_by_key(self._shape)

    def _with_deciding_discriminators(self, finding: Finding, origin: Callable[[KeyPath], str]) -> Finding:
        """Add the discriminators that refuse a key, if they come from another layer than the key."""
        path = finding.path
        deciding = [(*path[:-1], key) for key in self._discriminators.get(path[-1], ())] if path else []
        if not deciding:
            return finding
        inherited = tuple(other for other in deciding if origin(other) not in ("", origin(path)))
        return finding._replace(related=(*finding.related, *inherited))


def _permits(own: Shape, part: Shape, finding: Finding, value: object) -> bool:
    """Whether a shape that a branch has in place of a part may permit what a finding refuses."""
    if finding.code == part.code:
        chosen = value.get(part.discriminator) if isinstance(value, dict) else None
        return isinstance(chosen, str) and chosen in own.branches
    if finding.code == "unknown-key":
        _, *inside = finding.path
        return len(inside) == 1 and inside[0] in outer_keys(own)
    return not own.branches.keys() <= part.branches.keys()


def _discriminators_by_key(shape: Shape) -> dict[str | int, list[str]]:
    """Return the discriminators that decide whether a key is allowed, the nearest first."""
    found: dict[str | int, list[str]] = {}
    for branch in outlined_branches(shape).values():
        for key, deciding in _discriminators_by_key(branch).items():
            found.setdefault(key, []).extend(deciding)
        for key in {*branch.properties, branch.discriminator} - {""}:
            found.setdefault(key, []).append(shape.discriminator)
    for part in shape.properties.values():
        if isinstance(part, Shape):
            for key, deciding in _discriminators_by_key(part).items():
                found.setdefault(key, []).extend(deciding)
    return {key: list(dict.fromkeys(deciding)) for key, deciding in found.items()}


def _keys_of_branches(
    shape: Shape, path: tuple[str, ...] = (), above: tuple[_Choice, ...] = ()
) -> Iterator[tuple[str, tuple[_Choice, ...]]]:
    """Yield each key of a branch with the choices that select the branch, the outermost first."""
    for name, branch in outlined_branches(shape).items():
        choices = (*above, _Choice(path, shape.discriminator, name, shape.default))
        for key in branch.properties:
            yield key, choices
        yield from _keys_of_branches(branch, path, choices)
    for key, part in shape.properties.items():
        if isinstance(part, Shape):
            yield from _keys_of_branches(part, (*path, key), above)
