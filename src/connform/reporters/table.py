"""Tables for a terminal: aligned columns, cut or left out where the terminal is too narrow. Layer 4, no IO."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from connform.reporters.terminal import UNLIMITED, is_uncoloured_ascii, width_of, widths_of
from connform.reporters.wrapping import cut

_GAP = "  "
_LEAST_COLUMN = 10
"""Columns below which a column is left out rather than cut."""


def aligned_rows(rows: Sequence[Sequence[str]], widest: int = UNLIMITED) -> list[str]:
    """Return the rows as aligned lines; empty columns are left out.

    Args:
        rows: the cells of each line.
        widest: a cell that takes more columns doesn't widen the cells above and below it.
    """
    if len(rows) == 1:
        return [_GAP.join(filter(None, rows[0])).rstrip()]
    return aligned_lines(zip(*rows, strict=True), widest) or [""] * len(rows)


def aligned_lines(columns: Iterable[Sequence[str]], widest: int = UNLIMITED) -> list[str]:
    """Return aligned lines as `columns` does, but from columns of cells."""
    filled = [column for column in columns if any(column)]
    aligned = [*(_aligned(column, widest) for column in filled[:-1]), *filled[-1:]]  # behind the last stands nothing
    return [*map(str.rstrip, map(_GAP.join, zip(*aligned, strict=True)))]


def _aligned(column: Sequence[str], widest: int) -> list[str]:
    """Return the cells of a column, padded to one width."""
    taken = widths_of(column)
    width = _width(taken, widest)
    if is_uncoloured_ascii(column):  # as most are, which take less time so
        return [cell.ljust(width) for cell in column]
    return [cell + " " * (width - own) for cell, own in zip(column, taken, strict=True)]


def _width(taken: Sequence[int], widest: int) -> int:
    """Return the width of a column whose cells take so many columns; a wider cell than `widest` doesn't count."""
    width = max(taken, default=0)
    return width if width <= widest else max((own for own in taken if own <= widest), default=0)


def fitted_rows(rows: Sequence[Sequence[str]], width: int, least_important: Sequence[int]) -> list[str]:
    """Return the rows as aligned lines of at most `width` columns; arguments as for `fitted_lines`."""
    return fitted_lines(list(zip(*rows, strict=True)), width, least_important) or [""] * len(rows)


def fitted_lines(columns: Sequence[Sequence[str]], width: int, least_important: Sequence[int]) -> list[str]:
    """Return aligned lines of at most `width` columns, from columns of cells.

    Args:
        columns: the cells of each column.
        width: columns of the terminal.
        least_important: which columns are cut with `…`, and left out where little would remain: the first one first.
            What is still too wide is cut at the end of the line.
    """
    lines = aligned_lines(columns)
    if max(map(len, lines), default=0) * 2 <= width:  # no character takes more than two columns
        return lines
    fitting = list(columns)
    taken = [max(map(width_of, column), default=0) for column in fitting]
    for index in least_important:
        excess = sum(taken) + len(_GAP) * (sum(map(bool, taken)) - 1) - width
        if excess <= 0:
            break
        room = taken[index] - excess if taken[index] - excess >= _LEAST_COLUMN else 0
        fitting[index] = [cut(cell, room) if room else "" for cell in fitting[index]]
        taken[index] = room
    return [cut(line, width) for line in aligned_lines(fitting)]
