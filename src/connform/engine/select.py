"""Turns `-c`, `--exclude` and `--tag` into the connections of a run; `--changed-since` narrows them further.

Layer 3, no IO.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final, NamedTuple

from connform.errors import UnknownConnection
from connform.manifest.similar import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping


class Selection(NamedTuple):
    """Which connections a run is about; empty: all."""

    names: tuple[str, ...] = ()
    """Names or globs; a connection matches one of them."""
    exclude: tuple[str, ...] = ()
    """Names or globs to leave out."""
    tags: tuple[str, ...] = ()
    """A connection has one of them."""
    changed_since: str = ""
    """A commit, branch or tag; a connection means something else there."""


EVERYTHING: Final = Selection()
"""No choice at all."""


def select(tags: Mapping[str, Collection[str]], selection: Selection, *, may_miss: bool = False) -> list[str]:
    """Return the names of the selected connections, in their order.

    Args:
        tags: the tags of each connection, by its name.
        selection: which ones.
        may_miss: whether a name or glob may match nothing here.

    Raises:
        UnknownConnection: a name or glob that matches nothing: a typo would otherwise pass as success.
    """
    if not may_miss:
        demand_known(selection, tags)
    if selection == EVERYTHING:
        return list(tags)
    return [name for name, own in tags.items() if _matches(name, own, selection)]


def demand_known(selection: Selection, names: Collection[str]) -> None:
    """Let a selection pass each of whose names and globs matches one of `names`; errors as for `select`."""
    for pattern in selection.names:
        if not any(fnmatchcase(name, pattern) for name in names):
            raise UnknownConnection(unknown_connection(pattern, names))


def _matches(name: str, tags: Collection[str], selection: Selection) -> bool:
    if selection.names and not any(fnmatchcase(name, pattern) for pattern in selection.names):
        return False
    if any(fnmatchcase(name, pattern) for pattern in selection.exclude):
        return False
    return not selection.tags or not set(selection.tags).isdisjoint(tags)


def unknown_connection(name: str, known: Iterable[str]) -> str:
    """Say that no connection has a name, and which one may be meant."""
    hint = did_you_mean(name, known)
    return f"no connection matches `{name}`" + (f"; {hint}" if hint else "")
