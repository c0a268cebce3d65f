"""Explanation of YAML syntax errors inside of brackets, or behind a value. Layer 1, no IO."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connform.manifest.syntax_failure import column, start_of_line, syntax

if TYPE_CHECKING:
    from connform.manifest.syntax_failure import SyntaxFailure
    from connform.manifest.text import Mistake


def behind_a_value(failure: SyntaxFailure) -> Mistake:
    """Return what is wrong with something that stands behind a value in its line."""
    here, last = failure.here, failure.text[: failure.at].rstrip()[-1:]
    is_quoted = bool(failure.before[2]) and failure.follows_text
    if is_quoted and (found := _behind_its_quote(failure)):
        return found
    detail = "something stands behind a value: quote the whole text, or write it into a line of its own"
    if here in ("]", "}"):
        detail = f"no bracket is open that this `{here}` could close: remove it, or quote the text"
    elif here == "," and last not in ("]", "}"):
        detail = "a line of a block ends without `,`: remove it, or quote the text"
    elif is_quoted:
        detail = "something stands behind the text in quotes: put all of it into the quotes, or `#` before a comment"
    elif last in ("]", "}"):
        detail = f"something stands behind the `{last}` that ends a value: remove it, or quote the whole text"
    return syntax(detail, failure.at)


def _behind_its_quote(failure: SyntaxFailure) -> Mistake | None:
    """Return what is wrong if the quoted text ends at the wrong quote, or if no space follows a colon."""
    start, end, quote = failure.before
    if failure.follows_long_quote:
        line = failure.text.count("\n", 0, end) + 1
        detail = f"the text in quotes that begins here ends only in line {line}: close the quote where the text ends"
        return syntax(detail, start)
    if failure.here == ":":
        return syntax("a space is missing behind the colon: `key: value`", failure.at)
    if failure.at == end and failure.here not in ",]}":
        doubled = "''" if quote == "'" else '\\"'
        opened = f"line {failure.text.count(chr(10), 0, start) + 1}, column {column(failure.text, start) + 1}"
        detail = (
            f"this quote closes the text that began in {opened}; a quote inside of a text is written as `{doubled}`"
        )
        return syntax(detail, end - 1, end)
    return None


def no_comma(failure: SyntaxFailure) -> Mistake:
    """Return what is wrong where `,` or the closing bracket should stand."""
    text, at, since, here = failure.text, failure.at, failure.since, failure.here
    opening = text[since : since + 1]
    if not text[at:].strip() or _is_left_open(failure):
        return syntax(f"this `{opening}` is never closed", since)
    if here in ("]", "}"):
        detail = f"`{opening}` is closed by `{here}`: write the other bracket, or add the one that is missing"
        return syntax(detail, at)
    if failure.before[2] and at == failure.before[1]:
        return behind_a_value(failure)
    if failure.follows_text and failure.before[0] > since:
        return _between_entries(failure)
    return syntax("a `,` is missing before this, or the quotes around a text with brackets in it", at)


def _between_entries(failure: SyntaxFailure) -> Mistake:
    text, here = failure.text, failure.here
    start, end, quote = failure.before
    words = text[start:end].split()
    if here != ":":
        missing = "`,`" if text[failure.since] == "[" else "`: ` or `,`"
        return syntax(f"a {missing} is missing behind this", end - 1, end)
    if "\n" in text[end : failure.at]:
        return syntax("this `:` stands in another line than its key: move it behind the key", failure.at)
    if quote or len(words) == 1:
        detail = "a second `: ` stands in one entry: quote the text that holds it, or put a `,` before its key"
        return syntax(detail, failure.at)
    gap = start + len(text[start : end - len(words[-1])].rstrip())
    return syntax("a `,` is missing here, or the quotes around a text that holds `: `", gap)


def _is_left_open(failure: SyntaxFailure) -> bool:
    """Whether a bracket seems to be left open: this line isn't indented deeper than that of the bracket."""
    text, since = failure.text, failure.since
    opened = start_of_line(text, since)
    if failure.line_start <= opened or not text[:since].strip():
        return False
    here, there = text[failure.line_start : failure.at + 1], text[opened : since + 1]
    return len(here) - len(here.lstrip(" ")) <= len(there) - len(there.lstrip(" "))


def no_content(failure: SyntaxFailure) -> Mistake:
    """Return what is wrong where a value should stand."""
    text, at, here = failure.text, failure.at, failure.here
    if not text[at:].strip() and failure.bracket >= 0:
        return syntax(f"this `{text[failure.bracket]}` is never closed", failure.bracket)
    if text.startswith("...", at) and failure.is_first_in_line:
        return syntax("`...` ends a document, and none has begun: remove it", at, at + 3)
    detail = "a value is missing here"
    if here == "-":
        detail = "`- ` starts no item inside of brackets: write `[a, b]`, or quote the text"
    elif here == ",":
        detail = 'a value is missing before this `,`: remove the comma, or write `""`'
    elif here in ("]", "}"):
        detail = f"no bracket is open that this `{here}` could close: remove it, or quote the text"
    return syntax(detail, at)
