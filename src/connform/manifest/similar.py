"""Turns a word that nobody knows into the one that was probably, or certainly, meant.

Layer 1, no IO. The one way in which anything here says "did you mean".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from connform.manifest.harmless import is_plain

if TYPE_CHECKING:
    from collections.abc import Iterable

_MAX_SLIPS: Final = 3


def similar(word: str, words: Iterable[str]) -> str:
    """Return the nearest of `words`, or an empty string.

    Near is what one slip in three letters makes of a word, three slips at most; else what has its parts in another order.
    """
    meant, nearest = "", _MAX_SLIPS + 1
    folded = _folded(word)
    parts = sorted(folded.split("_"))
    for known in words:
        limit = min(nearest, max(len(word), len(known)) // 3 + 1)
        distance = _distance(folded, _folded(known), limit)
        if distance < limit:
            meant, nearest = known, distance
        elif not meant and sorted(_folded(known).split("_")) == parts:
            meant = known
    return meant


def respelt(word: str, words: Iterable[str]) -> str:
    """Return the only one of `words` that differs from `word` in case, `-` and `_` alone, or an empty string."""
    folded = _folded(word)
    found = [known for known in words if _folded(known) == folded]
    return found[0] if len(found) == 1 and found[0] != word else ""


def did_you_mean(word: str, words: Iterable[str]) -> str:
    """Return a hint that names the nearest word, or an empty string."""
    guess = similar(word, filter(is_plain, words))
    return f"did you mean `{guess}`?" if guess else ""


def _folded(word: str) -> str:
    return word.lower().replace("-", "_")


def _distance(one: str, other: str, limit: int) -> int:
    """Return how many letters must be added, dropped, replaced or swapped with their neighbour; `limit` for that many or more.

    The optimal string alignment distance, row by row: only what lies less than `limit` from the diagonal counts.
    """
    while one and other and one[0] == other[0]:
        one, other = one[1:], other[1:]
    if abs(len(one) - len(other)) >= limit:
        return limit
    before: list[int] = []
    last = list(range(len(other) + 1))
    for row, letter in enumerate(one, 1):
        here = [row] + [limit] * len(other)
        for column in range(max(1, row - limit + 1), min(len(other), row + limit - 1) + 1):
            cost = min(last[column] + 1, here[column - 1] + 1, last[column - 1] + (letter != other[column - 1]))
            if row > 1 and column > 1 and letter == other[column - 2] and one[row - 2] == other[column - 1]:
                cost = min(cost, before[column - 2] + 1)
            here[column] = cost
        if min(here) >= limit and min(last) >= limit:
            return limit
        before, last = last, here
    return min(last[-1], limit)
