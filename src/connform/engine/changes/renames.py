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
    """A rename of `moved:` whose old name is still recorded."""

    old: str
    """The old name, with a record or a grant."""
    new: str
    """The new name."""
    home: StateTable
    """The state table with the record or grant."""
    problem: str = ""
    """Why the rename isn't possible; empty if it is."""


def find_renames(
    moved: Mapping[str, str], homes: Mapping[str, StateTable], marks: Marks, grants: Grants, states: StateOfRun
) -> Iterator[Rename]:
    """Yield the renames of what is recorded.

    Args:
        moved: the present names by the old ones; in a chain of renames, later old names come first.
        homes: by the name of each declared connection the state table where it is recorded, or will be.
        marks: by each state table the summaries of its records, by the connection's name.
        grants: by each state table the facts of its grants, by the connection's name.
        states: the recorded state of the run.
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
    """Return a problem if the file that declared it exists and was not read: it may still declare it."""
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
    """Return the old names of a shard's connections that have a record or a grant now. Takes no lock.

    Raises:
        ConnectionFailed: a fault of the state database.
    """
    wanted = {old for old, new in moved.items() if shard.has(new)}
    return (
        {name for home in states.tables for name in (*home.marks(), *home.grants()) if name in wanted}
        if wanted
        else wanted
    )
