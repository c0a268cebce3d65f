"""Printer of a manifest in its canonical layout: the parser's tokens, and the comments between them.

Layer 2, no IO. Every token and every comment is printed unchanged and in the same order; only the white space between
them changes. The structure decides where a line starts; inside of brackets, line breaks stay where they were.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import yaml
from yaml._yaml import CParser

from connform.layout.scalars import STEP, indent_block_scalar, indent_flow_scalar
from connform.manifest.nodes import lines_of
from connform.manifest.text import without_surrogates

_SIGNS: dict[type, str] = {
    yaml.KeyToken: "?",
    yaml.ValueToken: ":",
    yaml.BlockEntryToken: "-",
    yaml.FlowEntryToken: ",",
    yaml.FlowMappingStartToken: "[",
    yaml.FlowSequenceStartToken: "[",
    yaml.FlowMappingEndToken: "]",
    yaml.FlowSequenceEndToken: "]",
    yaml.ScalarToken: "text",
    yaml.AliasToken: "alias",
    yaml.AnchorToken: "anchor",
    yaml.DirectiveToken: "marker",
    yaml.DocumentStartToken: "marker",
    yaml.DocumentEndToken: "marker",
    yaml.StreamEndToken: "end",
    yaml.BlockMappingStartToken: "mapping",
    yaml.BlockSequenceStartToken: "list",
    yaml.BlockEndToken: "close",
}
"""Token → its sign in this module. The last three have no text, and nor has the `?` token of a key without `?`."""
_NESTS = frozenset({"mapping", "list", "close", "-", "?"})
"""The signs that may open or close a block."""
_STARTS_LINE = frozenset({"?", "-", "marker", "end"})
"""The signs that start a line outside of brackets."""
_OWN_LINE, _TRAILING = "own line", "trailing"


class _Block(NamedTuple):
    """An open block, whose lines have one indentation."""

    kind: str
    """`root`, `mapping`, `list`, `tight list` (indented like the keys around it), `brackets`, `empty` (no value)."""
    indent: int
    """Spaces before its lines in the layout."""
    column: int
    """0-based column of its lines in the source."""

    @property
    def inside(self) -> int:
        """Spaces before a line that belongs to one of its values."""
        return self.indent if self.kind in {"root", "brackets"} else self.indent + STEP


def lay_out(text: str) -> str:
    r"""Return a manifest in its canonical layout, with `\n` at the end of each line.

    Args:
        text: a text that `parser.parse` accepts, without a byte order mark.
    """
    return _Printer(text).print()


class _Printer:
    def __init__(self, text: str) -> None:
        self._text = text
        self._out: list[str] = []
        self._open = [_Block("root", 0, -1)]
        self._closed: list[_Block] = []
        """Blocks that ended since the last token, the deepest first."""
        self._is_fresh = False
        """Whether the innermost block has no content yet."""
        self._is_explicit = False
        """Whether the current key has a `?`: its `:` then starts a line."""
        self._before = ""
        """The sign of the last token; `key` for a token without text, before a key; empty at first."""
        self._comment = ""
        """The kind of the last comment (`_OWN_LINE` or `_TRAILING`), if one follows the last token; else empty."""
        self._line = 0
        """0-based line of the source in which the last token or comment ends."""

    def print(self) -> str:
        """Return the whole text."""
        text, out = self._text, self._out
        next_token: Callable[[], Any] = CParser(without_surrogates(text)).get_token
        next_token()  # the start of the stream
        position = line = 0  # where the last token ends
        while True:
            token = next_token()
            sign, start, end = _SIGNS[type(token)], token.start_mark, token.end_mark
            if sign in _NESTS and not self._nest(sign, start.column):
                continue
            if sign == "?":
                self._is_explicit = end.index > start.index
                if not self._is_explicit and self._open[-1].kind == "brackets":
                    continue
            if text.find("#", position, start.index) >= 0:
                self._comments(text[position : start.index], line, sign)
            if sign == "end":
                return "".join(out) + ("\n" if out else "")
            self._separate(sign, start.line - self._line)
            raw = text[start.index : end.index]
            position, line = end.index, end.line
            self._line = line
            out.append(self._scalar(token, raw) if line > start.line or raw[:1] in ("|", ">") else raw)
            self._before = sign if raw else "key"
            self._comment = ""
            self._is_fresh = False
            if self._closed:
                self._closed.clear()
            if sign == "[":
                self._open.append(_Block("brackets", self._open[-1].inside + STEP, 0))
            elif sign == "]":
                self._open.pop()

    def _nest(self, sign: str, column: int) -> bool:
        """Open and close blocks for a token; return whether the token itself may have text to print."""
        blocks = self._open
        if sign in ("mapping", "list"):
            self._enter(sign, column)
            return False
        if sign == "-" and blocks[-1].kind == "mapping":
            self._enter("tight list", column)
        elif sign in ("?", "close") and blocks[-1].kind == "tight list":
            self._closed.append(blocks.pop())
        if sign == "close":
            self._closed.append(blocks.pop())
            return False
        return True

    def _enter(self, kind: str, column: int) -> None:
        self._open.append(_Block(kind, self._open[-1].inside, column))
        self._is_fresh = True

    def _separate(self, sign: str, breaks: int) -> None:
        """Print the white space before a token.

        Args:
            sign: the sign of the token.
            breaks: the number of line breaks in the source between the last printed text and the token.
        """
        here, before = self._open[-1], self._before
        if here.kind == "brackets":
            self._separate_in_brackets(sign, breaks, here)
        elif sign in _STARTS_LINE:
            if before == "-" and self._is_fresh and not self._comment:
                self._out.append(" ")  # `- key: value`, `- - item`
            else:
                self._start_line(here.indent, breaks, first=self._is_fresh or before == "marker")
        elif sign == ":":
            if self._is_explicit:
                self._start_line(here.indent, 1)
                self._is_explicit = False
            elif before == "anchor":
                self._out.append(" ")  # otherwise the colon would belong to its name
        elif self._comment or before == "marker":
            self._start_line(here.inside, breaks, first=True)
        elif before not in ("key", ""):
            self._out.append(" ")

    def _separate_in_brackets(self, sign: str, breaks: int, here: _Block) -> None:
        """Print the white space before a token inside of brackets."""
        before = self._before
        if self._comment or (breaks and (sign == "]" or before in ("[", ","))):
            if sign == "]":
                self._start_line(here.indent - STEP, 1)
            else:
                self._start_line(here.indent, breaks, first=before == "[")
        elif before in (":", "?") or (before != "[" and (sign not in ("]", ",", ":") or before == "anchor")):
            self._out.append(" ")

    def _start_line(self, indent: int, breaks: int, *, first: bool = False) -> None:
        """Start a line; a blank line of the source before it stays, except at the start of a block."""
        if self._out:
            blank = breaks > 1 and (not first or self._comment == _OWN_LINE)
            self._out.append(("\n\n" if blank else "\n") + " " * indent)

    def _comments(self, gap: str, line: int, sign: str) -> None:
        """Print the comments before a token.

        Args:
            gap: the source between the last token and this one.
            line: the line in which it starts.
            sign: the sign of this token.
        """
        for number, text in enumerate(lines_of(gap), line):
            column = text.find("#")
            if column < 0:
                continue
            if self._before and number == self._line:
                self._out.append(" ")
                self._comment = _TRAILING
            else:
                owner = self._block_of_comment(column, sign)
                is_level = sign in _STARTS_LINE or (sign == ":" and self._is_explicit and owner.kind != "brackets")
                indent = owner.indent if is_level else owner.inside
                self._start_line(indent, number - self._line, first=self._is_first(owner, sign))
                self._comment = _OWN_LINE
            self._out.append(text[column:].rstrip())
            self._line = number

    def _is_first(self, owner: _Block, sign: str) -> bool:
        if owner.kind == "brackets":
            return self._before == "["
        return self._is_fresh or owner.kind == "empty" or sign not in _STARTS_LINE or self._before == "marker"

    def _block_of_comment(self, column: int, sign: str) -> _Block:
        """Return the block of a comment in a line of its own.

        It is the block of the next token, or the deepest block that ends before it and isn't indented more than the
        comment.
        """
        owner = self._open[-1]
        if sign not in _STARTS_LINE or owner.kind == "brackets" or self._is_fresh:
            return owner
        ended = self._closed[::-1]
        if self._before in (":", "-"):  # the comments may replace a missing value
            last = ended[-1] if ended else owner
            ended.append(_Block("empty", last.inside, last.column + 1))
        for block in ended:
            if owner.column < block.column <= column:
                owner = block
        return owner

    def _scalar(self, token: Any, raw: str) -> str:
        """Return a scalar over several lines."""
        here = self._open[-1]
        if token.style not in ("|", ">"):
            return indent_flow_scalar(raw, token.style, here.inside + STEP * (here.kind == "brackets"))
        laid_out = indent_block_scalar(raw, token.value, here.column, here.inside)
        self._line = token.start_mark.line + laid_out.count("\n")
        return laid_out
