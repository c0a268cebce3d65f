"""Starts a PostgreSQL server of its own, as an unprivileged user, and stops and starts it again."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from glob import glob
from pathlib import Path
from typing import LiteralString

from tests.conftest import require_peer
from tests.ports import free_ports

PASSWORD = "synthetic-postgres-password"
_DEBIAN = "/usr/lib/postgresql/*/bin"
_MOST_EMPTIED = 30
"""How often a database is emptied before it is made anew: nothing vacuums its catalogue."""
_END_OTHERS = """
    SELECT pg_terminate_backend(pid, 20000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_IS_PLAIN = r"""
    SELECT datacl IS NULL
        AND NOT EXISTS (SELECT FROM pg_db_role_setting WHERE setdatabase = pg_database.oid)
        AND NOT EXISTS (SELECT FROM pg_namespace WHERE nspname !~ '^(pg_.*|information_schema|public)$')
        AND NOT EXISTS (SELECT FROM pg_extension WHERE extname <> 'plpgsql')
        AND NOT EXISTS (SELECT FROM pg_default_acl) AND NOT EXISTS (SELECT FROM pg_event_trigger)
        AND NOT EXISTS (SELECT FROM pg_largeobject_metadata)
    FROM pg_database WHERE datname = current_database()
"""
_EMPTY = """
    DROP SCHEMA public CASCADE;
    CREATE SCHEMA public AUTHORIZATION pg_database_owner;
    GRANT USAGE ON SCHEMA public TO PUBLIC;
    COMMENT ON SCHEMA public IS 'standard public schema'
"""


class Postgres:
    """A running server on loopback."""

    def __init__(self, folder: Path, port: int, programs: dict[str, str]) -> None:
        self._folder = folder
        self.port = port
        self._programs = programs
        self._used: Counter[str] = Counter()

    def url(self, database: str = "postgres", user: str = "connform") -> str:
        return f"postgresql://{user}:{PASSWORD}@127.0.0.1:{self.port}/{database}"

    def fresh(self, name: LiteralString = "grants") -> str:
        """Return the URL of a database in which there is nothing; all that was in the one before it is gone."""
        self._used[name] += 1
        if not (self._used[name] % _MOST_EMPTIED and self._emptied(name)):
            self._create(name)
        return self.url(name)

    def _emptied(self, name: str) -> bool:
        """Empty a database if it is there, and as it was made but for what is in its schema: a sixth of the cost of a new one."""
        import psycopg

        try:
            with psycopg.connect(self.url(name), autocommit=True) as owner:
                if owner.info.server_version < 150_000:  # its schema `public` has other rights
                    return False
                owner.execute(_END_OTHERS)
                if owner.execute(_IS_PLAIN).fetchall() != [(True,)]:
                    return False
                owner.execute(_EMPTY)
        except psycopg.Error:
            return False
        return True

    def _create(self, name: LiteralString) -> None:
        import psycopg

        with psycopg.connect(self.url(), autocommit=True) as admin:
            admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            # By files, as each version before 15 does it, takes half of the time.
            copied = " STRATEGY file_copy" if admin.info.server_version >= 150_000 else ""
            admin.execute(f"CREATE DATABASE {name}{copied}")

    def start(self) -> None:
        settings = [
            f"port={self.port}",
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "max_connections=200",
        ]
        settings += ["fsync=off", "full_page_writes=off", "autovacuum=off", "wal_level=minimal", "max_wal_senders=0"]
        self._control("start", "-w", "-l", str(self._folder / "log"), "-o", " ".join(f"-c {one}" for one in settings))

    def stop(self) -> None:
        self._control("stop", "-w", "-m", "immediate")

    @contextmanager
    def speaking_tls(self, certificate: bytes) -> Iterator[None]:
        """Let the server speak TLS with a certificate, PEM with its key; connections may still do without."""
        pem = self._folder / "data" / "server.pem"
        pem.write_bytes(certificate)
        pem.chmod(0o600)
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(pem, nobody.pw_uid, nobody.pw_gid)
        for name in ("ssl_cert_file", "ssl_key_file"):
            self._set(f"{name} = '{pem}'")
        self._set("ssl = on", seen="on")
        try:
            yield
        finally:
            self._set("ssl = off", seen="off")

    def _set(self, setting: str, seen: str = "") -> None:
        """Change a setting, and wait until new sessions have it."""
        import psycopg

        with psycopg.connect(self.url(), autocommit=True) as admin:
            admin.execute(f"ALTER SYSTEM SET {setting}".encode())
            admin.execute("SELECT pg_reload_conf()")
        while seen:
            with psycopg.connect(self.url()) as admin:
                if admin.execute("SHOW ssl").fetchall() == [(seen,)]:
                    return

    def _control(self, *arguments: str) -> None:
        _unprivileged(self._programs["pg_ctl"], "-D", str(self._folder / "data"), *arguments)


def _unprivileged(*argv: str) -> None:
    """Run a program that refuses to run as root."""
    if os.geteuid() == 0:
        argv = ("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", *argv)
    done = subprocess.run(argv, check=False, capture_output=True, text=True, cwd="/", env={"PATH": os.environ["PATH"]})
    assert done.returncode == 0, done.stderr


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """Run one; skip where there is none."""
    programs = {name: require_peer(name, *sorted(glob(_DEBIAN))) for name in ("initdb", "pg_ctl")}
    folder = Path(tempfile.mkdtemp(prefix="connform-postgres-", dir="/tmp"))
    try:
        (folder / "password").write_text(PASSWORD)
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            for path in (folder, folder / "password"):
                os.chown(path, nobody.pw_uid, nobody.pw_gid)
        (port,) = free_ports(1)
        _unprivileged(
            programs["initdb"],
            *("-D", str(folder / "data"), "-U", "connform", "-A", "scram-sha-256", "-N", "--locale=C", "-E", "UTF8"),
            *("--pwfile", str(folder / "password")),
        )
        server = Postgres(folder, port, programs)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
