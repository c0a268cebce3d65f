"""How a proxy ends: what is on its way is finished, what nobody waits for is not waited for, and its path ends with it."""

from __future__ import annotations

import http.client
import signal
import socket
import tempfile
import threading
from pathlib import Path

import pytest

from tests.proxy.conftest import Setting
from tests.proxy.raw import PATIENCE_S, ask, request
from tests.proxy.running import execute, running_proxy


def test_an_answer_on_its_way_is_finished_and_an_idle_client_not_waited_for(setting: Setting) -> None:
    with (
        running_proxy(setting.folder) as proxy,
        socket.create_connection(("127.0.0.1", proxy.port), PATIENCE_S) as idle,
        socket.create_connection(("127.0.0.1", proxy.port), PATIENCE_S) as sock,
    ):
        idle.sendall(b"GET /")
        sock.sendall(request(f"{proxy.path}/halves", proxy.host))
        response = http.client.HTTPResponse(sock)
        response.begin()
        assert response.read1(5) == b"first"
        proxy.process.send_signal(signal.SIGTERM)
        setting.upstream.release.set()
        assert response.read() == b"later"
        proxy.process.wait(PATIENCE_S)
    setting.upstream.release.clear()


def test_a_proxy_that_ends_leaves_the_socket_of_the_next_one(setting: Setting) -> None:
    with tempfile.TemporaryDirectory() as folder:  # a short path
        file = Path(folder, "s")
        with running_proxy(setting.folder, "--listen", f"unix:{file}") as ending, socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(PATIENCE_S)
            sock.connect(str(file))
            sock.sendall(request(f"{ending.path}/halves", "localhost"))
            response = http.client.HTTPResponse(sock)
            response.begin()
            ending.process.send_signal(signal.SIGTERM)
            for _ in range(1000):
                if not _takes_connections(file):
                    break
                threading.Event().wait(0.01)
            with running_proxy(setting.folder, "--listen", f"unix:{file}"):
                setting.upstream.release.set()
                response.read()
                ending.process.wait(PATIENCE_S)
                assert _takes_connections(file)
    setting.upstream.release.clear()


def _takes_connections(file: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(file)) == 0


def test_each_run_has_a_path_of_its_own_that_ends_with_the_command(setting: Setting) -> None:
    runs = [execute(setting.folder, ["sh", "-c", "echo $SHOP_BASE_URL; exit 3"]) for _ in range(2)]
    assert [one.code for one in runs] == [3, 3]
    addresses, paths = zip(*(one.out.split("/")[2:4] for one in runs), strict=True)
    assert paths[0] != paths[1]
    assert min(map(len, paths)) >= 22, "128 bits"
    with pytest.raises(ConnectionRefusedError):
        ask(int(addresses[0].split(":")[1]), request("/", addresses[0]))
