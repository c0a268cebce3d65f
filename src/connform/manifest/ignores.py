"""Ignore comments: `# connform: ignore[code]` at the end of a line hides the warnings of that line.

Layer 1, no IO. An error is never silenced, and a comment that silences nothing is a warning itself.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from connform.diagnostics import Severity, Span
from connform.manifest.files import Source
from connform.manifest.nodes import lines_of
from connform.manifest.similar import did_you_mean
from connform.manifest.yaml_errors import NotYamlError

if TYPE_CHECKING:
    from connform.manifest.libyaml import Extent, Place

_MARKER = b"connform: ignore"
_COMMENT = r"(?:^|(?<=\s))#\s*(?P<marker>connform: ignore\b)(?:\[(?P<codes>[^\[\]]*)\])?"
_MAX_COMMENTS = 10_000
"""How many comments of a file count."""
_MAX_CODES = 100
"""How many codes of a comment count."""


class Ignore(NamedTuple):
    """One code of one comment."""

    code: str
    """The code to ignore; empty if the comment names none."""
    span: Span
    """The position of the code, or of the marker if the comment names none."""
    is_alone: bool
    """Whether the comment is alone on its line."""


class Ignores:
    """The ignore comments of a run."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._all = [ignore for source in sources if _MARKER in source.data for ignore in read_ignores(source)]
        self._ignored = {_key(ignore.span, ignore.code) for ignore in self._all}
        self._used: set[tuple[str, int, str]] = set()

    def silence(self, span: Span, code: str) -> bool:
        """Whether a comment ignores a warning; the comment then counts as used."""
        key = _key(span, code)
        if key not in self._ignored:
            return False
        self._used.add(key)
        return True

    def unused(self, codes: Mapping[str, Severity], *, is_complete: bool) -> Iterator[tuple[Ignore, str]]:
        """Yield each ignore that silenced nothing, and why.

        Args:
            codes: the severity of every code of the run.
            is_complete: whether all checks were made: an error may prevent the check that would have warned.
        """
        for ignore in self._all:
            if _key(ignore.span, ignore.code) not in self._used:
                why = _why_unused(ignore, codes, is_complete=is_complete)
                if why:
                    yield ignore, why

    def hint(self, ignore: Ignore, codes: Mapping[str, Severity]) -> str:
        """Return which code was probably meant, or an empty string."""
        if not ignore.code or ignore.code in codes:
            return ""
        return did_you_mean(ignore.code, (code for code in codes if codes[code] is Severity.WARNING))


def read_ignores(source: Source) -> Iterator[Ignore]:
    """Yield each code that a file's comments ignore, up to a limit; nothing for a file that isn't YAML."""
    lines = enumerate(lines_of(source.data.decode("utf-8-sig", "replace")))
    comments = (
        ((number, comment.start()), comment)
        for number, line in lines
        if "connform: ignore" in line
        for comment in re.finditer(_COMMENT, line)
    )
    found = [
        (place, list(_codes(comment, source.name, place[0] + 1))) for place, comment in islice(comments, _MAX_COMMENTS)
    ]
    from connform.manifest.libyaml import scalar_extents  # imports PyYAML; few manifests have such comments

    try:
        inside = _inside_scalars(scalar_extents(source.data), [place for place, _ in found])
    except NotYamlError:
        return
    for place, ignores in found:
        if place not in inside:
            yield from ignores


def _inside_scalars(extents: "Iterator[Extent]", places: "Sequence[Place]") -> "set[Place]":
    """Return the positions that are inside of a scalar; both arguments are in the order of the file."""
    inside = set()
    at = 0
    for start, end in extents:
        while at < len(places) and places[at] < end:
            if places[at] >= start:
                inside.add(places[at])
            at += 1
    return inside


def _codes(comment: re.Match[str], file: str, line: int) -> Iterator[Ignore]:
    is_alone = not comment.string[: comment.start()].strip()
    codes = [
        (code[0], comment.start("codes") + code.start())
        for code in islice(re.finditer(r"[^\s,]+", comment["codes"] or ""), _MAX_CODES)
    ]
    for code, start in codes or [("", comment.start("marker"))]:
        end = start + len(code or comment["marker"])
        yield Ignore(code, Span(file, line, start + 1, line, end + 1), is_alone)


def _why_unused(ignore: Ignore, codes: Mapping[str, Severity], *, is_complete: bool) -> str:
    """Return why an ignore silences nothing; empty if that isn't known."""
    if not ignore.code:
        return "it names no code: write `connform: ignore[code]`"
    if ignore.code not in codes:
        return "no diagnostic of this run has that code: remove it"
    if codes[ignore.code] is Severity.ERROR:
        return f"`{ignore.code}` is an error, and errors can't be ignored: mend what it says"
    if ignore.is_alone:
        return "it stands on a line of its own: put it at the end of the line that it is about"
    return f"nothing on this line is `{ignore.code}`: remove it" if is_complete else ""


def _key(span: Span, code: str) -> tuple[str, int, str]:
    return span.file, span.line, code
