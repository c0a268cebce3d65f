"""Turns a word that nobody knows into the one that was probably meant.

Layer 1, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def similar(word: str, words: Iterable[str]) -> str:
    """Return the one of `words` that was probably meant, or an empty string."""
    from difflib import get_close_matches  # only mistakes need it

    folded = {known.lower().replace("-", "_"): known for known in words}
    close = get_close_matches(word.lower().replace("-", "_"), folded, n=1, cutoff=0.7)
    return folded[close[0]] if close else ""
