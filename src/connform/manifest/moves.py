"""Renames of connections (`moved:`): the present name of each old one, and diagnostics of invalid renames.

Layer 1, no IO. The rules are those of Terraform's `moved` blocks: an entry without effect may stay, chains are followed,
and an old name must not be declared any more.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from connform.diagnostics import MASK, Diagnostic, Related, Span
from connform.manifest.diagnose import diagnose_file, pointer
from connform.manifest.document_schema import NAME
from connform.manifest.nodes import Map
from connform.manifest.similar import Names
from connform.secret import looks_generated

CODE = "invalid-move"
"""The code of all diagnostics of renames."""
_MAX_SHOWN = 10
"""How many names of a circle a message lists."""


class Move(NamedTuple):
    """One entry of `moved:`."""

    old: str
    """The name that the connection had."""
    new: str
    """The name that it has now, or had next."""
    key: Span
    """The span of the old name."""
    value: Span
    """The span of the new one."""


def moves_in(section: Map) -> Iterator[Move]:
    """Yield the entries of one file, without those whose names have a wrong form, which the schema refuses."""
    is_name = re.compile(NAME).match
    for old, new in section.items():
        if isinstance(new, str) and is_name(old) and is_name(new):
            yield Move(old, new, section.key_span(old), section.value_span(old))


def present_names(moves: Iterable[Move]) -> dict[str, str]:
    """Return old name → present name, through chains of renames; in a chain, the latest old name comes first."""
    ends, _ = _follow({move.old: move.new for move in moves})
    return {old: end for old, (_, end) in sorted(ends.items(), key=lambda one: one[1])}


def invalid_moves(
    moves: Iterable[Move], declared: Mapping[str, Span], admits: Callable[[Span], bool] = bool
) -> Iterator[Diagnostic]:
    """Yield a diagnostic for each rename that can't be carried out.

    Args:
        moves: the entries of all files, in their order.
        declared: the names of the connections of all files, and where they stand.
        admits: whether a mistake at a place is to be listed; no diagnostic is made of any other. By default, each is.
    """
    links: dict[str, Move] = {}
    sources: dict[str, Move] = {}
    for move in moves:
        first = links.setdefault(move.old, move)
        if first is not move:
            if not admits(move.key):
                continue
            detail = f"{_name_to_show(move.old)} is moved twice: an old name has one new name over all files of a run"
            yield _diagnostic(move, move.key, detail, first=first.key)
            continue
        if move.old in declared and move.old != move.new:
            del links[move.old]
            if not admits(move.key):
                continue
            detail = (
                f"{_name_to_show(move.old)} is still declared: rename it below `connections:`, or remove this line, which has "
                "done its work"
            )
            hint = "" if move.new in declared else "the old name stands first, then the new one"
            yield _diagnostic(move, move.key, detail, hint, related=(Related("declared here", declared[move.old]),))
            continue
        other = sources.setdefault(move.new, move)
        if other is not move and admits(move.value):
            detail = (
                f"{_name_to_show(other.old)} and {_name_to_show(move.old)} can't both become {_name_to_show(move.new)}"
            )
            yield _diagnostic(move, move.value, detail, first=other.value)
    _, rings = _follow({old: move.new for old, move in links.items()})
    for ring in rings:
        diagnostic = _circle_diagnostic(links, ring)
        if admits(diagnostic.span):
            yield diagnostic
    yield from _undeclared((move for move in sources.values() if move.new not in links), declared, admits)


def _undeclared(
    last_moves: Iterable[Move], declared: Mapping[str, Span], admits: Callable[[Span], bool]
) -> Iterator[Diagnostic]:
    """Yield a diagnostic for each last rename of a chain whose new name isn't declared."""
    names = Names(declared)
    for move in last_moves:
        if move.new in declared or not admits(move.value):
            continue
        detail = (
            f"no connection of this run is named {_name_to_show(move.new)}: correct the name, or name its file as well"
        )
        yield _diagnostic(move, move.value, detail, names.did_you_mean(move.new))


def _circle_diagnostic(links: Mapping[str, Move], ring: list[str]) -> Diagnostic:
    first = links[ring[0]]
    if len(ring) == 1:
        return _diagnostic(first, first.value, f"{_name_to_show(first.old)} is moved to itself: remove this line")
    shown = [*map(_name_to_show, ring[:_MAX_SHOWN]), *(["…"] if len(ring) > _MAX_SHOWN else []), _name_to_show(ring[0])]
    hint = (
        "remove the entry that is older; names are swapped by way of a third one, in an apply for each step, or with "
        "`connform state mv`"
    )
    others = tuple(Related(f"{_name_to_show(name)} is moved here", links[name].key) for name in ring[1:_MAX_SHOWN])
    return _diagnostic(first, first.key, f"the renames lead in a circle: {' → '.join(shown)}", hint, related=others)


def _follow(links: Mapping[str, str]) -> tuple[dict[str, tuple[int, str]], list[list[str]]]:
    """Return each old name's distance to the end of its chain, with that end, and the circles. The time is linear."""
    ends: dict[str, tuple[int, str]] = {}
    endless: set[str] = set()
    rings: list[list[str]] = []
    for name in links:
        path: dict[str, None] = {}
        while name in links and name not in ends and name not in endless and name not in path:
            path[name] = None
            name = links[name]  # noqa: PLW2901  (on along the chain)
        if name in path:
            way = list(path)
            rings.append(way[way.index(name) :])
        if name in path or name in endless:
            endless.update(path)
            continue
        distance, end = ends.get(name, (0, name))
        ends |= {one: (distance + number, end) for number, one in enumerate(reversed(path), 1)}
    return ends, rings


def _diagnostic(
    move: Move, span: Span, detail: str, hint: str = "", first: Span | None = None, related: tuple[Related, ...] = ()
) -> Diagnostic:
    return diagnose_file(CODE, detail, span, hint, pointer("moved", move.old), first, related)


def _name_to_show(name: str) -> str:
    return MASK if looks_generated(name) else f"`{name}`"
