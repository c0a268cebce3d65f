"""Unified diff of a manifest before and after, with secrets masked. Layer 2, no IO."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from difflib import SequenceMatcher, unified_diff
from io import StringIO
from itertools import groupby
from typing import Any, TypeAlias

from connform.diagnostics import MASK
from connform.manifest.harmless import is_plain_text
from connform.manifest.snippet import MAX_LINE, Public, mask
from connform.secret import looks_generated

Step: TypeAlias = tuple[str, int, int, int, int]
"""An opcode of `difflib`: operation, start and end of the old lines, start and end of the new lines."""
_MAX_LINES = 2_000
"""Files with at most this many lines together are compared by `difflib` alone."""
_MAX_PAIRS = 10_000
"""The limit of pairs of lines to compare between two anchors; with more, all these lines are replaced."""
_COMMENTED_OUT = re.compile(r"(?P<sign>#++[ \t]*+)(?P<code>(?:- ++)*+[\w.\"'-]+\s*:(?:\s.*)?)")
_TOOL_COMMENT = re.compile(
    r"#\s*+(?:connform: ignore\[[a-z0-9, -]*+\]|yaml-language-server: \$schema=[a-z0-9:/._-]++)\s*+", re.IGNORECASE
)
_ASSIGNED = re.compile(r"([:=]\s*+)(\S++)")


def diff(name: str, before: str, after: str, public: Public) -> Iterator[str]:
    """Yield the lines of a unified diff, each with its line break.

    Args:
        name: the file's name.
        before: its text.
        after: its text in the canonical layout.
        public: what may be shown of a line.
    """
    for number, piece in enumerate(_unified(_lines(before), _lines(after), name)):
        if number < len(("---", "+++")) or piece.startswith("@@"):
            yield piece
            continue
        yield piece[0] + _mask_line(piece[1:].rstrip("\r\n"), public) + "\n"
        if not piece.endswith("\n"):
            yield "\\ No newline at end of file\n"


def _lines(text: str) -> list[str]:
    return list(StringIO(text, newline="\n"))


def _unified(before: list[str], after: list[str], name: str) -> Iterator[str]:
    """Yield what `difflib.unified_diff` yields; for large files, the time is linear in their size."""
    if len(before) + len(after) <= _MAX_LINES:
        yield from unified_diff(before, after, name, name)
        return
    matcher: Any = SequenceMatcher(None, "", "")
    matcher.opcodes = list(_merge_equal(_steps(before, after)))
    for number, group in enumerate(matcher.get_grouped_opcodes()):
        if not number:
            yield from (f"--- {name}\n", f"+++ {name}\n")
        first, last = group[0], group[-1]
        yield f"@@ -{_range(first[1], last[2])} +{_range(first[3], last[4])} @@\n"
        for tag, *(start, end, new_start, new_end) in group:
            signs = (
                ((" ", before[start:end]),)
                if tag == "equal"
                else (("-", before[start:end]), ("+", after[new_start:new_end]))
            )
            yield from (f"{sign}{line}" for sign, lines in signs for line in lines)


def _range(start: int, end: int) -> str:
    """Return the line range of a hunk in the format of unified diffs."""
    number = end - start
    return str(start + 1) if number == 1 else f"{start + bool(number)},{number}"


def _merge_equal(steps: Iterator[Step]) -> Iterator[Step]:
    """Yield the steps, with neighbouring steps of equal lines merged."""
    for is_equal, group in groupby(steps, key=lambda step: step[0] == "equal"):
        pieces = list(group)
        if is_equal:
            (_, start, _, new_start, _), (*_, end, _, new_end) = pieces[0], pieces[-1]
            yield "equal", start, end, new_start, new_end
        else:
            yield from pieces


def _steps(before: list[str], after: list[str]) -> Iterator[Step]:
    """Yield the steps between two texts, compared piece by piece between their anchors."""
    start = new_start = 0
    for end, new_end in (*_anchors(before, after), (len(before), len(after))):
        old, new = before[start:end], after[new_start:new_end]
        if len(old) * len(new) > _MAX_PAIRS:
            yield "replace", start, end, new_start, new_end
        else:
            for tag, *(a, b, c, d) in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
                yield tag, start + a, start + b, new_start + c, new_start + d
        if end < len(before):
            yield "equal", end, end + 1, new_end, new_end + 1
        start, new_start = end + 1, new_end + 1


def _anchors(before: list[str], after: list[str]) -> Iterator[tuple[int, int]]:
    """Yield the old and the new number of each line that is unique in both texts, without those in another order."""
    unique_before = {line for line, number in Counter(before).items() if number == 1}
    positions = {line: place for place, line in enumerate(after)}
    unique_after = {line for line, number in Counter(after).items() if number == 1}
    reached = -1
    for place, line in enumerate(before):
        if line in unique_before and line in unique_after and positions[line] > reached:
            reached = positions[line]
            yield place, reached


def _mask_line(line: str, public: Public) -> str:
    if len(line) > MAX_LINE:
        return MASK
    code, offsets = mask(line, public)
    comment = line[offsets.index(len(code)) :]  # `mask` leaves it out
    commented_out = _COMMENTED_OUT.fullmatch(comment)
    if _TOOL_COMMENT.fullmatch(comment) and not looks_generated(comment):
        return code + comment
    if commented_out:
        comment = commented_out["sign"] + mask(commented_out["code"], public)[0]
    elif looks_generated(comment) or ("@" in comment and "://" in comment):
        comment = f"# {MASK}"
    else:
        comment = _ASSIGNED.sub(lambda found: found[0] if is_plain_text(found[2]) else f"{found[1]}{MASK}", comment)
    return code + comment
