"""Diagnostics in the format `text`: position, source line, mark, help. Layer 4, no IO."""

from __future__ import annotations

from collections.abc import Iterable

from connform.reporters.places import format_places
from connform.reporters.terminal import BLUE, BOLD, BOLD_RED, BOLD_YELLOW, Look, Painter, clean, format_place, width_of
from connform.reporters.view import View
from connform.reporters.wrapping import beginning, fold, paragraph

_STYLES = {"error": BOLD_RED, "warning": BOLD_YELLOW}
_TAB = "    "
_MARGIN = 5
"""Columns left of the bar; a line number of five digits still fits."""


def render_diagnostics(diagnostics: Iterable[View], look: Look) -> list[list[str]]:
    """Return the lines of each diagnostic, without blank lines around them.

    On a terminal, without `-v`, those that say the same are told once, with the places of the others, at the place of the first.
    """
    groups: dict[object, list[View]] = {}
    for number, one in enumerate(diagnostics):
        may_be_told_once = look.now and look.verbosity < 1 and not one["related"]
        said = (one["severity"], one["code"], one["summary"], one["detail"], one["hint"])
        groups.setdefault(said if may_be_told_once else number, []).append(one)
    return [_render_diagnostic(first, others, look) for first, *others in groups.values()]


def _render_diagnostic(diagnostic: View, others: list[View], look: Look) -> list[str]:
    paint, width = look.paint, look.width
    title = paint(f"{diagnostic['severity']}[{diagnostic['code']}]", _STYLES[diagnostic["severity"]])
    pieces = [f"{format_place(diagnostic)}: {title}:", paint(clean(diagnostic["summary"]), BOLD)]
    lines = fold(pieces, rest=" " * _MARGIN, width=look.row_width)
    if diagnostic["snippet"]:
        lines += _source(diagnostic, paint, width)
    else:
        lines += _note("", diagnostic["detail"], paint, width)
    lines += _note("help: ", diagnostic["hint"], paint, width)
    if others:
        lines += _note("also: ", format_places(others, look), paint, width)
    for related in diagnostic["related"]:
        lines += _note("note: ", f"{related['message']}: {format_place(related)}", paint, width)
        if related["snippet"]:
            lines += _source_and_mark(related, "-", BLUE, paint, width)
    if look.verbosity > 0:
        where = " at ".join(filter(None, (diagnostic["connection"], diagnostic["pointer"])))
        lines += _note("in: ", where, paint, width)
    return lines


def _source(diagnostic: View, paint: Painter, width: int) -> list[str]:
    """Return the line, its mark, and the detail beside the mark where there is room."""
    style = _STYLES[diagnostic["severity"]]
    line, mark = _source_and_mark(diagnostic, "^", style, paint, width)
    detail = clean(" ".join(diagnostic["detail"].split()))
    if width_of(mark) + 1 + width_of(detail) <= width:
        return [line, f"{mark} {paint(detail, style)}".rstrip()]
    return [line, mark, *_note("", detail, paint, width)]


def _source_and_mark(item: View, sign: str, style: str, paint: Painter, width: int) -> list[str]:
    """Return the source line of an item with a snippet, and below it a line with the mark."""
    snippet = item["snippet"]
    text, start, end = snippet["text"], snippet["start"], snippet["start"] + snippet["length"]
    parts = (_printable(part) for part in (text[:start], text[start:end], text[end:]))
    before, marked, after = _shorten(width - _MARGIN - 2, *parts)
    bar = paint("|", BLUE)
    number = paint(str(item["line"]).rjust(_MARGIN - 1), BLUE)
    mark = paint(sign * max(width_of(marked), 1), style)
    return [f"{number} {bar} {before}{marked}{after}".rstrip(), f"{' ' * _MARGIN}{bar} {' ' * width_of(before)}{mark}"]


def _shorten(room: int, before: str, marked: str, after: str) -> tuple[str, str, str]:
    """Return the parts of a long line that fit around its mark, with an ellipsis where something is left out."""
    if width_of(before + marked + after) <= room:
        return before, marked, after
    if width_of(marked) > room // 2:
        marked = beginning(marked, room // 2) + "…"
    left = max((room - width_of(marked)) // 2, room - width_of(marked) - width_of(after) - 2)
    if width_of(before) > left:
        before = "…" + beginning(before[::-1], left)[::-1]
    return before, marked, beginning(after, room - width_of(before + marked) - 1) + "…" if after else ""


def _printable(text: str) -> str:
    return clean(text.rstrip("\r\n").replace("\t", _TAB))


def _note(label: str, text: str, paint: Painter, width: int) -> list[str]:
    margin = " " * _MARGIN
    first = f"{margin}{paint('=', BLUE)} {paint(label, BOLD)}"
    return paragraph(text, first=first, rest=margin + " " * (2 + len(label)), width=width)
