"""The section `state` of `doctor`: the state databases, the key of the grants, the grants. Layer 3; reads the databases and the key.

Nothing is written, but a database of a very old connform is brought forward, as by every command that reads it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from connform.database import folder_of
from connform.engine.doctor.finding import failed, good, note, problem
from connform.engine.doctor.situation import Situation
from connform.engine.load.catalog import has_grant
from connform.engine.load.manifest import folders_of
from connform.engine.logins import grant_problem
from connform.engine.report_parts import DoctorFinding
from connform.engine.run.grants import StoredGrants
from connform.engine.run.revocation import declared_server
from connform.engine.run.state_location import FOLDER
from connform.engine.run.states import StateOfRun
from connform.errors import ConnectionFailed
from connform.faults import FAULTS, ExitCode
from connform.manifest.model import Connection

_SERVER = "it is on a server"


def look(situation: Situation) -> Iterator[DoctorFinding]:
    """Yield the findings of each database, then of each connection with a grant."""
    connections = situation.manifest.values() if situation.manifest is not None else ()
    of_grants = [one for one in connections if has_grant(one)]
    if situation.is_offline and _is_server(situation):
        yield note("database", f"{_SERVER}: not asked (--offline)")
        return
    folders = folders_of([file for file in situation.validated.files if not file.startswith("<")])
    for folder in folders[:1] if situation.state.url else folders:
        try:
            yield from _database(situation, folder, is_needed=bool(of_grants))
        except ConnectionFailed as failure:
            yield failed("database", failure)
            return
    with closing(StoredGrants(situation.state, situation.source)) as grants:
        for base in dict.fromkeys(one.base for one in of_grants):
            yield from _grants(situation, grants, base, [one for one in of_grants if one.base == base])


def _is_server(situation: Situation) -> bool:
    return bool(situation.state.url) and folder_of(situation.state.url, Path(FOLDER)) is None


def _database(situation: Situation, folder: Path, *, is_needed: bool) -> Iterator[DoctorFinding]:
    url = situation.state.url
    state_folder = folder_of(url, folder / FOLDER)
    with closing(StateOfRun(situation.state, [], [str(folder)])) as states:
        (table,) = states.tables
        schema = table.schema()
        if schema:
            yield good(
                "database", f"{table.place}: readable, tables of version {schema}, records: {len(table.summaries())}"
            )
        else:
            yield good("database", f"{table.place}: none yet; `connform apply` and `connform login` make it")
        try:
            table.require_in_use()
        except ConnectionFailed as failure:
            yield failed("copied", failure)
        if repository := states.other_repository():
            hint = "name another database by --state, or give both repositories one name by --repository"
            message = f"{table.place} belongs to another repository: {repository}"
            yield problem("repository", message, hint, exit_code=ExitCode.REFUSED)
    if state_folder is not None:
        yield from _writable(state_folder, is_needed=is_needed)


def _writable(folder: Path, *, is_needed: bool) -> Iterator[DoctorFinding]:
    """Yield why a folder can't be written, which is a problem where grants are to be renewed."""
    existing = folder if folder.is_dir() else folder.parent
    parts = [existing, *folder.glob("*.sqlite3")]
    closed = next((part for part in parts if not os.access(part, os.W_OK)), None)
    if closed is None:
        return
    message = f"{closed} can't be written" if closed.exists() else f"there is no folder {closed}"
    hint = "see its permissions and whether it is mounted read-only; or name another place by --state"
    if is_needed:
        yield problem("writable", message, hint, exit_code=FAULTS["store_unwritable"].exit_code)
    else:
        yield note("writable", f"{message}: `connform apply` can't record anything", hint)


def _grants(
    situation: Situation, grants: StoredGrants, base: Path, connections: list[Connection]
) -> Iterator[DoctorFinding]:
    try:
        table = grants.table_for_folder(base)
        facts = {one.connection: one for one in table.facts()}
    except ConnectionFailed as failure:
        yield failed("grants", failure)
        return
    where = situation.state.key or f"{folder_of(situation.state.url, base / FOLDER)}/key"
    is_given = bool(situation.state.key) or _is_server(situation)
    try:
        table.check_key(is_given=is_given)
        if facts or is_given:
            yield good("key", f"{where}: present{' and fits the grants' if facts else ''}")
        else:
            yield good("key", f"{where}: none yet; the first login makes it")
    except ConnectionFailed as failure:
        yield failed("key", failure)
    working = 0
    for connection in connections:
        fault, message = grant_problem(
            connection.auth.settings, declared_server(connection), facts.get(connection.name)
        )
        if fault:
            hint = f"run `connform login {connection.name}`"
            yield problem(connection.name, message, hint, exit_code=FAULTS[fault].exit_code)
        else:
            working += 1
    if working:
        yield good("grants", f"{working} of {len(connections)} OAuth connections have a grant")
