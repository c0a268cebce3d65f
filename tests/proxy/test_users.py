"""Who may use a proxy: the user who started it, and nobody else who knows its address."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from connform.servers.proxy import peer
from tests.conftest import require_peer
from tests.proxy.conftest import Setting
from tests.proxy.running import Proxy, running_proxy
from tests.proxy.upstream import ROOT

NOBODY = 65534
root_only = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="only root can be another user: run as root on Linux"
)


def ask_as(user: int, *arguments: str) -> str:
    """Return the status that curl gets as a user of this machine; `000` for none."""
    curl = require_peer("curl")
    argv = [curl, "--silent", "--output", "/dev/null", "--write-out", "%{http_code}", "--noproxy", "*", *arguments]
    done = subprocess.run(
        argv, user=user, group=user, extra_groups=[], cwd="/", env={}, capture_output=True, check=False
    )
    return done.stdout.decode()


@root_only
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"])
def test_another_user_who_knows_the_path_is_refused(setting: Setting, proxy: Proxy, host: str) -> None:
    url = f"http://{host}:{proxy.port}{proxy.path}/packages/7"
    assert ask_as(NOBODY, url, "--header", f"Host: {proxy.host}") in {"000", "403"}
    assert setting.upstream.paths == []
    assert ask_as(0, proxy.base_url + "/packages/7") == "200"


@root_only
def test_another_user_who_closes_at_once_is_not_taken_for_root() -> None:
    """The kernel tells the user 0 for a socket that its process has closed."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        script = f"exec 3<>/dev/tcp/127.0.0.1/{listener.getsockname()[1]}; exec 3>&-"
        subprocess.run([require_peer("bash"), "-c", script], user=NOBODY, group=NOBODY, extra_groups=[], check=True)
        connection, (_, port) = listener.accept()
        with connection:
            _wait_for_orphan(port)
            assert not peer.is_own(connection)


def _wait_for_orphan(port: int) -> None:
    """Wait until the kernel knows no process of a socket any more."""
    for _ in range(100):
        rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        if all(row[9] == "0" for row in rows if row[1] == f"0100007F:{port:04X}"):
            return
        threading.Event().wait(0.05)
    pytest.fail("the socket is not closed")


def test_a_socket_is_its_users_alone(setting: Setting, tmp_path: Path) -> None:
    file = tmp_path / "connform.sock"
    for one in (tmp_path, *tmp_path.parents):
        if not one.stat().st_mode & 0o001:
            one.chmod(one.stat().st_mode | 0o011)  # so that it is the socket's own mode that refuses
    with running_proxy(setting.folder, "--listen", f"unix:{file}") as proxy:
        asked = ("--unix-socket", str(file), f"{proxy.base_url}/packages/7")
        found = file.stat()
        assert (stat.S_ISSOCK(found.st_mode), stat.S_IMODE(found.st_mode)) == (True, 0o600)
        assert ask_as(os.geteuid(), *asked) == "200"
        if os.geteuid() == 0:
            assert ask_as(NOBODY, *asked) == "000"
            file.chmod(0o666)  # as after a mistake: the user who connects is looked at as well
            assert ask_as(NOBODY, *asked) == "403"
    assert not file.exists()
    assert setting.upstream.paths == [f"{ROOT}/packages/7"]
