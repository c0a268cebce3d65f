"""Explanation of YAML syntax errors inside of brackets, or behind a value. Layer 1, no IO."""

from __future__ import annotations

from connform.manifest.syntax_failure import SyntaxFailure, column, start_of_line, syntax
from connform.manifest.text import Mistake


def behind_a_value(failure: SyntaxFailure) -> Mistake:
    """Return what is wrong with something that stands behind a value in its line."""
    character, last = failure.character, failure.text[: failure.position].rstrip()[-1:]
    is_quoted = bool(failure.last_scalar[2]) and failure.follows_text
    if is_quoted and (found := _behind_its_quote(failure)):
        return found
    detail = "something stands behind a value: quote the whole text, or write it into a line of its own"
    if character in ("]", "}"):
        detail = f"no bracket is open that this `{character}` could close: remove it, or quote the text"
    elif character == "," and last not in ("]", "}"):
        detail = "a line of a block ends without `,`: remove it, or quote the text"
    elif is_quoted:
        detail = "something stands behind the text in quotes: put all of it into the quotes, or `#` before a comment"
    elif last in ("]", "}"):
        detail = f"something stands behind the `{last}` that ends a value: remove it, or quote the whole text"
    return syntax(detail, failure.position)


def _behind_its_quote(failure: SyntaxFailure) -> Mistake | None:
    """Return what is wrong if the quoted text ends at the wrong quote, or if no space follows a colon."""
    start, end, quote = failure.last_scalar
    if failure.follows_long_quote:
        line = failure.text.count("\n", 0, end) + 1
        detail = f"the text in quotes that begins here ends only in line {line}: close the quote where the text ends"
        return syntax(detail, start)
    if failure.character == ":":
        return syntax("a space is missing behind the colon: `key: value`", failure.position)
    if failure.position == end and failure.character not in ",]}":
        doubled = "''" if quote == "'" else '\\"'
        opened = f"line {failure.text.count(chr(10), 0, start) + 1}, column {column(failure.text, start) + 1}"
        detail = (
            f"this quote closes the text that began in {opened}; a quote inside of a text is written as `{doubled}`"
        )
        return syntax(detail, end - 1, end)
    return None


def no_comma(failure: SyntaxFailure) -> Mistake:
    """Return what is wrong where `,` or the closing bracket should stand."""
    text, position, context_start, character = failure.text, failure.position, failure.context_start, failure.character
    opening = text[context_start : context_start + 1]
    if not text[position:].strip() or _is_left_open(failure):
        return syntax(f"this `{opening}` is never closed", context_start)
    if character in ("]", "}"):
        detail = f"`{opening}` is closed by `{character}`: write the other bracket, or add the one that is missing"
        return syntax(detail, position)
    if failure.last_scalar[2] and position == failure.last_scalar[1]:
        return behind_a_value(failure)
    if failure.follows_text and failure.last_scalar[0] > context_start:
        return _between_entries(failure)
    return syntax("a `,` is missing before this, or the quotes around a text with brackets in it", position)


def _between_entries(failure: SyntaxFailure) -> Mistake:
    text, character = failure.text, failure.character
    start, end, quote = failure.last_scalar
    words = text[start:end].split()
    if character != ":":
        missing = "`,`" if text[failure.context_start] == "[" else "`: ` or `,`"
        return syntax(f"a {missing} is missing behind this", end - 1, end)
    if "\n" in text[end : failure.position]:
        return syntax("this `:` stands in another line than its key: move it behind the key", failure.position)
    if quote or len(words) == 1:
        detail = "a second `: ` stands in one entry: quote the text that holds it, or put a `,` before its key"
        return syntax(detail, failure.position)
    gap = start + len(text[start : end - len(words[-1])].rstrip())
    return syntax("a `,` is missing here, or the quotes around a text that holds `: `", gap)


def _is_left_open(failure: SyntaxFailure) -> bool:
    """Whether a bracket seems to be left open: this line isn't indented deeper than that of the bracket."""
    text, context_start = failure.text, failure.context_start
    opened = start_of_line(text, context_start)
    if failure.line_start <= opened or not text[:context_start].strip():
        return False
    line, bracket_line = text[failure.line_start : failure.position + 1], text[opened : context_start + 1]
    return len(line) - len(line.lstrip(" ")) <= len(bracket_line) - len(bracket_line.lstrip(" "))


def no_content(failure: SyntaxFailure) -> Mistake:
    """Return what is wrong where a value should stand."""
    text, position, character = failure.text, failure.position, failure.character
    if not text[position:].strip() and failure.bracket >= 0:
        return syntax(f"this `{text[failure.bracket]}` is never closed", failure.bracket)
    if text.startswith("...", position) and failure.is_first_in_line:
        return syntax("`...` ends a document, and none has begun: remove it", position, position + 3)
    detail = "a value is missing here"
    if character == "-":
        detail = "`- ` starts no item inside of brackets: write `[a, b]`, or quote the text"
    elif character == ",":
        detail = 'a value is missing before this `,`: remove the comma, or write `""`'
    elif character in ("]", "}"):
        detail = f"no bracket is open that this `{character}` could close: remove it, or quote the text"
    return syntax(detail, position)
