"""Turns an object of which the schema refused something into what rules may look at all the same.

Layer 1, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from connform.manifest.rules import Finding, Path
    from connform.manifest.shape import Schema

SAME_TYPE: Final = frozenset(
    {"malformed-value", "malformed-url", "out-of-range", "plaintext-secret", "malformed-reference"}
)
"""What the schema refuses but a rule may look at all the same."""


def without(node: Mapping[str, Any], refused: Iterable[Path]) -> dict[str, Any]:
    """Return what remains of an object without the values, or the lists around them, at some paths."""
    sound = dict(node)
    for path in refused:
        here = sound
        for part in path:
            inner = here.get(str(part))
            if part == path[-1] or not isinstance(inner, dict):
                here.pop(str(part), None)
                break
            here[str(part)] = here = dict(inner)
    return sound


def is_complete(schema: Schema, value: object) -> bool:
    """Whether every required key is there, at every level."""
    if not isinstance(value, dict) or not value.keys() >= set(schema.get("required", ())):
        return False
    parts = schema.get("properties", {})
    return all(is_complete(parts[key], value[key]) for key in value.keys() & parts.keys() if "properties" in parts[key])


def follows(finding: Finding, first: Finding) -> bool:
    """Whether a rule's finding comes from what the schema has refused: at, inside or around its value, or for want of it."""
    mine, refused = finding.path, first.path
    if not mine:
        return len(refused) == 1
    return mine == refused[: len(mine)] or mine[: len(refused)] == refused
