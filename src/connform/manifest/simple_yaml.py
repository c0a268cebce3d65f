"""Parser of simple YAML, in which most manifests are written: a third of libyaml's time, without the import of PyYAML.

Layer 1, no IO. In a simple document, each line has at most one key or one item; scalars are plain, or in quotes, and end on their line, as
flow collections do; only `>-` goes on over several lines. Anything else, and any mistake, is left to libyaml, which then parses the whole
document. Both make the same tree of a simple document (`tests/manifest/test_simple_yaml.py`).
"""

from __future__ import annotations

import re
from sys import intern
from typing import Any, TypeAlias

from connform.manifest.core_schema import resolve
from connform.manifest.nodes import FOLDED, Map, Seq, TextPositions
from connform.manifest.yaml_errors import MAX_SCALAR_CHARACTERS, scalar_too_long

_MAX_DEPTH = 31
"""How deep a key may be in blocks, and an item in a flow collection: the limit of libyaml's parser, 64, has room for both, and two more."""
_MAX_LINE = MAX_SCALAR_CHARACTERS
_MAX_KEY = 1_000
"""The limits of characters in a line and a key; libyaml's parser refuses longer scalars and keys."""
_MAX_KNOWN_LINES = 4_096
"""How many different lines are kept: most lines stand in manifests again and again, such as `method: api_key`."""
_MAX_KNOWN_LINE = 128
"""How many characters a line has that is kept, so that all of them take no more than a few MB."""


def _plain(excluded: str = "") -> str:
    """Return the pattern of a plain scalar without certain characters; a `:` ends no word of it, and a `#` starts none."""
    word = rf"[^ :{excluded}]*+(?::(?![ {excluded}]|\Z)[^ :{excluded}]*+)*+"
    return rf"((?:[^- ?:,\[\]{{}}#&*!|>'\"%@`]|-(?=[0-9])){word}(?: ++[^ :#{excluded}]{word})*+)"


_KEY = r"([A-Za-z0-9_$][A-Za-z0-9_$./@-]*+(?: [A-Za-z0-9_$./@-]++)*+|\"[^\"\\]*+\"|'[^']*+')"
_QUOTED = r"\"([^\"\\]*+(?:\\[\"\\][^\"\\]*+)*+)\"|'([^']*+)'"
_LINE = re.compile(
    rf"( *+)(- ++)?(?:{_KEY}:(?= |\Z) *+)?(?:{_plain()}|{_QUOTED}|(>-)|([\[{{].*+))? *+(?:(?<![^ ])#.*+)?"
)
_FLOW_INDICATORS = r",?\[\]{}"
_ITEM = re.compile(rf" *+(?:{_KEY}:(?= ) *+)?(?:{_plain(_FLOW_INDICATORS)}|{_QUOTED}|(?=[\[{{])) *+")
"""An item of a flow collection; up to its value, if that is a flow collection."""
_REST_OF_LINE = r" *+(?:(?<= )#.*+)?\Z"

_NOTHING, _NO_VALUE, _SCALAR, _SCALARS, _COLLECTION, _FOLDED, _TOO_LONG = range(7)
"""What a line has as its value; a line with `_NOTHING` is blank or a comment. `_SCALARS` is a flow sequence of scalars."""
_Line: TypeAlias = "tuple[int, int, str | None, int, Any, int]"
"""How many blanks a line starts with, the length of `- ` behind them, its key, what its value is, the value, where that starts."""
_known_lines: dict[str, _Line] = {}
"""Lines that were parsed, and what they say; emptied when it is full."""


class _NotSimpleError(Exception):
    """The document is left to libyaml."""


def parse_simple(text: str, name: str) -> Map | None:
    """Return the mapping of a simple document; `None` for one that isn't simple, or is empty.

    Args:
        text: the document, which `text.decode` didn't refuse.
        name: the file's name, for positions.

    Raises:
        YamlError: a plain scalar is too long, which libyaml would find as well, in several times the time.
    """
    if "\t" in text or "\r" in text or not (text.isascii() or text.replace("\n", "").isprintable()):
        return None
    try:
        return _document(text, name) or None
    except _NotSimpleError:
        return None


def _document(text: str, name: str) -> Map:
    """Return the mapping; that of an empty document is empty."""
    positions, find, known = TextPositions(name, text), text.find, _known_lines.get
    root = Map(positions)
    here: Any = root
    column = 0
    stack: list[tuple[Map | Seq, int]] = []
    open_key: str | None = None  # its value, if it has one, is on the next lines
    following = 4 if text.startswith("---\n") else 0
    while following < len(text):
        start = following
        end = find("\n", start)
        if end < 0:
            end = len(text)
        following = end + 1
        written = text[start:end]
        indentation, dash, key, kind, value, value_start = known(written) or _line(written)
        if kind == _NOTHING:
            continue
        if open_key is not None:
            if indentation > column or (dash and indentation == column):
                child: Map | Seq = Seq(positions) if dash else Map(positions)
                here[open_key] = child
                stack.append((here, column))
                here, column = child, indentation
            else:
                here[open_key] = None
            open_key = None
        while indentation < column:
            here, column = stack.pop()
        if not dash and type(here) is Seq:  # its dashes stand in the column of its key
            here, column = stack.pop()
        if indentation != column or (type(here) is Map) is bool(dash):
            raise _NotSimpleError
        if kind > _SCALAR:
            if kind == _SCALARS:
                value = Seq(positions, start, *value)
            elif kind == _COLLECTION:
                value = _collection_of_line(written, value_start, start, positions)
            elif kind == _FOLDED:
                value, following = _folded(text, start + value_start, indentation + dash)
            else:
                raise scalar_too_long(positions.span(start + value_start, start + value_start))
        if dash:
            here.starts.append(start + indentation + dash)
            if key is None:
                here.append(value)
                continue
            stack.append((here, column))
            child = Map(positions)
            here.append(child)
            here, column = child, indentation + dash
        if key is None or key in here or len(stack) > _MAX_DEPTH:
            raise _NotSimpleError
        here.key_starts.append(start + column)
        if kind == _NO_VALUE:
            open_key = key
        else:
            here[key] = value
    if open_key is not None:
        here[open_key] = None
    return root


def _line(written: str) -> _Line:
    """Return what a line says, and keep it if it is short."""
    if len(written) > _MAX_LINE:
        return _long_line(written)
    found = _LINE.fullmatch(written)
    if found is None:
        raise _NotSimpleError
    indent, dash, key, plain, double, single, folded, collection = found.groups()
    kind = _NOTHING if key is None else _NO_VALUE
    value: Any = None
    start = 0
    if plain is not None:
        kind, value = _SCALAR, resolve(plain)
    elif double is not None:
        kind, value = _SCALAR, _unescaped(double)
    elif single is not None:
        kind, value = _SCALAR, single
    elif folded is not None:
        kind, start = _FOLDED, found.start(7)
    elif collection is not None:
        kind, start = _COLLECTION, found.start(8)
        if collection[0] == "[" and not ("[" in collection[1:] or "{" in collection):
            scalars = _collection_of_line(written, start, 0, None)
            kind, value = _SCALARS, (tuple(scalars.starts), tuple(scalars))
    elif dash is not None and key is None:
        raise _NotSimpleError
    line = len(indent), len(dash or ""), None if key is None else _key(key), kind, value, start
    if len(written) <= _MAX_KNOWN_LINE:
        if len(_known_lines) >= _MAX_KNOWN_LINES:
            _known_lines.clear()
        _known_lines[written] = line
    return line


def _long_line(written: str) -> _Line:
    """Return what a long line says whose value is a plain scalar that is too long; its end doesn't matter."""
    found = _LINE.fullmatch(written[: 2 * _MAX_LINE])
    if found is None or found[3] is None or len(found[4] or "") <= MAX_SCALAR_CHARACTERS:
        raise _NotSimpleError
    return len(found[1]), len(found[2] or ""), _key(found[3]), _TOO_LONG, None, found.start(4)


def _key(written: str) -> str:
    """Return a key without its quotes; for each repetition, the same text."""
    if len(written) > _MAX_KEY:
        raise _NotSimpleError
    return intern(written[1:-1] if written[0] in "\"'" else written)


def _folded(text: str, start: int, column: int) -> tuple[str, int]:
    """Return the folded text that starts at an offset, in a mapping of a column, and the offset of the line behind it."""
    found = re.compile(FOLDED).match(text, start)
    if found is None or len(found[1]) <= column or len(found[2]) > _MAX_LINE or " \n" in found[2]:
        raise _NotSimpleError
    return found[2].rstrip("\n").replace("\n" + found[1], " "), found.end()


def _collection_of_line(line: str, start: int, offset: int, positions: TextPositions | None) -> Any:
    """Return the flow collection that starts in a line, behind which stands nothing; `offset` is that of the line."""
    value, end = _collection(line, start, offset, 0, positions)
    if re.compile(_REST_OF_LINE).match(line, end) is None:
        raise _NotSimpleError
    return value


def _collection(
    line: str, start: int, offset: int, depth: int, positions: TextPositions | None
) -> tuple[Map | Seq, int]:
    """Return a flow collection, and where it ends."""
    is_map = line[start] == "{"
    closing, end = "}" if is_map else "]", start + 1
    if line.startswith(closing, _behind_blanks(line, end)):
        return Map() if is_map else Seq(), _behind_blanks(line, end) + 1
    here: Any = Map(positions) if is_map else Seq(positions, offset, [])
    while True:
        item = _ITEM.match(line, end)
        if item is None or (item[1] is None) is is_map or depth == _MAX_DEPTH:
            raise _NotSimpleError
        key, plain, double, single = item.groups()
        value: Any = single
        value_start = end = item.end()
        if plain is not None:
            value, value_start = resolve(plain), item.start(2)
        elif double is not None:
            value, value_start = _unescaped(double), item.start(3) - 1
        elif single is not None:
            value_start = item.start(4) - 1
        else:
            value, end = _collection(line, end, offset, depth + 1, positions)
            end = _behind_blanks(line, end)
        if is_map:
            key = _key(key)
            if key in here:
                raise _NotSimpleError
            here[key] = value
            here.key_starts.append(offset + item.start(1))
        else:
            here.append(value)
            here.starts.append(value_start)
        end += 1
        if line[end - 1 : end] == closing:
            return here, end
        if line[end - 1 : end] != ",":
            raise _NotSimpleError


def _behind_blanks(line: str, start: int) -> int:
    while line.startswith(" ", start):
        start += 1
    return start


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text) if "\\" in text else text
