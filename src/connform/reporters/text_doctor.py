"""The findings of `connform doctor` in the format `text`: a block for each section, and what they come to. Layer 4, no IO."""

from __future__ import annotations

from itertools import groupby, zip_longest

from connform.reporters.terminal import (
    BOLD,
    BOLD_GREEN,
    BOLD_RED,
    BOLD_YELLOW,
    GREEN,
    YELLOW,
    Look,
    Painter,
    clean,
    format_count,
    width_of,
)
from connform.reporters.view import View
from connform.reporters.wrapping import paragraph

_STATUSES = {"ok": ("✓", GREEN), "note": ("!", YELLOW), "problem": ("✗", BOLD_RED)}
_INDENT = "    "
_MAX_NAME = 24


def render_doctor(view: View, look: Look) -> list[str]:
    """Return the sections, with equal advice once below the lines that share it; with `-q`, the problems alone."""
    paint, width = look.paint, look.width
    shown = [one for one in view["findings"] if look.verbosity >= 0 or one["status"] == "problem"]
    lines: list[str] = []
    for section, findings in groupby(shown, lambda one: one["section"]):
        lines += ["", paint(section, BOLD)] if lines else [paint(section, BOLD)]
        group = list(findings)
        column = max((len(one["name"]) for one in group if len(one["name"]) <= _MAX_NAME), default=0)
        for one, following in zip_longest(group, group[1:]):
            is_repeated = following is not None and following["hint"] == one["hint"]
            lines += _finding(one, paint, column, width)
            lines += [] if is_repeated else _hint(one, paint, width)
    return lines


def _finding(one: View, paint: Painter, column: int, width: int) -> list[str]:
    glyph, style = _STATUSES[one["status"]]
    name = clean(one["name"])
    first = f"  {paint(glyph, style)} {name}{' ' * max(column - width_of(name), 0)}  "
    return paragraph(one["message"], first=first, rest=_INDENT, width=width)


def _hint(one: View, paint: Painter, width: int) -> list[str]:
    rest = _INDENT + " " * len("help: ")
    return paragraph(one["hint"], first=f"{_INDENT}{paint('help:', BOLD)} ", rest=rest, width=width)


def verdict(view: View, paint: Painter) -> str:
    """Return the last line: whether this manifest can work here."""
    statuses = [one["status"] for one in view["findings"]]
    problems, notes = statuses.count("problem"), statuses.count("note")
    counts = [format_count(problems, "problem")] * bool(problems) + [format_count(notes, "note")] * bool(notes)
    text = f"{': ' if counts else ''}{', '.join(counts)}"
    if problems:
        return paint(f"this manifest can't work here{text}", BOLD_RED)
    if not view["files"]:
        return paint(f"this machine is ready for a manifest{text}", BOLD_YELLOW)
    return paint(f"this manifest can work here{text}", BOLD_GREEN)
