"""Finds the newcomer's mistake: a connection's keys on the level of its name.

Layer 1, no IO. YAML reads such text without complaint, as one empty connection and several strange ones::

    connections:
      sandbox-us:
      environment: sandbox
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


def misplaced_keys(section: Mapping[str, object], known: Collection[str]) -> tuple[str, list[str]]:
    """Return the name of an empty connection and the keys that follow it though they belong below it.

    Args:
        section: what stands under `connections:`.
        known: every key that a connection may have.
    """
    owner = ""
    strays: list[str] = []
    for name, value in section.items():
        if value is None and not strays:
            owner = name
        elif owner and name in known:
            strays.append(name)
        elif owner:
            break
    return owner, strays
