"""Collector of a run's diagnostics: each mistake once, at most 500 per file and severity, the rest as a number.

Layer 1, no IO. Only a listed mistake needs a message and a place in the report; the others are only counted.
"""

from collections.abc import Collection

from connform.diagnostics import CODES, Diagnostic, Severity, Span
from connform.manifest.diagnose import diagnose_file
from connform.manifest.ignores import Ignores

UNUSED = "unused-ignore"
MORE = {Severity.ERROR: "more-errors", Severity.WARNING: "more-warnings"}
"""Severity → the code of the diagnostic that counts mistakes that aren't listed."""
MOST_LISTED = 500
"""How many errors, and how many warnings, of one file are listed."""
_COLUMNS = 1 << 24
"""More columns than any line has: a line and a column make one number."""


class Tally:
    """The mistakes of a run."""

    def __init__(self, ignores: Ignores | None = None) -> None:
        self._ignores = ignores or Ignores(())
        self.codes = {code: severity for code, (severity, _) in CODES.items()}
        """Code → severity, of connform's codes and those of violated policies."""
        self._listed: list[Diagnostic] = []
        self._numbers: dict[tuple[str, Severity], int] = {}
        self._seen: dict[tuple[str, str, str], set[int]] = {}
        self._rest: dict[tuple[str, Severity], tuple[Span, int]] = {}
        """File and severity → the position of the first mistake that isn't listed, and how many aren't."""

    def room(self, file: str, severity: Severity = Severity.ERROR) -> int:
        """Return how many more errors, or warnings, of a file can be listed."""
        return MOST_LISTED - self._numbers.get((file, severity), 0)

    def admits(self, code: str, severity: Severity, span: Span, which: str = "") -> bool:
        """Register a mistake, and return whether it is to be listed.

        It isn't if it was registered before, or a comment ignores it, or the limit is reached, which counts it.

        Args:
            code: its code.
            severity: its severity.
            span: its position.
            which: distinguishes mistakes of one code at one position.
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
        """Whether a mistake of a code was found at a position."""
        return span.line * _COLUMNS + span.column in self._seen.get((span.file, code, ""), ())

    def count(self, severity: Severity, span: Span, number: int = 1) -> None:
        """Count mistakes that aren't listed.

        Args:
            severity: their severity.
            span: the position of one of them.
            number: how many there are.
        """
        first, so_far = self._rest.get((span.file, severity), (span, 0))
        self._rest[span.file, severity] = first, so_far + number

    def add(self, diagnostic: Diagnostic) -> None:
        """List a mistake that `admits` has accepted."""
        self._listed.append(diagnostic)

    def note(self, diagnostic: Diagnostic, which: str = "") -> None:
        """List a mistake if `admits` accepts it."""
        if self.admits(diagnostic.code, diagnostic.severity, diagnostic.span, which):
            self.add(diagnostic)

    @property
    def has_errors(self) -> bool:
        """Whether anything so far is an error."""
        return any(severity is Severity.ERROR for _, severity in (*self._numbers, *self._rest))

    def has_any(self, codes: Collection[str]) -> bool:
        """Whether a mistake with one of these codes was found."""
        return any(code in codes for _, code, _ in self._seen)

    def add_unused_ignores(self, *, has_errors: bool) -> None:
        """Add a warning of each ignore comment that silenced nothing; call it after all other checks.

        Args:
            has_errors: whether other checks than those of this tally found errors.
        """
        unused = self._ignores.unused(self.codes, is_complete=not (has_errors or self.has_errors))
        for ignore, why in unused:
            if self.admits(UNUSED, Severity.WARNING, ignore.span):
                self.add(diagnose_file(UNUSED, why, ignore.span, self._ignores.hint(ignore, self.codes)))

    def diagnostics(self) -> list[Diagnostic]:
        """Return the listed diagnostics, and for each file the number of further mistakes, sorted by position."""
        rest = (_rest_diagnostic(severity, *rest) for (_, severity), rest in self._rest.items())
        return sorted((*self._listed, *rest), key=lambda one: (one.span, one.code, one.detail))


def _rest_diagnostic(severity: Severity, first: Span, number: int) -> Diagnostic:
    what = f"{severity}{'' if number == 1 else 's'}"
    detail = f"{number} more {what} of this file {'is' if number == 1 else 'are'} counted, not listed: mend those that are, and run again"
    return diagnose_file(MORE[severity], detail, first)._replace(number=number)
