"""How a proxy ends: what is on its way is finished, what nobody waits for is not waited for, and its path ends with it."""

from __future__ import annotations

import http.client
import signal
import socket

import pytest

from tests.proxy.conftest import Setting
from tests.proxy.raw import PATIENCE_S, ask, request
from tests.proxy.running import execute, running_proxy


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_answer_on_its_way_is_finished(setting: Setting, number: signal.Signals) -> None:
    with running_proxy(setting.folder) as proxy, socket.create_connection(("127.0.0.1", proxy.port)) as sock:
        sock.settimeout(PATIENCE_S)
        sock.sendall(request(f"{proxy.path}/halves", proxy.host))
        response = http.client.HTTPResponse(sock)
        response.begin()
        assert response.read1(5) == b"first"
        proxy.process.send_signal(number)
        setting.upstream.release.set()
        assert response.read() == b"later"
    setting.upstream.release.clear()


def test_an_idle_connection_does_not_hold_up_the_end(setting: Setting) -> None:
    with running_proxy(setting.folder) as proxy, socket.create_connection(("127.0.0.1", proxy.port)) as sock:
        sock.sendall(b"GET /")
        proxy.process.send_signal(signal.SIGTERM)
        proxy.process.wait(PATIENCE_S)


def test_each_run_has_a_path_of_its_own(setting: Setting) -> None:
    paths = [execute(setting.folder, ["sh", "-c", "echo $SHOP_BASE_URL"]).out.split("/")[3] for _ in range(2)]
    assert paths[0] != paths[1]
    assert min(len(path) for path in paths) >= 22, "128 bits"


def test_nothing_answers_when_the_program_has_ended(setting: Setting) -> None:
    done = execute(setting.folder, ["sh", "-c", "echo $SHOP_BASE_URL"])
    port = int(done.out.split("/")[2].split(":")[1])
    with pytest.raises(ConnectionRefusedError):
        ask(port, request("/", f"127.0.0.1:{port}"))


def test_the_programs_exit_code_is_passed_on(setting: Setting) -> None:
    assert [execute(setting.folder, ["sh", "-c", f"exit {code}"]).code for code in (0, 3)] == [0, 3]
