"""Turns a manifest before and after into a unified diff in which no secret stands. Layer 2, no IO."""

from __future__ import annotations

import re
from difflib import unified_diff
from io import StringIO
from typing import TYPE_CHECKING, Final

from connform.diagnostics import MASK
from connform.manifest.harmless import is_plain_text
from connform.manifest.snippet import MAX_LINE, mask
from connform.secret import looks_generated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connform.manifest.snippet import Public

_COMMENTED_OUT: Final = re.compile(r"(?P<sign>#++[ \t]*+)(?P<code>(?:- ++)*+[\w.\"'-]+\s*:(?:\s.*)?)")

_FOR_A_TOOL: Final = re.compile(
    r"#\s*+(?:connform: ignore\[[a-z0-9, -]*+\]|yaml-language-server: \$schema=[a-z0-9:/._-]++)\s*+", re.IGNORECASE
)
_ASSIGNED: Final = re.compile(r"([:=]\s*+)(\S++)")


def diff(name: str, before: str, after: str, public: Public) -> Iterator[str]:
    """Yield the lines of a unified diff, each with its line break.

    Args:
        name: the file's name.
        before: its text.
        after: its text in the canonical layout.
        public: what may be shown of a line.
    """
    pieces = unified_diff(_lines(before), _lines(after), name, name)
    for number, piece in enumerate(pieces):
        if number < len(("---", "+++")) or piece.startswith("@@"):
            yield piece
            continue
        yield piece[0] + _concealed(piece[1:].rstrip("\r\n"), public) + "\n"
        if not piece.endswith("\n"):
            yield "\\ No newline at end of file\n"


def _lines(text: str) -> list[str]:
    return list(StringIO(text, newline="\n"))


def _concealed(line: str, public: Public) -> str:
    if len(line) > MAX_LINE:
        return MASK
    code, offsets = mask(line, public)
    comment = line[offsets.index(len(code)) :]  # `mask` leaves it out
    commented_out = _COMMENTED_OUT.fullmatch(comment)
    if _FOR_A_TOOL.fullmatch(comment) and not looks_generated(comment):
        return code + comment
    if commented_out:
        comment = commented_out["sign"] + mask(commented_out["code"], public)[0]
    elif looks_generated(comment) or ("@" in comment and "://" in comment):
        comment = f"# {MASK}"
    else:
        comment = _ASSIGNED.sub(lambda found: found[0] if is_plain_text(found[2]) else f"{found[1]}{MASK}", comment)
    return code + comment
