"""Explanation of YAML syntax errors: where the mistake is, and what to do about it.

Layer 1, no IO. libyaml reports the position where it stopped, which is often behind the mistake. Its own messages are
written for its developers, and are never shown.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from connform.manifest.other_syntax import foreign_syntax
from connform.manifest.syntax_block import colon_in_text, colon_out_of_place, no_colon, no_document, no_item, no_key
from connform.manifest.syntax_failure import SyntaxFailure, start_of_line, syntax
from connform.manifest.syntax_flow import no_comma, no_content
from connform.manifest.text import BLANKS, Mistake, blank_message


def explain(failure: SyntaxFailure) -> Mistake:
    """Return what is wrong."""
    found = _blank(failure) or foreign_syntax(failure.text, failure.position, failure.context_start)
    if found:
        return found
    rule = _RULES.get(failure.problem, _GENERAL)
    return syntax(rule, failure.position) if isinstance(rule, str) else rule(failure)


_GENERAL = "from here on it can't be read as YAML: see whether quotes, brackets and indentation are right"
_ODD_BLANK = re.compile(rf"[{BLANKS}]")
_INDENT = re.compile(r"[ \t]*")


def _blank(failure: SyntaxFailure) -> Mistake | None:
    """Return the mistake if the line is indented by a tab, or if a tab or a non-YAML blank stands at the position."""
    text, position, start = failure.text, failure.position, failure.line_start
    if _ODD_BLANK.fullmatch(failure.character):
        return syntax(blank_message(failure.character), position)
    if not failure.is_first_in_line:
        detail = "a tab stands here: write a space"
        return Mistake("yaml-tab", detail, position, position + 1) if failure.character == "\t" else None
    place = text.find("\t", start, position + 1)
    if place < 0:
        return None
    indent = _INDENT.match(text, start)
    detail = "indent with spaces"
    if indent and text[indent.end() : indent.end() + 1] in ("#", "\n", "\r", ""):
        detail = "a tab indents a comment or an empty line, which not every reader of YAML allows: use spaces"
    return Mistake("yaml-tab", detail, place, place + 1)


def _cannot_start(failure: SyntaxFailure) -> Mistake:
    character = failure.text[failure.position : failure.position + 1]
    sign = "a backtick" if character == "`" else f"`{character}`"
    return syntax(f"no value starts with {sign} in YAML: put the text into quotes", failure.position)


def _no_name(failure: SyntaxFailure) -> Mistake:
    sign = failure.text[failure.context_start : failure.context_start + 1]
    what = "an alias" if sign == "*" else "an anchor"
    return syntax(f"`{sign}` starts {what} in YAML: put a text that begins with it into quotes", failure.context_start)


def _behind_block_sign(failure: SyntaxFailure) -> Mistake:
    sign = failure.text[failure.context_start : failure.context_start + 1]
    if sign == "%":
        return _directive(failure)
    detail = f"behind `{sign}` the line ends, and the text begins in the next one, indented: move it there; put a text that begins with `{sign}` into quotes"
    return syntax(detail, failure.context_start)


def _open_quote(failure: SyntaxFailure) -> Mistake:
    return syntax("the quote that is opened here is never closed", failure.context_start)


def _tag(failure: SyntaxFailure) -> Mistake:
    if failure.text[failure.context_start : failure.context_start + 1] == "%":
        return _directive(failure)
    detail = "`!` starts a tag in YAML, and tags are refused: put a text that begins with `!` into quotes"
    return Mistake("yaml-tag", detail, failure.context_start, failure.context_start + 1)


def _directive(failure: SyntaxFailure) -> Mistake:
    start = start_of_line(failure.text, failure.context_start)
    detail = "a line that begins with `%` is an instruction for YAML, and only `%YAML 1.2` with `---` below it is allowed: remove it, or quote the text"
    return syntax(detail, start)


_RULES: dict[str, str | Callable[[SyntaxFailure], Mistake]] = {
    "could not find expected ':'": no_colon,
    "mapping values are not allowed in this context": colon_out_of_place,
    "found unexpected ':'": colon_in_text,
    "did not find expected key": no_key,
    "did not find expected '-' indicator": no_item,
    "did not find expected ',' or ']'": no_comma,
    "did not find expected ',' or '}'": no_comma,
    "did not find expected node content": no_content,
    "did not find expected <document start>": no_document,
    "found character that cannot start any token": _cannot_start,
    "block sequence entries are not allowed in this context": (
        "`- ` starts a list item, which needs a line of its own: move it there, or put the text into quotes"
    ),
    "mapping keys are not allowed in this context": (
        "`? ` starts a key, which needs a line of its own: put a text that begins with `?` into quotes"
    ),
    "did not find expected alphabetic or numeric character": _no_name,
    "did not find expected comment or line break": _behind_block_sign,
    "found an indentation indicator equal to 0": "the indentation behind `|` or `>` is a digit from 1 to 9, or is left out",
    "found unexpected end of stream": _open_quote,
    "found unexpected document indicator": _open_quote,
    "found unknown escape character": (
        "`\\` starts an escape in double quotes, and this is none: write `\\\\` for a backslash, or use single quotes"
    ),
    "did not find expected hexdecimal number": (
        "`\\x`, `\\u` and `\\U` are followed by 2, 4 or 8 hexadecimal digits: write `\\\\` for a backslash, or use single quotes"
    ),
    "found invalid Unicode character escape code": (
        "this is half of a character of JSON, or none: write the character itself, or `\\U` with its 8 hexadecimal digits"
    ),
    **dict.fromkeys(
        (
            "did not find expected whitespace or line break",
            "did not find expected whitespace",
            "did not find the expected '>'",
            "did not find expected '!'",
            "did not find expected tag URI",
            "did not find URI escaped octet",
            "found an incorrect leading UTF-8 octet",
            "found an incorrect trailing UTF-8 octet",
            "found undefined tag handle",
        ),
        _tag,
    ),
    **dict.fromkeys(
        (
            "found unknown directive name",
            "could not find expected directive name",
            "found unexpected non-alphabetical character",
            "did not find expected version number",
            "did not find expected digit or '.' character",
            "found extremely long version number",
            "found incompatible YAML document",
            "found duplicate %YAML directive",
            "found duplicate %TAG directive",
        ),
        _directive,
    ),
}
"""Message of libyaml → our message, or the function that finds it. All other messages get `_GENERAL`."""
