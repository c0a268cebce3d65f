"""Error recovery: removes the parts that the schema refused, so that rules can check the rest.

Layer 1, no IO.
"""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from connform.manifest.rules import Finding, KeyPath
    from connform.manifest.shape import Schema

SAME_TYPE: Final = frozenset(
    {"malformed-value", "malformed-url", "out-of-range", "plaintext-secret", "malformed-reference"}
)
"""What the schema refuses but a rule may look at all the same."""


def without(node: Mapping[str, Any], refused: Iterable[KeyPath]) -> dict[str, Any]:
    """Return what remains of an object without the values, or the lists around them, at some paths."""
    sound = dict(node)
    copied = {id(sound): sound}  # each mapping is copied once, however many paths lead through it
    for path in refused:
        here = sound
        for part in path:
            inner = here.get(str(part))
            if part == path[-1] or not isinstance(inner, dict):
                here.pop(str(part), None)
                break
            if id(inner) not in copied:
                here[str(part)] = inner = dict(inner)
                copied[id(inner)] = inner
            here = inner
    return sound


def is_complete(schema: Schema, value: object) -> bool:
    """Whether every required key is there, at every level."""
    if not isinstance(value, dict) or not value.keys() >= set(schema.get("required", ())):
        return False
    parts = schema.get("properties", {})
    return all(is_complete(parts[key], value[key]) for key in value.keys() & parts.keys() if "properties" in parts[key])


class RefusedParts:
    """Where the schema refuses something of one object."""

    def __init__(self) -> None:
        self.unusable: dict[KeyPath, None] = {}
        """What no rule may look at; of an item, the list."""
        self._paths: set[KeyPath] = set()
        self._around: set[KeyPath] = set()

    def add(self, finding: Finding) -> None:
        """Note what is refused."""
        path = finding.path
        if any(isinstance(part, int) for part in path):
            path = tuple(takewhile(lambda part: isinstance(part, str), path))
        if finding.code not in SAME_TYPE:
            self.unusable[path] = None
        self._paths.add(path)
        self._around.update(path[:end] for end in range(1, len(path)))

    def __bool__(self) -> bool:
        return bool(self._paths)

    def explains(self, finding: Finding) -> bool:
        """Whether a rule's finding comes from what was refused: at, inside or around its value, or for want of it."""
        mine = finding.path
        if not mine:
            return any(len(path) == 1 for path in self._paths)
        return mine in self._around or any(mine[:end] in self._paths for end in range(len(mine) + 1))
