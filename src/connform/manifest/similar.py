"""Suggestions: the known word that is most like an unknown one.

Layer 1, no IO. Every message with "did you mean" gets its suggestion here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from itertools import islice

from connform.lazy_property import lazy_property
from connform.manifest.harmless import is_plain, shown_name

_MAX_SLIPS = 3
_MAX_CHARACTERS = 256
"""A longer word is compared with no other, because the time grows with its length."""
_MAX_COMPARED = 60_000
"""The limit of the sum of all wrong names' lengths, each times the number of known names: a tenth of a second."""
_MAX_LISTED = 20
"""How many names a message lists."""


class Names:
    """The names of one kind that a run declares, with suggestions for wrong names, up to a limit."""

    def __init__(self, names: Collection[str]) -> None:
        self._names = names
        self._characters_left = _MAX_COMPARED
        self._guesses: dict[str, str] = {}

    def similar(self, word: str) -> str:
        """Return the nearest name, or an empty string."""
        if word not in self._guesses:
            self._characters_left -= len(self._names) * len(word)
            if self._characters_left < 0:
                return ""
            self._guesses[word] = similar(word, self._plain)
        return self._guesses[word]

    def did_you_mean(self, word: str) -> str:
        """Return a hint that names the nearest name, or an empty string."""
        return _hint(self.similar(word))

    def spelling_variant(self, word: str) -> str:
        """Return the name that differs from `word` only in case, `-` and `_`; empty if there is none, or several."""
        return _only_other(word, self._folded.get(_folded(word), ()))

    @lazy_property
    def _plain(self) -> list[str]:
        return [name for name in self._names if is_plain(name)]

    @lazy_property
    def _folded(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name in self._names:
            found.setdefault(_folded(name), []).append(name)
        return found

    def __str__(self) -> str:
        shown = ", ".join(map(shown_name, islice(self._names, _MAX_LISTED)))
        return f"{shown} and {len(self._names) - _MAX_LISTED} more" if len(self._names) > _MAX_LISTED else shown


def similar(word: str, words: Iterable[str]) -> str:
    """Return the nearest of `words`, or an empty string.

    A word is near if at most a third of its letters, and at most three, differ. Otherwise, a word is near that has the
    same parts in another order.
    """
    best, nearest = "", _MAX_SLIPS + 1
    if len(word) > _MAX_CHARACTERS:
        return ""
    folded = _folded(word)
    parts = sorted(folded.split("_"))
    for known in words:
        limit = min(nearest, max(len(word), len(known)) // 3 + 1)
        distance = _distance(folded, _folded(known), limit)
        if distance < limit:
            best, nearest = known, distance
        elif not best and len(known) == len(word) and sorted(_folded(known).split("_")) == parts:
            best = known
    return best


def spelling_variant(word: str, words: Iterable[str]) -> str:
    """Return the word that differs from `word` only in case, `-` and `_`; empty if there is none, or several."""
    folded = _folded(word)
    return _only_other(word, [known for known in words if _folded(known) == folded])


def _only_other(word: str, found: Sequence[str]) -> str:
    return found[0] if len(found) == 1 and found[0] != word else ""


def did_you_mean(word: str, words: Iterable[str]) -> str:
    """Return a hint that names the nearest word, or an empty string."""
    return _hint(similar(word, filter(is_plain, words)))


def _hint(guess: str) -> str:
    return f"did you mean `{guess}`?" if guess else ""


def _folded(word: str) -> str:
    return word.lower().replace("-", "_")


def _distance(word: str, other: str, limit: int) -> int:
    """Return the optimal string alignment distance of two words, or `limit` if it isn't less.

    The distance is the number of letters to add, drop, replace or swap with their neighbour. Only cells of the matrix
    that are less than `limit` from the diagonal are computed.
    """
    while word and other and word[0] == other[0]:
        word, other = word[1:], other[1:]
    if abs(len(word) - len(other)) >= limit:
        return limit
    letters, others = set(word), set(other)
    if len(letters - others) >= limit or len(others - letters) >= limit:  # each of them has to be dropped or added
        return limit
    before: list[int] = []
    last = list(range(len(other) + 1))
    for row, letter in enumerate(word, 1):
        here = [row] + [limit] * len(other)
        for column in range(max(1, row - limit + 1), min(len(other), row + limit - 1) + 1):
            cost = min(last[column] + 1, here[column - 1] + 1, last[column - 1] + (letter != other[column - 1]))
            if row > 1 and column > 1 and letter == other[column - 2] and word[row - 2] == other[column - 1]:
                cost = min(cost, before[column - 2] + 1)
            here[column] = cost
        if min(here) >= limit and min(last) >= limit:
            return limit
        before, last = last, here
    return min(last[-1], limit)
