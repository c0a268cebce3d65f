"""Starts a PgBouncer before a PostgreSQL server, as an unprivileged user."""

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
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.conftest import require_peer
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
