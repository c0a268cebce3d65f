"""`inert`: replaces in finished output whatever a terminal or a CI system takes for a command.

Layer 5, no IO. This is the last step before anything is written, for every format and verb; before it, reporters
clean each value, so that it can't leave its line. GitHub's runner obeys a line that starts with `::`, also after
blanks, and a line with `##[` anywhere; Azure Pipelines obeys `##vso[`, TeamCity `##teamcity[`. All of them are replaced
everywhere: in a container or over SSH, the variables of the CI system that reads the log may not be set.
"""

from __future__ import annotations

import re
from enum import StrEnum


class Syntax(StrEnum):
    """The syntax of an output: it decides whether a character is replaced or escaped."""

    TEXT = "text"
    JSON = "json"
    XML = "xml"
    COMMANDS = "commands"
    """GitHub's annotations: they stay commands, and nothing else becomes one."""


_PRINTABLE_ASCII = bytes([0x09, 0x0A, *range(0x20, 0x7F)])
_REPLACEMENT = "�"
_ZERO_WIDTH_SPACE = "\u200b"
"""A zero-width space: it splits the sign of a command and can't be seen."""
# Patterns are compiled when they are first needed: most runs find nothing to replace, and start-up counts.
_CONTROL = (
    r"\r(?!\n)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"  # C0 but line breaks and tab, and C1: `\x9b` is ESC and `[` in one
    r"\u061c\u200e\u200f\u202a-\u202e\u2066-\u206f"  # marks of the direction of text
    r"\u2028\u2029\u2060-\u2064\ufeff\ufff9-\ufffb\U000e0000-\U000e007f"  # further line ends, and invisible characters
    r"\ud800-\udfff]"
)
_OWN_COLORS = rf"(\x1b\[(?:[0-2]|3[1-4]|1;3[1-3])m)|{_CONTROL}"
_MARKER = r"#(?=#[A-Za-z]*+\[)"
_COLONS = r"(?m)^((?:[^\S\n]|\x1b\[[0-9;]*+m)*+):(?=:)"
_FOREIGN_COLONS = r"(?m)^(?!::(?:error|warning|notice) )([^\S\n]*+):(?=:)"


def inert(text: str, syntax: Syntax = Syntax.TEXT, *, color: bool = False) -> str:
    """Return the output with control characters and commands replaced or escaped.

    Args:
        text: the whole output, or whole lines of it.
        syntax: its syntax. JSON stays the same data: the characters are escaped; so are the signs of commands in XML.
        color: whether the colours of `terminal.Painter` are left in it.
    """
    if not _is_printable(text):
        text = _without_controls(text, syntax, color=color)
    if "##" in text:
        text = re.sub(
            _MARKER, {Syntax.JSON: r"\\u0023", Syntax.XML: "&#35;"}.get(syntax, f"#{_ZERO_WIDTH_SPACE}"), text
        )
    if "::" in text and syntax is not Syntax.JSON:  # no line of ours in JSON begins with `::`
        colons = _FOREIGN_COLONS if syntax is Syntax.COMMANDS else _COLONS
        text = re.sub(colons, r"\1&#58;" if syntax is Syntax.XML else rf"\1:{_ZERO_WIDTH_SPACE}", text)
    return text


def _is_printable(text: str) -> bool:
    """Whether every character but tab and line feed can be printed."""
    others = text.encode(errors="surrogatepass").translate(None, _PRINTABLE_ASCII)  # quickly leaves few or none
    return others.decode(errors="surrogatepass").isprintable()


def _without_controls(text: str, syntax: Syntax, *, color: bool) -> str:
    if syntax is Syntax.JSON:
        return re.sub(_CONTROL, lambda found: f"\\u{ord(found[0]):04x}", text)
    if color:
        return re.sub(_OWN_COLORS, lambda found: found[1] or _REPLACEMENT, text)
    return re.sub(_CONTROL, _REPLACEMENT, text)
