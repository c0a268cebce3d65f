"""Layout of a Markdown page for a terminal: wrapped text, aligned tables, coloured headings. Layer 5, no IO.

It knows what the pages of `docs/` use: headings, paragraphs, lists, tables, fenced code, links, bold and code.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence

from connform.engine.manual import Page
from connform.reporters.terminal import BOLD, DIM, Painter, width_of
from connform.reporters.wrapping import paragraph

_FENCE = re.compile(r"\s*(```|~~~)")
_ITEM = re.compile(r"(\s*)([-*]|\d+\.) +(.*)")
_LINK = re.compile(r"\[([^\]]*)\]\(([^)\s]+)\)")
_MIN_COLUMN = 12
"""Columns of a table that don't fit are narrowed to this width at most."""


def laid_out(page: Page, *, width: int, color: bool) -> str:
    """Return a page for a terminal of `width` columns."""
    paint, lines = Painter(color=color), []
    blocks = _blocks(page.text.splitlines())
    for kind, block in blocks:
        match kind:
            case "code":
                lines += [f"    {line}".rstrip() for line in block[1:-1]]
            case "heading":
                lines.append(paint(_inline(block[0].lstrip("# "), page), BOLD))
            case "table":
                lines += _table(
                    [_cells(row, page) for row in block if not re.fullmatch(r"[|:\s-]+", row)], width, paint
                )
            case "item" if found := _ITEM.match(block[0]):
                indent, mark, first = found[1], found[2], found[3]
                text = _inline(" ".join([first, *block[1:]]), page)
                prefix = f"{indent}{mark} "
                lines += paragraph(text, first=prefix, rest=" " * len(prefix), width=width)
                continue
            case _:
                lines += paragraph(_inline(" ".join(block), page), first="", rest="", width=width)
        lines.append("")
    return "\n".join(lines).rstrip("\n") + "\n"


def _blocks(lines: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """Yield the kind of each block of a page, and its lines; an empty block parts a list from what follows."""
    block: list[str] = []
    kind = ""
    for line in lines:
        if kind == "code":
            block.append(line)
            if _FENCE.match(line):
                yield kind, block
                kind, block = "", []
            continue
        new = _kind(line)
        if block and (new != "text" or kind in {"heading", "table"}) and not (new == kind == "table"):
            yield kind, block
            block = []
        if not line.strip() and kind == "item":
            yield "text", []
        kind = kind if new == "text" and block else new
        if line.strip():
            block.append(line.strip() if new == "text" else line)
        else:
            kind = ""
    if block:
        yield kind, block


def _kind(line: str) -> str:
    if _FENCE.match(line):
        return "code"
    if line.startswith("#"):
        return "heading"
    if line.startswith("|"):
        return "table"
    if _ITEM.match(line):
        return "item"
    return "text" if line.strip() else ""


def _inline(text: str, page: Page) -> str:
    """Return text without the marks of Markdown; a link to another page names the page."""

    def link(found: re.Match[str]) -> str:
        label, target = found[1], found[2].partition("#")[0]
        if not target or "://" in target:
            return label if not target or label == target else f"{label} <{found[2]}>"
        folder = page.name if page.file.stem == "index" else posixpath.dirname(page.name)
        name = posixpath.normpath(posixpath.join(folder, target)).removesuffix(".md").removesuffix("/index")
        return label if label.strip("`") == name else f"{label} ({name})"

    return _LINK.sub(link, text).replace("**", "").replace("\\|", "|")


def _cells(row: str, page: Page) -> list[str]:
    return [_inline(cell.strip(), page) for cell in re.split(r"(?<!\\)\|", row.strip().strip("|"))]


def _table(rows: Sequence[Sequence[str]], width: int, paint: Painter) -> list[str]:
    """Return the lines of a table, with its cells wrapped where it is wider than `width`."""
    columns = [max(map(width_of, column)) for column in zip(*rows, strict=False)]
    while sum(columns) + 2 * len(columns) > width and max(columns) > _MIN_COLUMN:
        columns[columns.index(max(columns))] -= 1
    lines = []
    for number, row in enumerate(rows):
        wrapped = [_wrapped(cell, room) for cell, room in zip(row, columns, strict=False)]
        for height in range(max(map(len, wrapped))):
            parts = [cell[height] if height < len(cell) else "" for cell in wrapped]
            padded = (part + " " * (room - width_of(part)) for part, room in zip(parts, columns, strict=True))
            line = "  ".join(padded).rstrip()
            lines.append(line if number else paint(line, DIM))
    return lines


def _wrapped(text: str, width: int) -> list[str]:
    from textwrap import wrap

    return wrap(text, width, break_on_hyphens=False) or [""]
