"""Collector of a run's diagnostics: each mistake once, at most 500 per file and severity, the rest as a number.

Layer 1, no IO. Only a listed mistake needs a message and a place in the report; the others are only counted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from connform.diagnostics import CODES, Severity
from connform.manifest.diagnose import diagnose_file
from connform.manifest.ignores import Ignores

if TYPE_CHECKING:
    from collections.abc import Collection

    from connform.diagnostics import Diagnostic, Span

UNUSED: Final = "unused-ignore"
MORE: Final = {Severity.ERROR: "more-errors", Severity.WARNING: "more-warnings"}
"""Severity → the code that stands for what isn't listed."""
MOST_LISTED: Final = 500
"""How many errors, and how many warnings, of one file are listed."""
_COLUMNS: Final = 1 << 24
"""More than a file has characters."""


class _Rest(NamedTuple):
    """What is counted of one file and severity."""

    first: Span
    """The place of the first that isn't listed."""
    number: int
    """How many aren't."""


class Tally:
    """The mistakes of a run."""

    def __init__(self, ignores: Ignores | None = None) -> None:
        self._ignores = ignores or Ignores(())
        self.codes = {code: severity for code, (severity, _) in CODES.items()}
        """Those of connform, and those of the policies that found something."""
        self._listed: list[Diagnostic] = []
        self._numbers: dict[tuple[str, Severity], int] = {}
        self._seen: dict[tuple[str, str, str], set[int]] = {}
        self._rest: dict[tuple[str, Severity], _Rest] = {}

    def room(self, file: str, severity: Severity = Severity.ERROR) -> int:
        """Return how many more errors, or warnings, of a file can be listed."""
        return MOST_LISTED - self._numbers.get((file, severity), 0)

    def wants(self, code: str, severity: Severity, span: Span, which: str = "") -> bool:
        """Whether a mistake is to be listed, which was not seen before; it is counted otherwise.

        Args:
            code: its code.
            severity: how grave it is.
            span: its place.
            which: which of several that have this code at this place.
        """
        seen = self._seen.setdefault((span.file, code, which), set())
        place = span.line * _COLUMNS + span.column
        if place in seen:
            return False
        seen.add(place)
        self.codes[code] = severity
        if severity is Severity.WARNING and code != UNUSED and self._ignores.silence(span, code):
            return False
        kind = (span.file, severity)
        number = self._numbers.get(kind, 0)
        if number == MOST_LISTED:
            self.count(severity, span)
            return False
        self._numbers[kind] = number + 1
        return True

    def has(self, code: str, span: Span) -> bool:
        """Whether a mistake of a code was found at a place."""
        return span.line * _COLUMNS + span.column in self._seen.get((span.file, code, ""), ())

    def count(self, severity: Severity, span: Span, number: int = 1) -> None:
        """Count mistakes that aren't listed.

        Args:
            severity: how grave they are.
            span: the place of one of them.
            number: how many there are.
        """
        first, so_far = self._rest.get((span.file, severity), _Rest(span, 0))
        self._rest[span.file, severity] = _Rest(first, so_far + number)

    def add(self, diagnostic: Diagnostic) -> None:
        """List a mistake that is wanted."""
        self._listed.append(diagnostic)

    def note(self, diagnostic: Diagnostic, which: str = "") -> None:
        """List a mistake, or count it."""
        if self.wants(diagnostic.code, diagnostic.severity, diagnostic.span, which):
            self.add(diagnostic)

    @property
    def has_errors(self) -> bool:
        """Whether anything so far is an error."""
        return any(severity is Severity.ERROR for _, severity in (*self._numbers, *self._rest))

    def found_any_of(self, codes: Collection[str]) -> bool:
        """Whether a mistake was found that has one of these codes."""
        return any(code in codes for _, code, _ in self._seen)

    def note_unused(self, *, has_errors: bool) -> None:
        """List the ignore comments that silenced nothing, when everything else is known.

        Args:
            has_errors: whether there are errors elsewhere.
        """
        unused = self._ignores.unused(self.codes, is_complete=not (has_errors or self.has_errors))
        for ignore, why in unused:
            if self.wants(UNUSED, Severity.WARNING, ignore.span):
                self.add(diagnose_file(UNUSED, why, ignore.span, self._ignores.hint(ignore, self.codes)))

    def diagnostics(self) -> list[Diagnostic]:
        """Return what is listed, and how much of each file isn't, sorted by place."""
        rest = (_told(severity, rest) for (_, severity), rest in self._rest.items())
        return sorted((*self._listed, *rest), key=lambda one: (one.span, one.code, one.detail))


def _told(severity: Severity, rest: _Rest) -> Diagnostic:
    what = f"{severity}{'' if rest.number == 1 else 's'}"
    detail = f"{rest.number} more {what} of this file {'is' if rest.number == 1 else 'are'} counted, not listed: mend those that are, and run again"
    return diagnose_file(MORE[severity], detail, rest.first)._replace(number=rest.number)
