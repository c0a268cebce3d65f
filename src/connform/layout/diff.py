"""Turns a manifest before and after into a unified diff in which no secret stands. Layer 2, no IO."""

from __future__ import annotations

import re
from difflib import unified_diff
from io import StringIO
from typing import TYPE_CHECKING, Final

from connform.diagnostics import MASK
from connform.manifest.snippet import MAX_LINE, mask
from connform.secret import looks_generated

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

_COMMENTED_OUT: Final = re.compile(r"(?P<sign>#+[ \t]*)(?P<code>(?:- +)*[\w.\"'-]+\s*:(?:\s.*)?)")


def diff(name: str, before: str, after: str, known: Collection[str], shown: Collection[str]) -> Iterator[str]:
    """Yield the lines of a unified diff, each with its line break.

    Args:
        name: the file's name.
        before: its text.
        after: its text in the canonical layout.
        known: the keys of manifests.
        shown: those of them whose values may be shown; the values of all other keys are masked.
    """
    pieces = unified_diff(_lines(before), _lines(after), name, name)
    for number, piece in enumerate(pieces):
        if number < len(("---", "+++")) or piece.startswith("@@"):
            yield piece
            continue
        yield piece[0] + _concealed(piece[1:].rstrip("\r\n"), known, shown) + "\n"
        if not piece.endswith("\n"):
            yield "\\ No newline at end of file\n"


def _lines(text: str) -> list[str]:
    return list(StringIO(text, newline="\n"))


def _concealed(line: str, known: Collection[str], shown: Collection[str]) -> str:
    if len(line) > MAX_LINE:
        return MASK
    code, offsets = mask(line, known, shown, "")
    comment = line[offsets.index(len(code)) :]  # `mask` leaves it out
    commented_out = _COMMENTED_OUT.fullmatch(comment)
    if commented_out:
        comment = commented_out["sign"] + mask(commented_out["code"], known, shown, "")[0]
    elif looks_generated(comment) or ("@" in comment and "://" in comment):
        comment = f"# {MASK}"
    return code + comment
