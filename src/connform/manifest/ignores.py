"""Takes `# connform: ignore[code]` at the end of a line by its word: warnings of that line aren't shown.

Layer 1, no IO. An error is never silenced, and a comment that silences nothing is a warning itself.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING, Final, NamedTuple

from connform.diagnostics import CODES, Severity, Span
from connform.manifest.nodes import LINE_BREAK, scalar_extents
from connform.manifest.places import diagnose_file
from connform.manifest.similar import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from connform.diagnostics import Diagnostic
    from connform.manifest.files import Source

_MARKER: Final = b"connform: ignore"
_COMMENT: Final = re.compile(r"(?:^|(?<=\s))#\s*(?P<marker>connform: ignore\b)(?:\[(?P<codes>[^\]]*)\])?")


class Ignore(NamedTuple):
    """One code of one comment."""

    code: str
    """What it says; empty where it names none."""
    span: Span
    """Where it says so."""
    is_alone: bool
    """Whether nothing but the comment stands on the line."""


def apply_ignores(found: Sequence[Diagnostic], sources: Sequence[Source]) -> tuple[Diagnostic, ...]:
    """Return the diagnostics without the warnings that comments ignore, and with a warning for each unused ignore.

    Args:
        found: every diagnostic of the run, sorted by place.
        sources: the files of the run.
    """
    ignores = [ignore for source in sources if _MARKER in source.data for ignore in read_ignores(source)]
    if not ignores:
        return tuple(found)
    asked = {_key(ignore.span, ignore.code) for ignore in ignores}
    silenced = [one for one in found if one.severity is Severity.WARNING and _key(one.span, one.code) in asked]
    used = {_key(one.span, one.code) for one in silenced}
    kept = [one for one in found if one not in silenced]
    severities = {code: severity for code, (severity, _) in CODES.items()} | {one.code: one.severity for one in found}
    is_complete = Severity.ERROR not in {one.severity for one in found}  # an error may stand before a warning
    kept += (
        diagnose_file("unused-ignore", why[0], ignore.span, why[1])
        for ignore in ignores
        if _key(ignore.span, ignore.code) not in used
        and (why := _why_unused(ignore, severities, is_complete=is_complete))
    )
    return tuple(sorted(kept, key=lambda one: (one.span, one.code, one.detail)))


def read_ignores(source: Source) -> Iterator[Ignore]:
    """Yield each code that a comment of a file ignores; nothing of a file that isn't YAML."""
    extents = scalar_extents(source.data)
    if extents is None:
        return
    for number, line in enumerate(LINE_BREAK.split(source.data.decode("utf-8-sig"))):
        for comment in _COMMENT.finditer(line) if "connform: ignore" in line else ():
            place = (number, comment.start())
            before = bisect_right(extents, (place, place)) - 1
            if before < 0 or extents[before][1] <= place:
                yield from _codes(comment, source.name, number + 1)


def _codes(comment: re.Match[str], file: str, line: int) -> Iterator[Ignore]:
    is_alone = not comment.string[: comment.start()].strip()
    named = [
        (code[0], comment.start("codes") + code.start()) for code in re.finditer(r"[^\s,]+", comment["codes"] or "")
    ]
    for code, start in named or [("", comment.start("marker"))]:
        end = start + len(code or comment["marker"])
        yield Ignore(code, Span(file, line, start + 1, line, end + 1), is_alone)


def _why_unused(ignore: Ignore, severities: Mapping[str, Severity], *, is_complete: bool) -> tuple[str, str] | None:
    """Return why an ignore silences nothing, and a hint; `None` where it can't be told."""
    if not ignore.code:
        return "it names no code: write `connform: ignore[code]`", ""
    if ignore.code not in severities:
        warnings = [code for code, severity in severities.items() if severity is Severity.WARNING]
        return "no diagnostic of this run has that code: remove it", did_you_mean(ignore.code, warnings)
    if severities[ignore.code] is Severity.ERROR:
        return f"`{ignore.code}` is an error, and errors can't be ignored: mend what it says", ""
    if ignore.is_alone:
        return "it stands on a line of its own: put it at the end of the line that it is about", ""
    return (f"nothing on this line is `{ignore.code}`: remove it", "") if is_complete else None


def _key(span: Span, code: str) -> tuple[str, int, str]:
    return span.file, span.line, code
