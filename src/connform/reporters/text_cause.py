"""One cause in the format `text`: which connections it is about, why, what to do. Layer 4, no IO."""

from __future__ import annotations

from connform.reporters.causes import Cause
from connform.reporters.places import format_places
from connform.reporters.terminal import BOLD, Look, clean
from connform.reporters.text_connection import (
    INDENT,
    VERDICTS,
    display_name,
    facts_of,
    listed,
    outcome,
    row_of,
    sign,
    stages_of,
)
from connform.reporters.wrapping import enumerated, fold, paragraph

FAILURES = frozenset({"failed", "unknown"})
"""Verdicts that need somebody to do something."""
LISTED = 20
"""Connections, or secrets, without remarks that are listed on a terminal; more are counted."""


def render_cause(cause: Cause, look: Look) -> list[str]:
    """Return what happened to some connections: which they are, how far their checks came, why, and what to do."""
    first, number = cause.connections[0], len(cause.connections)
    is_failure = first["verdict"] in FAILURES
    if number == 1:
        cells = [cell.strip() for cell in row_of(first, look) if cell]
        below = (stages_of(first, look) if is_failure or look.verbosity > 0 else []) + facts_of(first, look)
    else:
        count, style = look.paint(f"{number} connections", BOLD), VERDICTS[first["verdict"]][1]
        cells = [sign(outcome(first), first["verdict"], look), count, look.paint(first["class"], style)]
        below = _members(cause, look)
    lines = fold(filter(None, cells), rest=INDENT, width=look.row_width, separator="  ") + below
    return lines + render_remarks(cause, look)


def render_remarks(cause: Cause, look: Look) -> list[str]:
    """Return why it failed, what to do and where; or what else there is to say."""
    lines: list[str] = []
    for label, text in _remarks(cause, look):
        prefix = f"{INDENT}{look.paint(label, BOLD)} "
        lines += paragraph(text, first=prefix, rest=INDENT + " " * (len(label) + 1), width=look.width)
    return lines


def _members(cause: Cause, look: Look) -> list[str]:
    """Return the names of connections, and the stages that all of them have in common."""
    if look.verbosity > 0:
        return [f"  {line}" for line in listed(cause.connections, look._replace(width=look.width - 2))]
    lines = member_names(cause, look)
    first = cause.connections[0]
    results = [[stage["status"] for stage in item["stages"]] for item in cause.connections]
    if first["verdict"] in FAILURES and all(result == results[0] for result in results):
        lines += stages_of({**first, "stages": [{**stage, "elapsed_ms": 0} for stage in first["stages"]]}, look)
    return lines


def member_names(cause: Cause, look: Look) -> list[str]:
    """Return all names of the connections, each with what is its own in the message."""
    names = [
        f"{display_name(item)} ({clean(own)})" if own else display_name(item)
        for item, own in zip(cause.connections, cause.own_parts, strict=True)
    ]
    return fold(enumerated(list(dict.fromkeys(names))), first=INDENT, rest=INDENT, width=look.width)


def _remarks(cause: Cause, look: Look) -> list[tuple[str, str]]:
    if cause.connections[0]["verdict"] not in FAILURES:
        done = [("note:", cause.message)] if cause.message else []
        return done + [("warning:", warning) for warning in cause.connections[0]["warnings"]]
    return [("why: ", cause.message), ("help:", cause.hint), ("at:  ", format_places(cause.connections, look))]
