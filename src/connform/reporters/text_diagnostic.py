"""Turns one diagnostic of a view into lines for a person: place, source line, mark, help. Layer 4, no IO."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from connform.reporters.terminal import BLUE, BOLD, BOLD_RED, BOLD_YELLOW, Painter, clean, paragraph, place_of, width_of

if TYPE_CHECKING:
    from connform.reporters.view import View

_STYLES: Final = {"error": BOLD_RED, "warning": BOLD_YELLOW}
_TAB: Final = "    "
_MARGIN: Final = 5
"""Columns left of the bar; a line number of five digits still fits."""


def render_diagnostic(diagnostic: View, paint: Painter, *, width: int, verbosity: int) -> list[str]:
    """Return the lines of one diagnostic, without a blank line around them."""
    title = paint(f"{diagnostic['severity']}[{diagnostic['code']}]", _STYLES[diagnostic["severity"]])
    lines = [f"{place_of(diagnostic)}: {title}: {paint(clean(diagnostic['summary']), BOLD)}"]
    if diagnostic["snippet"]:
        lines += _source(diagnostic, paint, width)
    else:
        lines += _note("", diagnostic["detail"], paint, width)
    lines += _note("help: ", diagnostic["hint"], paint, width)
    for related in diagnostic["related"]:
        lines += _note("note: ", f"{related['message']}: {place_of(related)}", paint, width)
    if verbosity > 0:
        where = " at ".join(filter(None, (diagnostic["connection"], diagnostic["pointer"])))
        lines += _note("in: ", where, paint, width)
    return lines


def _source(diagnostic: View, paint: Painter, width: int) -> list[str]:
    snippet = diagnostic["snippet"]
    text, start, end = snippet["text"], snippet["start"], snippet["start"] + snippet["length"]
    before, marked, after = (_shown(part) for part in (text[:start], text[start:end], text[end:]))
    bar = paint("|", BLUE)
    number = paint(str(diagnostic["line"]).rjust(_MARGIN - 1), BLUE)
    style = _STYLES[diagnostic["severity"]]
    indent = " " * width_of(before)
    mark = paint("^" * max(width_of(marked), 1), style)
    lines = [f"{number} {bar} {before}{marked}{after}".rstrip()]
    beside = f"{' ' * _MARGIN}{bar} {indent}{mark}"
    detail = clean(" ".join(diagnostic["detail"].split()))
    if width_of(beside) + 1 + width_of(detail) <= width:
        return [*lines, f"{beside} {paint(detail, style)}".rstrip()]
    return [*lines, beside, *_note("", detail, paint, width)]


def _shown(text: str) -> str:
    return clean(text.rstrip("\r\n").replace("\t", _TAB))


def _note(label: str, text: str, paint: Painter, width: int) -> list[str]:
    margin = " " * _MARGIN
    first = f"{margin}{paint('=', BLUE)} {paint(label, BOLD)}"
    return paragraph(text, first=first, rest=margin + " " * (2 + len(label)), width=width)
