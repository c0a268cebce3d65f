"""Planned renames: `moved:` of the manifests compared with the recorded state, with the reasons against some of them.

Layer 3; reads the recorded state. The rules are those of Terraform's `moved` blocks: what already exists under the new name
is never replaced, and an entry whose old name isn't recorded has no effect.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from connform.database.state_table import StateTable
from connform.engine.run.shard import Shard
from connform.engine.run.states import StateOfRun
from connform.grant import GrantFacts
from connform.recorded import RecordSummary

SummariesByTable = Mapping[StateTable, Mapping[str, RecordSummary]]
GrantsByTable = Mapping[StateTable, Mapping[str, GrantFacts]]

_PROBLEM = "it was to become {new} (`moved:`), and {why}"


class Rename(NamedTuple):
    """A rename of `moved:` whose old name is still recorded."""

    old: str
    """The old name, with a record or a grant."""
    new: str
    """The new name."""
    table: StateTable
    """The state table with the record or grant."""
    problem: str = ""
    """Why the rename isn't possible; empty if it is."""


def find_renames(
    moved: Mapping[str, str],
    tables: Mapping[str, StateTable],
    summaries: SummariesByTable,
    grants: GrantsByTable,
    states: StateOfRun,
) -> Iterator[Rename]:
    """Yield the renames of what is recorded.

    Args:
        moved: the present names by the old ones; in a chain of renames, later old names come first.
        tables: by the name of each declared connection the state table where it is recorded, or will be.
        summaries: by each state table the summaries of its records, by the connection's name.
        grants: by each state table the facts of its grants, by the connection's name.
        states: the recorded state of the run.
    """
    taken: dict[str, str] = {}
    for old, new in moved.items():
        for table in summaries:
            if old in summaries[table] or old in grants[table]:
                problem = _other_database_problem(new, tables, table) or _unread_file_problem(
                    summaries[table].get(old), states
                )
                problem = problem or _name_taken_problem(old, new, summaries[table], grants[table], taken)
                if not problem:
                    taken[new] = old
                yield Rename(old, new, table, _PROBLEM.format(new=new, why=problem) if problem else "")


def _other_database_problem(new: str, tables: Mapping[str, StateTable], old_table: StateTable) -> str:
    new_table = tables.get(new, old_table)
    if new_table is old_table:
        return ""
    return f"its state lies in {old_table.place}, that of {new} in {new_table.place}: one --state for both holds them together"


def _unread_file_problem(summary: RecordSummary | None, states: StateOfRun) -> str:
    """Return a problem if the file that declared it exists and was not read: it may still declare it."""
    if summary is None or not states.paths.is_left_out(summary.file):
        return ""
    return f"{summary.file}, which declared it, is not part of this run: name both files"


def _name_taken_problem(
    old: str,
    new: str,
    summaries: Mapping[str, RecordSummary],
    grants: Mapping[str, GrantFacts],
    taken: Mapping[str, str],
) -> str:
    if new in taken:
        return f"{taken[new]} becomes that already"
    if new in grants and old in grants:
        return f"{new} has a grant of its own"
    if new in summaries and summaries[new].digest and old in summaries:
        return f"{new} was applied already"
    return ""


def old_names(moved: Mapping[str, str], states: StateOfRun, shard: Shard) -> set[str]:
    """Return the old names of a shard's connections that have a record or a grant now. Takes no lock.

    Raises:
        ConnectionFailed: a fault of the state database.
    """
    shard_names = {old for old, new in moved.items() if shard.has(new)}
    return (
        {name for table in states.tables for name in (*table.summaries(), *table.grants()) if name in shard_names}
        if shard_names
        else shard_names
    )
