"""Decoder of a YAML file's bytes; refuses characters and formats that readers of YAML disagree on.

Layer 1, no IO. Positions are offsets in characters into the text without its byte order mark.
"""

import codecs
import re
from typing import NamedTuple


class Mistake(NamedTuple):
    """What is wrong in a text, and where."""

    code: str
    """The code of its diagnostic."""
    detail: str
    """What is wrong, why, and what to do; it doesn't quote the text, which may be a secret."""
    start: int
    """Where it begins."""
    end: int
    """Just behind its end."""
    key: str = ""
    """The key of the value, if it is a placeholder; else empty."""
    reference: str = ""
    """Our reference to the same secret; empty if there is none."""


# Patterns are texts: `re` compiles and keeps them when a file first needs them, which most never do.
_PLAIN = bytes([0x09, 0x0A, *range(0x20, 0x7F)])
_REFUSED = "\r(?!\n)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]"
"""Characters that YAML forbids, and those that are a line break for some YAML readers only."""
_ENDS_LINES = {"\x85": "next line", "\u2028": "line separator", "\u2029": "paragraph separator"}
_CONFLICT_MARKS = ("<<<<<<<", "|||||||", "=======", ">>>>>>>")
_CONFLICT = r"(?m)^(?:(?:<{7}|>{7}|\|{7})(?: [^\n]*)?|={7})\r?$"
_OTHER_FORMATS = (
    (
        r"(?i)\s*(<(?:!doctype|!--|\?xml|html|head|body))",
        "this is a page of HTML or XML, perhaps of a download that failed: name the manifest itself",
    ),
    (
        r"\s*(version https://git-lfs\.)",
        "this is a pointer of Git LFS, which stands for the file: `git lfs pull` fetches it",
    ),
    (
        r"\s*(-----BEGIN )",
        "this is a key or a certificate (PEM), not a manifest: keep it in a file of its own",
    ),
)
_OTHER_BEGINNINGS = ("<", "version https:", "-----BEGIN")

BLANKS = "\u00a0\u1680\u2000-\u200b\u202f\u205f\u2060\u3000\ufeff"
"""Blanks that YAML treats as letters, written for a character class of a regular expression."""
_INVISIBLE = rf"[{BLANKS}\u00ad\u200c-\u200f\u202a-\u202e\u2061-\u2064\u2066-\u2069]"
_AT_THE_EDGE = rf"^[-?]?[{BLANKS}]|[{BLANKS}](?=#|$)"


def decode(data: bytes) -> tuple[str, Mistake | None]:
    """Return the text of a file without its byte order mark, and the mistake for which it must not be parsed, if any."""
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        start = len(data[: error.start].decode())
        detail = "save the file as UTF-8; this byte belongs to another encoding"
        return data.decode(errors="replace"), Mistake("not-utf8", detail, start, start + 1)
    return text, _unreadable(data, text)


def _unreadable(data: bytes, text: str) -> Mistake | None:
    if data.translate(None, _PLAIN) and not _is_printable(text) and (odd := re.search(_REFUSED, text)):
        return Mistake("yaml-syntax", _message(odd[0], text), *odd.span())
    if any(mark[0] in text and mark in text for mark in _CONFLICT_MARKS) and (conflict := re.search(_CONFLICT, text)):
        detail = "a merge conflict stands here: keep what is right of both sides, and remove the lines `<<<<<<<`, `=======` and `>>>>>>>`"
        return Mistake("yaml-syntax", detail, conflict.start(), conflict.start() + 7)
    for start, detail in _OTHER_FORMATS if text.lstrip().startswith(_OTHER_BEGINNINGS) else ():
        if found := re.match(start, text):
            return Mistake("yaml-syntax", detail, *found.span(1))
    return None


def _is_printable(text: str) -> bool:
    """Whether every character but tab and line feed can be printed; `_REFUSED` needn't be searched for then."""
    return text.replace("\n", "").replace("\t", "").isprintable()


def _message(odd: str, text: str) -> str:
    number = f"{ord(odd):04X}"
    instead = f'remove it, or write "\\u{number}" in double quotes'
    if odd == "\r" and "\n" not in text:
        return "the lines of this file end with CR alone, which editors and Git don't take for ends of lines: save it with LF"
    if odd == "\r" or odd in _ENDS_LINES:
        name = _ENDS_LINES.get(odd, "carriage return without a line feed")
        return f"U+{number} ({name}) stands here; some readers end the line at it and others don't, so that they read other keys: {instead}"
    if odd == "\ufeff":
        return f"U+FEFF (byte order mark) stands inside of the file, as where files were joined; readers disagree on it: {instead}"
    if odd == "\x00":
        return "a null character stands here: save the file as UTF-8 text; perhaps it is UTF-16, or no text at all"
    return f"a control character (U+{number}) stands here; YAML allows none but tab and line breaks: {instead}"


def unusual_blank(text: str, start: int, plain: str, *, is_key: bool) -> Mistake | None:
    """Return the mistake of a non-ASCII blank or an invisible character in a scalar without quotes, if it has one.

    Args:
        text: the file.
        start: the offset of the scalar.
        plain: its value.
        is_key: whether the scalar is a key, which must have none; other scalars may have some inside.
    """
    found = re.search(_INVISIBLE if is_key else _AT_THE_EDGE, plain)
    if found is None:
        return None
    character = found[0].strip("-?")
    place = text.find(character, start)
    return Mistake("yaml-syntax", blank_message(character), place, place + 1)


def blank_message(character: str) -> str:
    """Return the message about a blank that YAML treats as a letter."""
    import unicodedata  # only mistakes need it

    name = unicodedata.name(character, "a blank").lower()
    return f"U+{ord(character):04X} ({name}) stands here, which YAML takes for a letter: replace it by a space, or remove it"


_ESCAPES = r"(?P<other>\\[^u])|(?P<pair>\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})"
_REPLACEMENT = r"\uFFFD\uFFFD"


def without_surrogates(text: str) -> str:
    r"""Return JSON with each escaped surrogate pair (`"\ud83d\ude42"`, one character) replaced by other escapes.

    The replacement is equally long, so that positions stay right. Any other text is returned as it is, because YAML has
    no such pairs.
    """
    if "\\" not in text or "\\u" not in text:  # one character is found much faster than two
        return text
    replaced = re.sub(_ESCAPES, lambda found: found["other"] or _REPLACEMENT, text)
    if replaced == text:
        return text
    import json  # only JSON with emoji needs it

    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return text
    return replaced
