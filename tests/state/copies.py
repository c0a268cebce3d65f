"""State databases to copy: what lies in one, the same filled, and the end of a process at any statement of a copy."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connform.database import open_checks, open_grants, open_state
from connform.database.content import CONTENT
from connform.database.copy_marks import read_marks
from connform.database.grant_table import GrantTable, write_grant
from connform.database.interface import CHECKS_SCHEMA, Execute
from connform.database.postgres import PostgresDatabase
from connform.database.sqlite import SqliteDatabase
from connform.secret import Secret
from tests.database.conftest import NOW, grant
from tests.database.test_checks import check
from tests.database.test_renaming import SPEC, record
from tests.database.test_tokens import plain, token


@dataclass(frozen=True)
class Place:
    """Where a state lies, and how its key is named."""

    url: str
    key_variable: str = ""
    """The variable with its key; empty for a key file."""

    @property
    def options(self) -> tuple[str, ...]:
        """The options that name it; the URL may hold a password, and is named by a variable."""
        return ("--state-key", f"env://{self.key_variable}") if self.key_variable else ()

    @contextmanager
    def opened(self) -> Iterator[GrantTable]:
        key = Secret(os.environ[self.key_variable]) if self.key_variable else None
        with closing(open_grants(self.url, Path("/nowhere"), (lambda: key) if key else None)) as table:
            yield table

    def fill(self, names: Sequence[str], granted: Sequence[str], attempts: int = 2) -> None:
        """Record connections with their attempts and checks; grants and tokens for some of them, and one former specification."""
        with closing(open_state(self.url, Path("/nowhere"))) as states, states.lock_parts(["00"], 30) as changes:
            for number in range(attempts):
                changes.write([record(name, number) for name in names])
            changes.write((), (), [("gone", SPEC)])
            changes.set_repository({"origin": "example.com/acme"})
        with closing(open_checks(self.url, Path("/nowhere"))) as checks:
            checks.record([check(name) for name in names], keep=timedelta(days=30))
        with self.opened() as table:
            with table.keyed.writing() as (execute, cipher):
                for name in granted:
                    write_grant(execute, cipher, grant(name, account=f"person of {name}"))
            for name in granted[:3]:
                table.tokens.write(token(name, obtained_at=NOW))

    def content(self) -> dict[str, Any]:
        """Return all that lies there, opened: the rows of each table, grants and tokens by name. Empty where nothing was written."""
        with self.opened() as table:
            with table.keyed.database.reading(CHECKS_SCHEMA) as execute:
                if execute is None:
                    return {}
                rows: dict[str, Any] = {
                    one.name: _rows(execute, one.columns, one.name, one.condition) for one in CONTENT
                }
            names = [facts.connection for facts in table.facts()]
            rows["grants"] = {name: table.read(name) for name in names}
            rows["secrets"] = {name: one and _revealed(one) for name, one in rows["grants"].items()}
            rows["grants"] = {name: one and one.facts for name, one in rows["grants"].items()}
            known = (
                sorted({*names, *(row[0] for row in rows["connform_connections"])}) if len(names) < 50 else names[:3]
            )
            rows["tokens"] = {name: plain(found) for name in known if (found := table.tokens.read(name))}
        return rows if any(rows.values()) else {}

    def is_in_use(self) -> bool:
        """Whether grants may be renewed there: it holds some, and was not copied elsewhere."""
        with self.opened() as table, table.keyed.database.reading(CHECKS_SCHEMA) as execute:
            return execute is not None and bool(list(table.facts())) and read_marks(execute).copied_to is None


def _rows(execute: Execute, columns: Sequence[str], table: str, condition: str) -> list[tuple[Any, ...]]:
    key = ", ".join(columns)
    found = execute(f"SELECT {key} FROM {table} WHERE {condition}")
    return sorted(
        [tuple(bytes(value) if isinstance(value, memoryview) else value for value in row) for row in found], key=repr
    )


def _revealed(one: Any) -> tuple[str, str]:
    return one.access_token.reveal(), one.refresh_token.reveal()


@contextmanager
def ending_at(moment: int) -> Iterator[list[int]]:
    """Kill this process at a statement of an exclusive transaction, or beside its commit; yield how many moments there were."""
    moments = [0]

    def step() -> None:
        moments[0] += 1
        if moments[0] == moment:
            os.kill(os.getpid(), signal.SIGKILL)

    def counted(
        exclusive: Callable[[Any], AbstractContextManager[Execute]],
    ) -> Callable[[Any], AbstractContextManager[Execute]]:
        @contextmanager
        def transaction(database: Any) -> Iterator[Execute]:
            with exclusive(database) as execute:

                def one(sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
                    step()
                    return execute(sql, values)

                yield one
                step()
            step()

        return transaction

    with pytest.MonkeyPatch.context() as patch:
        for kind in (SqliteDatabase, PostgresDatabase):
            patch.setattr(kind, "exclusive", counted(kind.exclusive))
        yield moments
