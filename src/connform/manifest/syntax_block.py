"""Explanation of YAML syntax errors at a line, a key or an indentation. Layer 1, no IO."""

from __future__ import annotations

import re

from connform.manifest.other_syntax import template_mistake
from connform.manifest.syntax_failure import SyntaxFailure, column, start_of_line, syntax
from connform.manifest.syntax_flow import behind_a_value
from connform.manifest.text import BLANKS, Mistake, blank_message

_MAX_KEY = 1024
_KEY = r"(?:[\w.-]{1,64}|\"(?:[^\"\\\n]|\\.)*\"|'[^'\n]*')"
_OTHER_COLONS = "\uff1a\ufe55\ufe13\ua789\u2236\u02d0"
_WITHOUT_COLON = (
    (rf"[^\n]*?(?P<odd>[{BLANKS}])", ""),
    (rf"[^\n:]*?[{_OTHER_COLONS}]", "this is not the colon of YAML, but another that looks like it: write `: `"),
    (rf"{_KEY}:(?=[^\s/\\])", "a space is missing behind the colon: `key: value`"),
    (rf"{_KEY}[ \t]*(?::=|=>|->|=)", "YAML has `: ` between key and value: `key: value`, not `key = value`"),
    (r"-(?=[^\s-])", "a space is missing behind `-`: `- item`"),
    (r"//|/\*|;|<!--|--(?=[ \t])", "this is no comment of YAML: those start with `#`"),
)
"""The start of a line without `: `, and the message about it."""


def missing_colon(text: str, start: int) -> Mistake | None:
    """Return the mistake at the start of a line without `: `, if it is a common one."""
    if text.startswith("<%", start):
        return template_mistake(text, start)
    for pattern, detail in _WITHOUT_COLON:
        if found := re.compile(pattern).match(text, start):
            return syntax(detail or blank_message(found["odd"]), start, found.end())
    return None


def key_without_space(text: str, start: int, end: int) -> Mistake | None:
    """Return the mistake of a key without quotes that contains `:` or `=`, if a space behind it seems to be missing."""
    has_value = re.compile(rf"{_KEY}:(?=[\[{{\"'])").match(text, start, end)
    is_alone = re.compile(r"\s*[,}]").match(text, end)
    return missing_colon(text, start) if has_value or is_alone else None


def _line_without_colon(text: str, start: int) -> Mistake:
    end = text.find("\n", start)
    line = text[start : None if end < 0 else end]
    if re.search(r":(?:\s|\Z)", line[_MAX_KEY:]):
        return syntax(f"a key has at most {_MAX_KEY} characters", start)
    detail = (
        "a line is `key: value` or `- item`, and here is no `: `; "
        "what goes on with a text is indented deeper than its key"
    )
    return missing_colon(text, start) or syntax(detail, start, start + len(line))


def no_colon(failure: SyntaxFailure) -> Mistake:
    """Return what is wrong with a line that has no `: `; libyaml reports the next one."""
    text, context_start = failure.text, failure.context_start
    quote = text[context_start : context_start + 1]
    line_end = text.find("\n", context_start)
    if quote in ("'", '"') and text.find(quote, context_start + 1, line_end) < 0 <= line_end:
        return syntax("the quote that is opened here is not closed in its line: close it behind the key", context_start)
    return _line_without_colon(failure.text, failure.context_start)


def colon_in_text(failure: SyntaxFailure) -> Mistake:
    """Return what is wrong with a text in brackets that has a colon before a bracket."""
    detail = "a colon stands in a text that isn't quoted: write a space behind it, or quote the text"
    return missing_colon(failure.text, failure.context_start) or syntax(detail, failure.position)


def colon_out_of_place(failure: SyntaxFailure) -> Mistake:
    """Return what is wrong where a `: ` doesn't follow a key."""
    text, position = failure.text, failure.position
    start, end, _ = failure.last_scalar
    line_start = failure.line_start
    first = position - len(text[line_start:position].lstrip(" \t-"))
    if mistake := key_without_space(text, first, position):
        return mistake
    if failure.follows_text and "\n" in text[start:end]:
        if not text[start_of_line(text, start) : start].strip(" -?"):
            return _line_without_colon(text, start)
        detail = "this line is indented deeper than the one above, and so goes on with its text: indent it like its neighbours"
        return syntax(detail, first, position)
    detail = "a second `: ` stands here: quote the text that holds it, or indent the line like its neighbours"
    return syntax(detail, position)


def no_key(failure: SyntaxFailure) -> Mistake:
    """Return what is wrong where the next key of a mapping should stand."""
    text, position, character = failure.text, failure.position, failure.character
    if character == "-" and not text[position + 1 : position + 2].strip():
        if _line_above(failure).lstrip().startswith("- "):
            return _wrong_indentation(failure)
        detail = "a list item (`- `) stands among the keys of a mapping: indent it below its key, or remove the `- `"
        return syntax(detail, position)
    if character == ":" and failure.is_first_in_line:
        return syntax("a key is missing before this `:`", position)
    if failure.is_first_in_line and character not in ",]}" and not failure.follows_long_quote:
        return _wrong_indentation(failure)
    return behind_a_value(failure)


def no_item(failure: SyntaxFailure) -> Mistake:
    """Return what is wrong where the next item of a list should stand."""
    if not failure.is_first_in_line or failure.follows_long_quote:
        return behind_a_value(failure)
    if column(failure.text, failure.position) == column(failure.text, failure.context_start):
        detail = "a key stands among the items of a list: begin it with `- `, or indent it like the key of the list"
        return syntax(detail, failure.position)
    return _wrong_indentation(failure)


def _wrong_indentation(failure: SyntaxFailure) -> Mistake:
    _, end, quote = failure.last_scalar
    text, position = failure.text, failure.position
    line = text[position : text.find("\n", position) if "\n" in text[position:] else None]
    if not quote and failure.follows_text and "#" in text[end:position] and ": " not in line:
        return syntax(
            "this line goes on with a text, which the comment above it has ended: "
            "move the comment, or indent the line like its neighbours",
            position,
        )
    above = _line_above(failure)
    indent, indent_above = column(failure.text, failure.position), len(above) - len(above.lstrip(" "))
    return syntax(
        f"this line is indented by {_spaces(indent)}, the one above by {indent_above}: indent it like its neighbours",
        failure.position,
    )


def _spaces(number: int) -> str:
    return "1 space" if number == 1 else f"{number} spaces"


def _line_above(failure: SyntaxFailure) -> str:
    """Return the last line above that is neither empty nor a comment; an empty text if there is none."""
    end = failure.line_start
    while end:
        start = start_of_line(failure.text, end - 1)
        line = failure.text[start : end - 1]
        if line.strip() and not line.lstrip().startswith("#"):
            return line
        end = start
    return ""


_END = re.compile(r"^\.\.\.(?=\s)", re.MULTILINE)
_ABOVE_CONTENT = re.compile(r"(?:\s++|#[^\n]*+)*+")


def no_document(failure: SyntaxFailure) -> Mistake:
    """Return what is wrong where something stands behind the end of a document."""
    text, position, character = failure.text, failure.position, failure.character
    above = _ABOVE_CONTENT.match(text)
    start = above.end() if above else 0
    first = text[start : start + 1]
    if failure.is_first_in_line and first not in ("%", "{", "[") and column(text, position) < column(text, start):
        detail = (
            f"the first key is indented by {_spaces(column(text, start))}, and keys below it by less: "
            "start it in the column of the others"
        )
        return syntax(detail, start_of_line(text, start), start)
    ends = [*_END.finditer(text, 0, position)]
    if ends:
        return syntax("`...` ends the document, and more follows: remove it", *ends[-1].span())
    detail = "the document has ended above, and this belongs to nothing: one file holds one document"
    if first == "%":
        detail = "below the lines that begin with `%` a line `---` is missing"
    elif character in ("]", "}"):
        detail = f"no bracket is open that this `{character}` could close: remove it"
    elif first in ("{", "["):
        detail = "the bracket that encloses everything is closed above: remove what follows it, or move it inside"
    return syntax(detail, position)
