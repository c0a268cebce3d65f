"""The format `markdown`: tables for the summary of a job or a comment on a pull request. Layer 4, no IO."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from connform.reporters.findings import findings
from connform.reporters.terminal import clean, format_count, format_place, format_policy_count
from connform.reporters.text_inventory import format_value
from connform.reporters.text_plan import change_counts, changed_connections, describe_change
from connform.reporters.text_verdicts import verdict_counts
from connform.reporters.view import View

uses_repository_paths: Final = True

MAX_CHARACTERS = 65_536
"""GitHub's limit for one comment."""
_RESERVED_CHARACTERS = 500
"""Characters reserved for the heads of tables, and for the lines that say what is left out."""
_MAX_REFUSALS = 20
"""How many refusals are shown at most."""
_MARKUP = re.compile(r"[\\`*_\[\]<>#|~&$]|:(?=//)|(?<=www)\.")
_MENTIONS = re.compile(r"(?:[@#]|\bGH-)(?=\w)|:(?=(?:1(?:00|234)|[+-]1|[a-z]\w*):)")
"""What GitHub and GitLab replace besides Markdown: `@person`, `#12`, `GH-12`, and `:100:`, an emoji."""
_SIGNS = {"ready": "✅", "failed": "❌", "unknown": "⚠️", "skipped": "⏭️", "error": "❌", "warning": "⚠️"}


def render(view: View, *, color: bool, width: int, verbosity: int) -> str:  # noqa: ARG001  (for a page)
    """Return a heading and tables of the findings, connections and values; rows beyond the limit are left out, and counted."""
    lines = [f"### connform {view['command']}: {_summary(view)}"]
    if plan := view.get("plan"):
        refusals = [f"needs `--force`: {escape(refusal)}" for refusal in plan["refusals"]]
        lines += [line for one in refusals[:_MAX_REFUSALS] for line in ("", one)]
        lines += ["", f"… and {len(refusals) - _MAX_REFUSALS} more reasons"] * (len(refusals) > _MAX_REFUSALS)
        lines += ["", f"digest {_code(plan['digest'])}"] if view["command"] == "plan" else []
    room = MAX_CHARACTERS - sum(len(line) + 1 for line in lines) - _RESERVED_CHARACTERS
    found = [
        [_SIGNS[one.severity], _code(format_place(one.place)), _code(one.code), escape(one.text_with_related)]
        for one in findings(view)
    ]
    room -= _add_table(lines, ["", "Place", "Code", "What"], found, room)
    if view["command"] == "plan":
        changes = [
            [item["action"], _code(item["name"]), escape(describe_change(item))] for item in changed_connections(view)
        ]
        _add_table(lines, ["Action", "Connection", "What"], changes, room)
        return "\n".join(lines) + "\n"
    connections = [
        [
            _SIGNS.get(one["verdict"], ""),
            *(_code(one[key]) for key in ("name", "base_url", "auth_method", "stage")),
        ]
        for one in view["connections"]
    ]
    room -= _add_table(lines, ["", "Connection", "Base URL", "Method", "Failed at"], connections, room)
    values = [
        [
            _code(value["pointer"]),
            _code(format_value(value["value"])),
            escape(value["origin"]),
            _code(format_place(value)),
        ]
        for one in view["connections"]
        for value in one.get("values", [])
    ]
    _add_table(lines, ["Key", "Value", "From", "Place"], values, room)
    return "\n".join(lines) + "\n"


def _summary(view: View) -> str:
    summary = view["summary"]
    words = [format_count(summary["connections"], "connection")]
    words += [format_policy_count(summary["policies"])] * bool(summary["policies"])
    words += ["interrupted"] * ("interrupted" in view)
    words += verdict_counts(view)
    words += change_counts(view)
    words += [format_count(summary[f"{what}s"], what) for what in ("error", "warning") if summary[f"{what}s"]]
    return ", ".join(words)


def _add_table(lines: list[str], header: Sequence[str], rows: Sequence[Sequence[str]], room: int) -> int:
    """Add a table of the rows that fit into `room`, without empty columns; return how many characters the rows take."""
    if not rows:
        return 0
    filled = [index for index in range(len(header)) if any(row[index] for row in rows)]
    lines += ["", _row([header[index] for index in filled]), f"|{'---|' * len(filled)}"]
    used = 0
    for number, row in enumerate(rows):
        line = _row([row[index] for index in filled])
        if used + len(line) + 1 > room:
            lines += ["", f"… and {len(rows) - number} more"]
            break
        lines.append(line)
        used += len(line) + 1
    return used


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _code(name: str) -> str:
    """Return a name as a code span; as escaped text if it holds a character that has a meaning there."""
    return escape(name) if set("`|\\").intersection(name) else f"`{clean(name)}`" if name else ""


def escape(text: str) -> str:
    """Return text that a page shows as it is: no markup, no HTML, no link to a person or an issue."""
    plain = _MARKUP.sub(r"\\\g<0>", clean(" ".join(text.split())))
    return _MENTIONS.sub("\\g<0>\u200b", plain)
