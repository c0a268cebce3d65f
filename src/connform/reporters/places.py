"""Places of several connections or diagnostics, in one text. Layer 4, no IO."""

from __future__ import annotations

from collections.abc import Iterable

from connform.reporters.terminal import Look, format_place
from connform.reporters.view import View

_LISTED = 5
"""Places that are listed on a terminal; more are counted."""


def format_places(items: Iterable[View], look: Look) -> str:
    """Return each place once; of several in one file, the name of the file stands before the first."""
    known = {format_place(item): item for item in items}
    known.pop("", None)
    number = len(known) if look.verbosity > 0 or not look.now else _LISTED
    texts: list[str] = []
    file = ""
    for place, item in list(known.items())[:number]:
        texts.append(place if item["file"] != file else f"{item['line']}:{item['column']}")
        file = item["file"]
    more = len(known) - len(texts)
    return ", ".join([*texts, *([f"and {more} more"] if more else [])])
