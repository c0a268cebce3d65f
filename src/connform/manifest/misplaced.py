"""Detection of keys that stand beside the key that they belong below.

Layer 1, no IO. Beginners often make this mistake. For YAML, the text is valid: an empty key, and unknown keys after it::

    connections:
      sandbox-us:
      environment: sandbox
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from connform.manifest.harmless import shown_name


def misplaced_keys(section: Mapping[str, object], belongs: Callable[[str, str], bool]) -> tuple[str, list[str]]:
    """Return an empty key, and the keys beside it that belong below it; the latter are empty if there is no mistake.

    Args:
        section: a mapping.
        belongs: returns whether a key (second argument) belongs below an empty key (first argument).
    """
    owner = ""
    strays: list[str] = []
    for name, value in section.items():
        if owner and belongs(owner, name):
            strays.append(name)
        elif strays:
            break
        elif value is None:
            owner = name
    return owner, strays


def indentation_detail(owner: str, stray: str) -> str:
    """Return the message about keys that need one more level of indentation."""
    return f"`{stray}` belongs below `{shown_name(owner)}:`, not beside it: indent it, and what belongs to it"
