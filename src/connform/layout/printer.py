"""Turns the text of a manifest into its canonical layout, by the tokens of the parser and the comments between them.

Layer 2, no IO. Every token and every comment is printed as it stands, in its order: what changes is the white space
between them, so that no choice of the author's is lost. The structure says where a line starts; only inside of
brackets do line breaks stay where they were.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import yaml
from yaml._yaml import CParser

from connform.layout.scalars import STEP, indent_block_scalar, indent_flow_scalar
from connform.manifest.nodes import lines_of
from connform.manifest.text import without_surrogates

if TYPE_CHECKING:
    from collections.abc import Callable

_SIGNS: Final[dict[type, str]] = {
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
"""What a token is to the layout; the three last have no text. A key without `?` has a token without text as well."""
_NESTS: Final = frozenset({"mapping", "list", "close", "-", "?"})
"""What may open or close a block."""
_STARTS_LINE: Final = frozenset({"?", "-", "marker", "end"})
"""What stands first in a line, outside of brackets."""
_OWN_LINE, _TRAILING = "own line", "trailing"


class _Block(NamedTuple):
    """Something open, in which lines stand at one indentation."""

    kind: str
    """`root`, `mapping`, `list`, `tight list` (as far left as the keys around it), `brackets`; `empty` where nothing stands."""
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
        text: what `nodes.parse` accepts, without a byte order mark.
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
        """Whether nothing stands in the innermost block yet."""
        self._is_explicit = False
        """Whether the key at hand has a `?`: its `:` then starts a line."""
        self._before = ""
        """The last token: its sign, `key` for the place where a key starts, nothing at first."""
        self._remark = ""
        """Where the last comment stands, if one stands behind the last token."""
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
            self._remark = ""
            self._is_fresh = False
            if self._closed:
                self._closed.clear()
            if sign == "[":
                self._open.append(_Block("brackets", self._open[-1].inside + STEP, 0))
            elif sign == "]":
                self._open.pop()

    def _nest(self, sign: str, column: int) -> bool:
        """Open and close blocks as a token says; return whether it has something to print as well."""
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
            sign: the token's.
            breaks: how many line breaks stand in the source between it and what was printed last.
        """
        here, before = self._open[-1], self._before
        if here.kind == "brackets":
            self._separate_inside(sign, breaks, here)
        elif sign in _STARTS_LINE:
            if before == "-" and self._is_fresh and not self._remark:
                self._out.append(" ")  # `- key: value`, `- - item`
            else:
                self._start_line(here.indent, breaks, first=self._is_fresh or before == "marker")
        elif sign == ":":
            if self._is_explicit:
                self._start_line(here.indent, 1)
                self._is_explicit = False
            elif before == "anchor":
                self._out.append(" ")  # otherwise the colon would belong to its name
        elif self._remark or before == "marker":
            self._start_line(here.inside, breaks, first=True)
        elif before not in ("key", ""):
            self._out.append(" ")

    def _separate_inside(self, sign: str, breaks: int, here: _Block) -> None:
        """Print the white space before a token inside of brackets."""
        before = self._before
        if self._remark or (breaks and (sign == "]" or before in ("[", ","))):
            if sign == "]":
                self._start_line(here.indent - STEP, 1)
            else:
                self._start_line(here.indent, breaks, first=before == "[")
        elif before in (":", "?") or (before != "[" and (sign not in ("]", ",", ":") or before == "anchor")):
            self._out.append(" ")

    def _start_line(self, indent: int, breaks: int, *, first: bool = False) -> None:
        """Start a line, behind a blank one if the source has one there and it isn't the first of its block."""
        if self._out:
            blank = breaks > 1 and (not first or self._remark == _OWN_LINE)
            self._out.append(("\n\n" if blank else "\n") + " " * indent)

    def _comments(self, gap: str, line: int, sign: str) -> None:
        """Print the comments before a token.

        Args:
            gap: the source between the last token and this one.
            line: the line in which it starts.
            sign: the token's.
        """
        for number, text in enumerate(lines_of(gap), line):
            column = text.find("#")
            if column < 0:
                continue
            if self._before and number == self._line:
                self._out.append(" ")
                self._remark = _TRAILING
            else:
                owner = self._owner(column, sign)
                is_level = sign in _STARTS_LINE or (sign == ":" and self._is_explicit and owner.kind != "brackets")
                indent = owner.indent if is_level else owner.inside
                self._start_line(indent, number - self._line, first=self._is_first(owner, sign))
                self._remark = _OWN_LINE
            self._out.append(text[column:].rstrip())
            self._line = number

    def _is_first(self, owner: _Block, sign: str) -> bool:
        if owner.kind == "brackets":
            return self._before == "["
        return self._is_fresh or owner.kind == "empty" or sign not in _STARTS_LINE or self._before == "marker"

    def _owner(self, column: int, sign: str) -> _Block:
        """Return the block that a comment in a line of its own belongs to.

        It is that of the token behind it, or one that ends between the two if the comment is indented as far.
        """
        owner = self._open[-1]
        if sign not in _STARTS_LINE or owner.kind == "brackets" or self._is_fresh:
            return owner
        ended = self._closed[::-1]
        if self._before in (":", "-"):  # what a key or an item lacks may stand in comments
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
