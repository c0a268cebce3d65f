"""Planned renames: `moved:` of the manifests compared with the recorded state, with the reasons against some of them.

Layer 3; reads the recorded state. The rules are those of Terraform's `moved` blocks: what already exists under the new name
is never replaced, and an entry whose old name isn't recorded has no effect.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from connform.database.state_table import StateTable
    from connform.engine.run.states import Shard, StateOfRun
    from connform.grant import GrantFacts
    from connform.recorded import RecordSummary

    Marks = Mapping[StateTable, Mapping[str, RecordSummary]]
    Grants = Mapping[StateTable, Mapping[str, GrantFacts]]

_TAKEN: Final = "it was to become {new} (`moved:`), and {why}"


class Rename(NamedTuple):
    """A connection that was renamed, and is recorded under its old name."""

    old: str
    """The name under which it is recorded, or has a grant."""
    new: str
    """The name that it is to have."""
    home: StateTable
    """Where it lies."""
    problem: str = ""
    """Why it stays as it is; empty where it goes."""


def find_renames(
    moved: Mapping[str, str], homes: Mapping[str, StateTable], marks: Marks, grants: Grants, states: StateOfRun
) -> Iterator[Rename]:
    """Yield the renames of what is recorded.

    Args:
        moved: the present names by the old ones, those nearer to it in a chain first.
        homes: where each connection of the run is recorded, or will be.
        marks: what is recorded.
        grants: whose grants are kept.
        states: all of the recorded state.
    """
    taken: dict[str, str] = {}
    for old, new in moved.items():
        for home in marks:
            if old in marks[home] or old in grants[home]:
                problem = _elsewhere(new, homes, home) or _unread(marks[home].get(old), states)
                problem = problem or _occupied(old, new, marks[home], grants[home], taken)
                if not problem:
                    taken[new] = old
                why = _TAKEN.format(new=new, why=problem) if problem else ""
                yield Rename(old, new, home, why)


def _elsewhere(new: str, homes: Mapping[str, StateTable], home: StateTable) -> str:
    there = homes.get(new, home)
    if there is home:
        return ""
    return f"its state lies in {home.place}, that of {new} in {there.place}: one --state for both holds them together"


def _unread(mark: RecordSummary | None, states: StateOfRun) -> str:
    """Say that the file that declared it was not read, and may declare it still."""
    if mark is None or not states.is_left_out(mark.file):
        return ""
    return f"{mark.file}, which declared it, is not part of this run: name both files"


def _occupied(
    old: str, new: str, marks: Mapping[str, RecordSummary], grants: Mapping[str, GrantFacts], taken: Mapping[str, str]
) -> str:
    if new in taken:
        return f"{taken[new]} becomes that already"
    if new in grants and old in grants:
        return f"{new} has a grant of its own"
    if new in marks and marks[new].digest and old in marks:
        return f"{new} was applied already"
    return ""


def old_names(moved: Mapping[str, str], states: StateOfRun, shard: Shard) -> set[str]:
    """Return the old names of a shard's connections under which something lies now. Takes no lock.

    Raises:
        ConnectionFailed: a fault of the store.
    """
    wanted = {old for old, new in moved.items() if shard.has(new)}
    return (
        {name for home in states.all for name in (*home.marks(), *home.grants()) if name in wanted}
        if wanted
        else wanted
    )
