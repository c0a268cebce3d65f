"""Indentation of scalars over several lines.

Layer 2, no IO. Only white space that isn't part of the scalar's value changes.
"""

from __future__ import annotations

import re

from connform.manifest.nodes import lines_of

STEP = 2
"""How many spaces a level is indented by."""

_BLANK = " \t"
_HEADER = re.compile(r"(?P<style>[|>])(?P<marks>[-+1-9]*)[ \t]*(?P<comment>#.*)?")


def indent_flow_scalar(raw: str, style: str | None, indent: int) -> str:
    """Return a plain or quoted scalar with all lines but the first indented by `indent`.

    Args:
        raw: the scalar as it stands, quotes included.
        style: `"`, `'`, or none for a plain scalar.
        indent: spaces before each further line.
    """
    first, *rest = lines_of(raw)
    lines = [first, *(line.lstrip(_BLANK) for line in rest)]
    lines[:-1] = [_without_trailing_blanks(line, style) for line in lines[:-1]]
    margin = "\n" + " " * indent
    return lines[0] + "".join(margin + line if line else "\n" for line in lines[1:])


def _without_trailing_blanks(line: str, style: str | None) -> str:
    bare = line.rstrip(_BLANK)
    escaping = style == '"' and (len(bare) - len(bare.rstrip("\\"))) % 2
    return line[: len(bare) + 1] if escaping else bare  # `\` and a space is an escaped space


def indent_block_scalar(raw: str, value: str, parent_column: int, indent: int) -> str:
    r"""Return a block scalar with its content indented by `indent`, and without a last line break.

    Blank lines at the end stay if they are part of the value (`|+`), and are removed otherwise.

    Args:
        raw: the scalar from `|` or `>` on.
        value: its value.
        parent_column: 0-based column of the mapping or list around it.
        indent: spaces before each line of its content; `STEP` more than its mapping or list has.
    """
    top, *lines = lines_of(raw)
    header = _HEADER.fullmatch(top)
    if header is None:
        raise ValueError  # can't happen: the parser accepts no block scalar without a header
    marks = header["marks"]
    digits = marks.strip("+-")
    old = parent_column + int(digits) if digits else _content_column(lines, parent_column)
    content = [line[old:] for line in lines]
    last = content.pop() if content else ""
    if last:  # the file ends without a line break
        content.append(last)
    if "+" not in marks:
        while content and not content[-1]:
            content.pop()
    if value and not value.endswith("\n"):
        # The value has no line break at its end, but the layout adds one: `-` excludes it from the value.
        marks = marks.replace("+", "").replace("-", "") + "-"
    marks = marks.replace(digits, str(STEP)) if digits else marks
    comment = " " + header["comment"].rstrip() if header["comment"] else ""
    margin = " " * indent
    return "\n".join([header["style"] + marks + comment, *(margin + line if line else "" for line in content)])


def _content_column(lines: list[str], parent_column: int) -> int:
    """Return the column of the content, as libyaml does: longer blank lines before the content count as well."""
    found = parent_column + 1
    for line in lines:
        bare = line.lstrip(" ")
        found = max(found, len(line) - len(bare))
        if bare:
            break
    return found
