"""PgBouncer before the server: a pool of sessions is used, one that gives a session to several clients is refused by its name."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from connform.database import open_grants, pooler
from connform.database.cipher import new_key
from connform.errors import ConnectionFailed
from connform.grant import GrantStore
from connform.secret import Secret
from tests.conftest import require_peer
from tests.database.conftest import grant, keep
from tests.database.postgres import PASSWORD, Postgres
from tests.ports import free_ports

_CONFIG = """\
[databases]
* = host=127.0.0.1 port={server_port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {folder}/users
pool_mode = {mode}
default_pool_size = {size}
"""


@contextmanager
def pgbouncer(postgres: Postgres, mode: str, size: int = 10) -> Iterator[int]:
    """Run one, and yield its port."""
    program = require_peer("pgbouncer")
    folder = Path(tempfile.mkdtemp(prefix="connform-pgbouncer-", dir="/tmp"))
    (port,) = free_ports(1)
    (folder / "users").write_text(f'"connform" "{PASSWORD}"\n')
    config = folder / "pgbouncer.ini"
    config.write_text(_CONFIG.format(server_port=postgres.port, port=port, folder=folder, mode=mode, size=size))
    argv = [program, "-q", str(config)]
    if os.geteuid() == 0:  # it refuses to run as root
        nobody = pwd.getpwnam("nobody")
        for path in (folder, folder / "users", config):
            os.chown(path, nobody.pw_uid, nobody.pw_gid)
        argv = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", *argv]
    process = subprocess.Popen(argv, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        gives_up_at = time.monotonic() + 30
        while True:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            assert process.poll() is None
            assert time.monotonic() < gives_up_at
            time.sleep(0.02)
        yield port
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        shutil.rmtree(folder)


def opened(database: str, postgres: Postgres, port: int, key: str) -> GrantStore:
    secret = Secret(key)
    return open_grants(database.replace(f":{postgres.port}/", f":{port}/"), Path("unused"), lambda: secret)


def test_a_pool_of_sessions_is_used(postgres: Postgres, database: str) -> None:
    key = new_key()
    with pgbouncer(postgres, "session") as port:
        stores = [opened(database, postgres, port, key) for _ in range(2)]
        keep(stores[0], grant())
        with (
            stores[0].lock("customer", 5),
            pytest.raises(ConnectionFailed, match="was not free"),
            stores[1].lock("customer", 0.3),
        ):
            pass
        for store in stores:
            store.close()


@pytest.mark.parametrize("size", [1, 10])
@pytest.mark.parametrize("mode", ["transaction", "statement"])
def test_a_pool_of_transactions_is_refused(postgres: Postgres, database: str, mode: str, size: int) -> None:
    with pgbouncer(postgres, mode, size) as port:
        for _ in range(5):
            store = opened(database, postgres, port, new_key())
            with pytest.raises(ConnectionFailed, match="one session to several clients") as refused:
                store.read("customer")
            store.close()
            assert refused.value.fault.name == "config_invalid"
            assert "pool_mode = session" in refused.value.hint
            assert PASSWORD not in refused.value.message


def test_a_busy_pool_of_transactions_is_refused_too(postgres: Postgres, database: str) -> None:
    with pgbouncer(postgres, "transaction") as port:

        def fault(_: int) -> str:
            store = opened(database, postgres, port, new_key())
            try:
                store.read("customer")
            except ConnectionFailed as failure:
                return failure.fault.name
            finally:
                store.close()
            return "used"

        with ThreadPoolExecutor(8) as threads:
            assert set(threads.map(fault, range(40))) == {"config_invalid"}


def test_a_session_is_waited_for_where_the_pool_has_none_left(
    postgres: Postgres, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pooler, "_WAIT_S", 0.2)
    with pgbouncer(postgres, "session", size=1) as port, ThreadPoolExecutor(1) as threads:
        first, second = (opened(database, postgres, port, new_key()) for _ in range(2))
        assert first.read("customer") is None
        waiting = threads.submit(second.read, "customer")
        time.sleep(1)
        first.close()
        assert waiting.result(20) is None
        second.close()


def test_a_pool_of_sessions_without_room_is_waited_for_and_no_reason_to_refuse_it(
    postgres: Postgres, database: str
) -> None:
    with pgbouncer(postgres, "session", size=1) as port:
        store = opened(database, postgres, port, new_key())
        assert store.read("customer") is None
        store.close()
