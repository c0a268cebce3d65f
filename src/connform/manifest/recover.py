"""Error recovery: removes the parts that the schema refused, so that rules can check the rest.

Layer 1, no IO.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import takewhile
from typing import Any

from connform.manifest.rules import Finding, KeyPath
from connform.manifest.shape import Schema

SAME_TYPE = frozenset({"malformed-value", "malformed-url", "out-of-range", "plaintext-secret", "malformed-reference"})
"""Codes of findings whose value still has the type that rules expect."""


def remove_paths(node: Mapping[str, Any], refused: Iterable[KeyPath]) -> dict[str, Any]:
    """Return a copy of an object without the values at some paths; a path into a list removes the list."""
    remaining = dict(node)
    copied = {id(remaining): remaining}  # each mapping is copied once, even if several paths lead through it
    for path in refused:
        here = remaining
        for depth, part in enumerate(path, start=1):
            inner = here.get(str(part))
            if depth == len(path) or not isinstance(inner, dict):
                here.pop(str(part), None)
                break
            if id(inner) not in copied:
                here[str(part)] = inner = dict(inner)
                copied[id(inner)] = inner
            here = inner
    return remaining


def is_complete(schema: Schema, value: object) -> bool:
    """Whether no required key is missing, at any level."""
    if not isinstance(value, dict) or not value.keys() >= set(schema.get("required", ())):
        return False
    parts = schema.get("properties", {})
    return all(is_complete(parts[key], value[key]) for key in value.keys() & parts.keys() if "properties" in parts[key])


class RefusedParts:
    """The paths of the values that the schema refuses in one object."""

    def __init__(self) -> None:
        self.unusable: dict[KeyPath, None] = {}
        """The paths of values that no rule can check, in order; for an item of a list, the path of the list."""
        self._paths: set[KeyPath] = set()
        self._parents: set[KeyPath] = set()

    def add(self, finding: Finding) -> None:
        """Add the path of a refused value."""
        path = tuple(takewhile(lambda part: isinstance(part, str), finding.path))
        if finding.code not in SAME_TYPE:
            self.unusable[path] = None
        self._paths.add(path)
        self._parents.update(path[:end] for end in range(1, len(path)))

    def __bool__(self) -> bool:
        return bool(self._paths)

    def explains(self, finding: Finding) -> bool:
        """Whether a refused value may be the cause of a finding: it is at, inside or around the finding's path."""
        path = finding.path
        if not path:
            return any(len(path) == 1 for path in self._paths)
        return path in self._parents or any(path[:end] in self._paths for end in range(len(path) + 1))
