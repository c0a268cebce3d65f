"""The patterns of all entries of a run: whether each is usable, within a limit for all of them together.

Layer 2, no IO.
"""

from __future__ import annotations

import re

from connform.manifest.pattern import Meter, Pattern, UnusablePatternError

_MAX_SIZE = 200_000
"""How large the patterns of a run may be together, each counted as often as it stands there, with repetitions written out."""
_SIZE_OF_A_REFUSED_ONE = 1_000
_ESCAPES_AND_SETS = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)


class Patterns:
    """The patterns of a run; each is compiled once."""

    def __init__(self) -> None:
        self.meter = Meter()
        """Counts the steps of all searches."""
        self._left = _MAX_SIZE
        self._problems: dict[str, str] = {}
        self._whole: dict[str, Pattern] = {}

    def problem(self, text: str) -> str:
        """Return why a pattern can't be used, or an empty text."""
        if text not in self._problems:
            self._problems[text] = self._compile(text)
        self._left -= self._whole[text].size if text in self._whole else _SIZE_OF_A_REFUSED_ONE
        return self._problems[text] if self._left >= 0 else "the patterns of all providers are too large together"

    def whole(self, text: str) -> Pattern:
        """Return a usable pattern, which fits whole texts."""
        return self._whole[text]

    def _compile(self, text: str) -> str:
        if self._left < 0:
            return ""
        if re.search(r"\(\?<?[=!]", _ESCAPES_AND_SETS.sub("", text)):
            return "looking ahead or behind is not supported"
        try:
            Pattern(text, self.meter)
            self._whole[text] = Pattern(rf"^(?:{text})\Z", self.meter)
        except UnusablePatternError as error:
            return str(error)
        return ""
