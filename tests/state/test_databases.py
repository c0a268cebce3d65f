"""Databases that are set up otherwise: their encoding, what a role may do, what stands in the URL. Nothing is lost, and the cause is named."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from connform.database.postgres_server import PostgresServer
from connform.errors import ConnectionFailed
from tests.database.postgres import PASSWORD, Postgres
from tests.end_to_end.conftest import Issuer
from tests.end_to_end.running import Run, run_here
from tests.state.conftest import ENVIRONMENT, Repository

Make = Callable[..., str]
FOLDER = "zürich-東京"


@pytest.fixture
def admin(postgres: Postgres) -> Iterator[psycopg.Connection]:
    with psycopg.connect(postgres.url(), autocommit=True) as session:
        yield session


@pytest.fixture
def make_database(postgres: Postgres, admin: psycopg.Connection) -> Make:
    """Makes an empty database of an encoding, and returns its URL."""

    def make(encoding: str = "UTF8") -> str:
        admin.execute("DROP DATABASE IF EXISTS made WITH (FORCE)")
        text = "CREATE DATABASE made ENCODING {} LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
        admin.execute(sql.SQL(text).format(sql.Literal(encoding)))
        return postgres.url("made")

    return make


@pytest.fixture
def make_role(postgres: Postgres, admin: psycopg.Connection) -> Make:
    """Makes a role that may log in, and returns the URL of the database for it."""

    def make(*grants: str) -> str:
        with psycopg.connect(postgres.url("made"), autocommit=True) as owner:
            owner.execute(
                "DROP OWNED BY guest"
                if owner.execute("SELECT 1 FROM pg_roles WHERE rolname = 'guest'").fetchone()
                else "SELECT 1"
            )
            owner.execute("DROP ROLE IF EXISTS guest")
            owner.execute(sql.SQL("CREATE ROLE guest LOGIN PASSWORD {}").format(sql.Literal(PASSWORD)))
            for grant in grants:
                owner.execute(sql.SQL("GRANT {} TO guest").format(sql.SQL(grant)))
        return postgres.url("made", user="guest")

    return make


@pytest.fixture
def run(sqlite_repository: Repository) -> Callable[..., Run]:
    """Runs a command over a manifest in a folder whose name isn't ASCII."""
    repository = sqlite_repository
    repository.declare("a", "b")
    folder = repository.folder / FOLDER
    folder.mkdir()
    (repository.folder / ".git").mkdir()
    (repository.folder / "connections.yaml").rename(folder / "connections.yaml")

    def run(*argv: str, state: str, **variables: str) -> Run:
        return run_here(
            *argv, "-f", FOLDER, cwd=repository.folder, env=ENVIRONMENT | {"CONNFORM_STATE": state} | variables
        )

    return run


@pytest.mark.parametrize(
    ("encoding", "variables"),
    [
        ("UTF8", {}),
        ("SQL_ASCII", {}),
        ("EUC_JP", {}),
        ("UTF8", {"PGCLIENTENCODING": "SQL_ASCII"}),
        ("UTF8", {"PGCLIENTENCODING": "LATIN1"}),
        ("SQL_ASCII", {"PGCLIENTENCODING": "LATIN1"}),
    ],
    ids=str,
)
def test_an_encoding_that_holds_the_text(
    encoding: str, variables: dict[str, str], make_database: Make, run: Callable[..., Run]
) -> None:
    state = make_database(encoding)
    assert run("apply", "--yes", state=state, **variables).code == 0
    assert "no changes" in run("plan", state=state, **variables).out
    exported = run("state", "export", state=state, **variables).connections
    assert {one["recorded"]["file"] for one in exported.values()} == {f"{FOLDER}/connections.yaml"}


def test_an_encoding_that_cannot_hold_the_text_is_refused_before_anything_is_asked(
    make_database: Make, run: Callable[..., Run], sqlite_repository: Repository
) -> None:
    refused = run("apply", "--yes", state=make_database("LATIN1"))
    assert refused.code == 1
    assert "error[config_invalid]: the PostgreSQL server" in refused.err
    assert 'has no equivalent in encoding "LATIN1"' in refused.err
    assert "make the database with ENCODING 'UTF8'" in refused.err
    assert not sqlite_repository.api.asked


READ = "SELECT ON ALL TABLES IN SCHEMA public"


@pytest.mark.parametrize(
    ("grants", "argv", "code", "says"),
    [
        ([READ], ("plan",), 0, "no changes"),
        ([READ], ("apply", "--yes"), 0, "unchanged"),
        ([READ], ("apply", "--yes", "--tag", "new"), 5, "error[store_unwritable]"),
        ([READ], ("state", "list"), 0, "a"),
        ([], ("state", "list"), 5, "error[store_unavailable]"),
        ([], ("plan",), 5, "error[store_unavailable]"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple | list) else str(value),
)
def test_a_role_that_may_not(
    grants: list[str],
    argv: tuple[str, ...],
    code: int,
    says: str,
    make_database: Make,
    make_role: Make,
    run: Callable[..., Run],
    sqlite_repository: Repository,
) -> None:
    assert run("apply", "--yes", state=make_database()).code == 0
    if "new" in argv:
        sqlite_repository.declare("a", tags=["new"])
        (sqlite_repository.folder / "connections.yaml").rename(sqlite_repository.folder / FOLDER / "connections.yaml")
    sqlite_repository.api.forget()
    ended = run(*argv, state=make_role(*grants))
    assert ended.code == code, ended.err
    assert says in ended.out + ended.err
    assert not code or "let the owner grant the role what it needs" in ended.err
    assert not sqlite_repository.api.asked


def test_a_role_that_may_make_no_tables(make_database: Make, make_role: Make, run: Callable[..., Run]) -> None:
    make_database()
    refused = run("apply", "--yes", state=make_role())
    assert refused.code == 5
    assert "error[store_unwritable]" in refused.err
    assert "permission denied for schema public" in refused.err
    assert "CREATE on the schema" in refused.err


def test_a_time_out_of_the_role_is_named(postgres: Postgres) -> None:
    server = PostgresServer(postgres.url())
    with server.connect(5) as session:
        session.execute("SET statement_timeout = 1")
        with pytest.raises(ConnectionFailed) as caught, server.translate_errors():
            session.execute("SELECT pg_sleep(5)")
    assert caught.value.fault.name == "store_unavailable"
    assert "statement_timeout" in caught.value.hint


@pytest.mark.parametrize(
    ("error", "name"),
    [
        ("division_by_zero", "store_unavailable"),
        ("data_corrupted", "store_corrupt"),
        ("index_corrupted", "store_corrupt"),
        ("undefined_column", "store_corrupt"),
    ],
)
def test_only_what_is_damaged_is_called_damaged(postgres: Postgres, error: str, name: str) -> None:
    server = PostgresServer(postgres.url())
    statement = sql.SQL("DO $$ BEGIN RAISE {}; END $$").format(sql.SQL(error))
    with server.connect(5) as session, pytest.raises(ConnectionFailed) as caught, server.translate_errors():
        session.execute(statement)
    assert caught.value.fault.name == name


def test_a_server_that_wants_tls_says_so(
    postgres: Postgres, admin: psycopg.Connection, authority: Issuer, make_database: Make, run: Callable[..., Run]
) -> None:
    state = make_database()
    ((file,),) = admin.execute("SHOW hba_file").fetchall()
    before = Path(file).read_text()
    with postgres.speaking_tls(authority.pem_for("localhost")):
        Path(file).write_text(f"hostnossl made all all reject\n{before}")
        admin.execute("SELECT pg_reload_conf()")
        try:
            refused = run("apply", "--yes", state=f"{state}?sslmode=disable")
            assert run("apply", "--yes", state=f"{state}?sslmode=require").code == 0
        finally:
            Path(file).write_text(before)
            admin.execute("SELECT pg_reload_conf()")
    assert refused.code == 5
    assert "the server wants TLS: write ?sslmode=verify-full" in refused.err


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda url: url.replace("postgresql://", "postgres://"), ""),
        (lambda url: url.replace("postgresql://", "PostgreSQL://"), ""),
        (lambda url: f"{url}?pool_max=5", "remove those of other programs, such as pool_max"),
        (lambda _: "sqlite://x", "write sqlite:///FOLDER"),
        (lambda _: "sqlite:///x?mode=ro", "write sqlite:///FOLDER"),
        (lambda _: "mysql://x", "write sqlite:///FOLDER or postgresql://…"),
    ],
    ids=["postgres", "capitals", "an unknown parameter", "two slashes", "a query", "an unknown scheme"],
)
def test_the_url(change: Callable[[str], str], says: str, make_database: Make, run: Callable[..., Run]) -> None:
    ended = run("apply", "--yes", state=change(make_database()))
    assert (ended.code, says in ended.err) == (1 if says else 0, True)
    assert PASSWORD not in ended.err


def test_a_folder_may_have_any_name(tmp_path: Path, run: Callable[..., Run]) -> None:
    assert run("apply", "--yes", state=f"SQLite://{tmp_path}/a%20%23b").code == 0
    assert (tmp_path / "a #b" / "state.sqlite3").exists()
