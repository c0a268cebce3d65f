"""Turns a view into Markdown for the summary of a job or a comment on a pull request. Layer 4, no IO."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from connform.reporters.findings import findings
from connform.reporters.terminal import clean, counted, place_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connform.reporters.view import View

MAX_CHARACTERS: Final = 65_536
"""What GitHub takes as one comment."""
_ROOM_FOR_THE_END: Final = 200
_SPECIAL: Final = re.compile(r"[\\`*_\[\]<>#|~&$]|:(?=//)")
_MENTION: Final = re.compile(r"([@#])(?=\w)")
_SIGNS: Final = {"ready": "✅", "failed": "❌", "unknown": "⚠️", "skipped": "⏭️", "error": "❌", "warning": "⚠️"}


def render(view: View, *, color: bool, width: int, verbosity: int) -> str:  # noqa: ARG001  (for a page)
    """Return a heading, a table of the connections and one of the findings; whole rows are left out where it gets too long."""
    lines = [f"### connform {view['command']}: {_verdict(view)}"]
    room = MAX_CHARACTERS - len(lines[0]) - _ROOM_FOR_THE_END
    found = [
        [_SIGNS[one.severity], _text(place_of(one.place)), _text(one.code), _text(one.text)] for one in findings(view)
    ]
    room -= _add(lines, ["", "Place", "Code", "What"], found, room)
    connections = [
        [_SIGNS.get(one["verdict"], ""), *map(_text, (one["name"], one["base_url"], one["auth_method"], one["stage"]))]
        for one in view["connections"]
    ]
    _add(lines, ["", "Connection", "Base URL", "Method", "Failed at"], connections, room)
    return "\n".join(lines) + "\n"


def _verdict(view: View) -> str:
    summary = view["summary"]
    words = [counted(summary["connections"], "connection")]
    words += [
        f"{summary[verdict]} {verdict}" for verdict in ("ready", "failed", "unknown", "skipped") if summary[verdict]
    ]
    words += [counted(summary[f"{what}s"], what) for what in ("error", "warning") if summary[f"{what}s"]]
    return ", ".join(words)


def _add(lines: list[str], header: Sequence[str], rows: Sequence[Sequence[str]], room: int) -> int:
    """Add a table of the rows for which there is room; return how much it took."""
    if not rows:
        return 0
    table = ["", f"| {' | '.join(header)} |", f"|{'---|' * len(header)}"]
    used = sum(len(line) + 1 for line in table)
    for number, row in enumerate(rows):
        line = f"| {' | '.join(row)} |"
        if used + len(line) + 1 > room:
            table += ["", f"… and {len(rows) - number} more"]
            break
        table.append(line)
        used += len(line) + 1
    lines += table
    return used


def _text(text: str) -> str:
    """Return text that Markdown shows as it is: no markup, no HTML, no link to a person or an issue."""
    escaped = _SPECIAL.sub(r"\\\g<0>", clean(" ".join(text.split())))
    return _MENTION.sub("\\1\u200b", escaped)
