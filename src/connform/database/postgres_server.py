"""Sessions with a PostgreSQL server, and the translation of its errors into faults.

Layer 2; IO: the server. Needs the extra `connform[postgres]`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from ipaddress import IPv6Address
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

from connform.database.interface import Execute
from connform.database.pooler import require_own_session
from connform.database.postgres_tls import security_parameters
from connform.debug_log import STATE
from connform.errors import ConnectionFailed
from connform.tracebacks import hidden_frames

if TYPE_CHECKING:
    import psycopg


_CONNECT_S = 5
_KEEPALIVE = {"idle": 10, "interval": 5, "count": 3}
"""TCP keepalive of both sides (seconds, seconds, number): after these, a peer without an answer is considered dead."""
ROW_WAIT_MS = 10_000
"""How long to wait for a row that another process is writing."""
_PAUSE_S = 0.1
_NO_SESSION_LEFT = re.compile("too many clients|too many connections|connection slots are reserved")
"""Messages of SQLSTATE 53300; for a new session, libpq gives only the message, not the code."""
_LOGIN_REFUSED = re.compile("FATAL: +(?!the database system is)")  # starting up, shutting down
_DENIED = "let the owner grant the role what it needs: USAGE and, for the first apply, CREATE on the schema; SELECT, INSERT, UPDATE and DELETE on the tables"
_READ_ONLY = "the server is a standby, or the role or database is set to read only: name the primary, or add ?target_session_attrs=read-write"
_ENCODING = "make the database with ENCODING 'UTF8': this one can't hold the text"
_ADVICE = {
    "canceling statement due to statement timeout": "the role or the database has a statement_timeout: raise it (ALTER ROLE … SET statement_timeout)",
    "local user with ID": "this account has no name here: name the user in the URL, postgresql://USER@…",
    "no encryption": "the server wants TLS: write ?sslmode=verify-full in the URL, or leave sslmode out",
    "does not support SSL": "let the server speak TLS; where the network up to it is your own, write ?sslmode=disable in the URL",
    "authentication method requirement": (
        "the server asks for the password itself, or a weak hash of it: have it stored as scram-sha-256 "
        "(password_encryption); what else is to be accepted is named in the URL, ?require_auth=md5"
    ),
    "certificate verify failed": "name the server's authority in the URL: ?sslrootcert=/path/ca.pem",
    "does not match host name": "write the name for which the server's certificate was issued",
}
"""Part of a message → what to do."""
_SINCE = " since "
_NAME_WITH_TIME = (
    "SELECT set_config('application_name', CAST(? AS text) "
    "|| to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), false)"
)
_HOST_CHARACTERS = 18
"""The most characters of a host name: host, process and time must fit into a session name of 63 bytes."""


class PostgresServer:
    """The PostgreSQL server and database of a URL."""

    def __init__(self, url: str) -> None:
        """Take `postgresql://user@host:port/database`. libpq takes missing parts from PG* variables and ~/.pgpass.

        Raises:
            ConnectionFailed: `config_invalid`, the URL is not valid; `store_unavailable`, a library is missing.
        """
        try:
            import psycopg
            from psycopg.conninfo import conninfo_to_dict
        except ImportError:
            message = "PostgreSQL needs an optional library"
            raise ConnectionFailed("store_unavailable", message, "pip install 'psycopg[binary]'") from None
        try:
            self._parameters: dict[str, Any] = conninfo_to_dict(url)
        except psycopg.Error as error:
            message = (
                "the URL of the state is not one that PostgreSQL understands: postgresql://user@host:port/database"
            )
            hint = ""
            if "invalid URI query parameter" in str(error):  # what follows may be a part of a password
                message = "the URL of the state has a parameter behind its `?` that libpq doesn't have"
                hint = "remove those of other programs, such as pool_max; libpq has sslmode, sslrootcert, options, …"
            raise ConnectionFailed("config_invalid", message, hint) from None
        _require_whole_password(self._parameters)
        self._has_own_sessions = False
        named = (self._parameters.get(key, "") for key in ("host", "dbname"))
        self.place = "the PostgreSQL server " + "/".join(str(name) for name in named if name)
        """The name of the database in messages; without a password."""

    def connect(self, timeout_s: float) -> psycopg.Connection[Any]:
        """Return a new session.

        Args:
            timeout_s: how long to wait if the server has no session left.

        Raises:
            psycopg.Error: to be translated by `translate_errors`.
            ConnectionFailed: `config_invalid`, the schema does not exist, or a pooler gives the session to other clients too.
        """
        import psycopg

        ends_at = monotonic() + timeout_s
        while True:
            try:
                return self._connect()
            except psycopg.OperationalError as error:
                if not _NO_SESSION_LEFT.search(str(error)) or monotonic() + _PAUSE_S > ends_at:
                    raise
                sleep(_PAUSE_S)

    def _connect(self) -> psycopg.Connection[Any]:
        session = self._open()
        STATE.write("opened a session of %s", self.place)
        try:
            if not self._has_own_sessions:
                require_own_session(session, self._open, self.place)
                self._has_own_sessions = True
            self._set_up(session)
        except BaseException:
            session.close()
            raise
        return session

    def _open(self) -> psycopg.Connection[Any]:
        import psycopg

        with hidden_frames():
            return psycopg.connect(
                **{
                    "connect_timeout": _CONNECT_S,
                    "application_name": _session_name(),
                    **{f"keepalives_{name}": value for name, value in _KEEPALIVE.items()},
                    **security_parameters(self._parameters),
                    **self._parameters,
                    "client_encoding": "UTF8",  # whatever PGCLIENTENCODING or the database says
                },
                autocommit=True,
                prepare_threshold=None,  # a pooler may give the statement's session to another client
            )

    def _set_up(self, session: psycopg.Connection[Any]) -> None:
        execute = execute_on(session)
        for name, value in _KEEPALIVE.items():  # of the server's side: it frees the locks of a host that is gone
            execute(f"SET tcp_keepalives_{name} = {value}")
        ((schema, path),) = execute("SELECT current_schema(), current_setting('search_path')")
        if schema is None:
            message = f"{self.place}: no schema of the search path ({path}) is there for this user"
            hint = "make it (CREATE SCHEMA), or correct `options` in the URL"
            raise ConnectionFailed("config_invalid", message, hint)

    @contextmanager
    def translate_errors(self, denied: str = "store_unwritable") -> Iterator[None]:
        """Raise faults (`ConnectionFailed`) instead of PostgreSQL's errors.

        Args:
            denied: the fault where the role lacks a privilege.
        """
        import psycopg
        from psycopg import errors

        try:
            yield
        except errors.InsufficientPrivilege as error:
            raise ConnectionFailed(denied, self._message(error), _DENIED) from None
        except errors.ReadOnlySqlTransaction as error:
            raise ConnectionFailed("store_unwritable", self._message(error), _READ_ONLY) from None
        except errors.LockNotAvailable:
            message = f"{self.place}: another process has been writing for {ROW_WAIT_MS / 1000:.0f} s"
            raise ConnectionFailed("store_locked", message) from None
        except errors.DiskFull as error:
            raise ConnectionFailed("store_unwritable", self._message(error)) from None
        except (errors.UntranslatableCharacter, errors.CharacterNotInRepertoire) as error:
            raise ConnectionFailed("config_invalid", self._message(error), _ENCODING) from None
        except (errors.DataCorrupted, errors.IndexCorrupted, psycopg.ProgrammingError, psycopg.IntegrityError) as error:
            raise ConnectionFailed("store_corrupt", self._message(error)) from None  # damaged, or not connform's tables
        except psycopg.Error as error:
            raise ConnectionFailed("store_unavailable", self._message(error), _advice(error)) from None

    def _message(self, error: BaseException) -> str:
        return f"{self.place}: {(str(error).splitlines() or [type(error).__name__])[0]}"


def execute_on(session: psycopg.Connection[Any]) -> Execute:
    """Return a function that executes SQL in a session."""

    def execute(sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        cursor = session.execute(sql.replace("?", "%s"), values or None)
        return cursor.fetchall() if cursor.description else []

    return execute


def set_held_since(session: psycopg.Connection[Any]) -> None:
    """Write the current time of the server into the name of a session as the start of its locks: other users can see only that name."""
    execute_on(session)(_NAME_WITH_TIME, (f"{_session_name()}{_SINCE}",))


def describe_holder(name: str) -> str:
    """Return who holds a lock and since when, from the name of its session."""
    who, _, since = name.partition(_SINCE)
    return f"{who} has held it" + (f" since {since}" if since else "")


def _session_name() -> str:
    return f"connform {os.uname().nodename[:_HOST_CHARACTERS]}:{os.getpid()}"


def _advice(error: BaseException) -> str:
    """Return what to do about an error that the server or libpq reports; empty if the server did not answer."""
    if _NO_SESSION_LEFT.search(str(error)):
        return "the server has no room for another session: see who has them, or raise its max_connections"
    for words, advice in _ADVICE.items():
        if words in str(error):
            return advice
    if "no password supplied" in str(error):
        return "the server wants a password: set PGPASSWORD, or write it into ~/.pgpass"
    if _LOGIN_REFUSED.search(str(error)):
        return (
            "the server answers, and refuses the login: see user, password and database, ~/.pgpass and its pg_hba.conf"
        )
    return ""


def _require_whole_password(parameters: Mapping[str, Any]) -> None:
    """Require that no part of a password was parsed as host, port or database, because of an `@`, `/` or `:` that is not encoded.

    Raises:
        ConnectionFailed: `config_invalid`; the message contains nothing of the URL.
    """
    hosts = [host for key in ("host", "hostaddr") for host in str(parameters.get(key, "")).split(",")]
    port, database = str(parameters.get("port", "")), str(parameters.get("dbname", ""))
    if all(map(_is_host, hosts)) and re.fullmatch("[0-9,]*", port) and not set("@/:").intersection(database):
        return
    message = "the URL of the state has an @, / or : where none belongs: a password that isn't encoded looks so"
    hint = "percent-encode the password (%40 for @, %2F for /, %3A for :), or leave it to ~/.pgpass"
    raise ConnectionFailed("config_invalid", message, hint)


def _is_host(text: str) -> bool:
    """Whether a text is a host name, an address, or the folder of a socket."""
    if "@" in text or ("/" in text and not text.startswith("/")):
        return False
    return ":" not in text or text.startswith("/") or _is_address(text)


def _is_address(text: str) -> bool:
    try:
        IPv6Address(text)
    except ValueError:
        return False
    return True
