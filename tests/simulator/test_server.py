"""How the simulator behaves on the wire: names, keep-alive, load, limits, and an end without remains."""

from __future__ import annotations

import logging
import socket
import ssl
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from connform.errors import ConnformError
from connform.simulator import SeenRequest, Simulator, handler
from connform.simulator.messages import Request
from tests.simulator.client import LIST, PATIENCE_S, SANDBOX, Connection, ask, trusting

HOSTS = ["sandbox.syngrafii.com", "sign.syngrafii.ca", "acme.syngrafii.com", "api.acme.example", "ACME.example"]
CLOSED = (ConnectionError, ssl.SSLEOFError)
ADDRESSES = ["127.0.0.1", "10.1.2.3", "2001:db8::1"]


@pytest.mark.parametrize("host", [*HOSTS, "localhost", *ADDRESSES])
def test_a_verifying_client_finds_every_host(simulator: Simulator, host: str) -> None:
    with closing(Connection(simulator, host)) as connection:
        connection.connect()  # verifies the issuer and the name


def test_the_certificate_of_one_domain_is_not_good_for_another(simulator: Simulator) -> None:
    context = trusting(simulator)
    context.check_hostname = False
    raw = socket.create_connection(simulator.route(SANDBOX, 443))
    with context.wrap_socket(raw, server_hostname=SANDBOX) as connection:
        assert connection.getpeercert()["subjectAltName"] == (("DNS", "*.syngrafii.com"),)  # type: ignore[index]  # there is one: the handshake was good


def test_a_client_that_does_not_trust_the_ca_is_told_nothing(simulator: Simulator) -> None:
    connection = Connection(simulator, SANDBOX, ssl.create_default_context())
    with pytest.raises(ssl.SSLCertVerificationError):
        connection.connect()
    assert simulator.requests == []


def test_a_name_that_no_certificate_can_hold_ends_the_handshake_only(simulator: Simulator, key: dict[str, str]) -> None:
    with pytest.raises(ssl.SSLError, match="UNRECOGNIZED_NAME"):
        Connection(simulator, "a_b.example").connect()
    assert ask(simulator, "POST", LIST, key).status == 200


def test_it_remembers_the_last_requests() -> None:
    with Simulator(remembered_requests=2) as simulator:
        for path in ("/a", "/b", "/c"):
            ask(simulator, "GET", path, {})
        assert [request.path for request in simulator.requests] == ["/b", "/c"]


def test_one_connection_serves_many_requests(simulator: Simulator, key: dict[str, str]) -> None:
    with closing(Connection(simulator, SANDBOX)) as connection:
        assert connection.ask("POST", LIST, key, {"take": 1}).json["take"] == 1
        first_socket = connection.sock
        assert connection.ask("POST", LIST, {}, {"take": 1}).status == 403
        assert connection.ask("POST", LIST, key, iter([b'{"ta', b'ke": 2}'])).json["take"] == 2  # chunked
        assert connection.ask("POST", LIST, key, {"take": 3}).json["take"] == 3
        assert connection.sock is first_socket


def test_a_hundred_clients_at_once_all_get_their_own_answer(simulator: Simulator, key: dict[str, str]) -> None:
    def check(number: int) -> tuple[int, int]:
        answer = ask(simulator, "POST", LIST, key, {"take": number}, host=f"tenant-{number % 10}.syngrafii.com")
        return answer.status, answer.json["take"]

    with ThreadPoolExecutor(100) as clients:
        answers = list(clients.map(check, range(100)))
    assert answers == [(200, number) for number in range(100)]
    assert len(simulator.requests) == 100


@pytest.mark.parametrize(
    ("head", "status"),
    [
        ("GET /integration HTTP/1.1", 400),
        ("GET /integration HTTP/1.1\r\nHost: [", 400),
        ("GET /\x1b[31m HTTP/1.1\r\nHost: a", 400),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x", 400),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1", 400),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 16777217", 413),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: " + "x" * 100_000, 431),
    ],
)
def test_what_is_no_request_is_refused_and_not_recorded(simulator: Simulator, head: str, status: int) -> None:
    raw = socket.create_connection(simulator.address, timeout=PATIENCE_S)
    with trusting(simulator).wrap_socket(raw, server_hostname=SANDBOX) as connection:
        connection.sendall(head.encode() + b"\r\n\r\n")
        assert connection.recv(64).startswith(b"HTTP/1.1 %d " % status)
    assert simulator.requests == []


@pytest.mark.parametrize(("head", "status"), [("X: ", 431), ("Content-Length: 17000000\r\n\r\n", 413)])
def test_a_client_that_still_sends_gets_the_refusal(simulator: Simulator, head: str, status: int) -> None:
    raw = socket.create_connection(simulator.address, timeout=PATIENCE_S)
    with trusting(simulator).wrap_socket(raw, server_hostname=SANDBOX) as connection:
        connection.sendall(f"GET / HTTP/1.1\r\nHost: a\r\n{head}".encode() + b"x" * 17_000_000)
        assert connection.recv(64).startswith(b"HTTP/1.1 %d " % status)


def test_a_client_that_never_stops_sending_is_disconnected(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handler, "_LINGER_S", 0.1)
    raw = socket.create_connection(simulator.address, timeout=PATIENCE_S)
    with trusting(simulator).wrap_socket(raw, server_hostname=SANDBOX) as connection, pytest.raises(CLOSED):
        _send_without_end(connection)


def _send_without_end(connection: ssl.SSLSocket) -> None:
    while True:
        connection.sendall(b"x" * 65_536)


def test_a_request_leaves_one_line_in_the_log_and_no_secret(
    simulator: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    key = simulator.issue_api_key()
    with caplog.at_level(logging.DEBUG):
        ask(simulator, "POST", LIST + "?q=private", {"api_key": key}, {"take": 1})
    assert caplog.messages == [f"POST {SANDBOX}{LIST} 200"]
    assert simulator.requests == [SeenRequest("POST", SANDBOX, LIST, 200)]
    assert key not in repr(Request("GET", SANDBOX, "/", {"api_key": key}, key.encode()))


def test_stop_releases_the_port_the_threads_and_the_sockets() -> None:
    threads = threading.active_count()
    simulator = Simulator()
    assert simulator.start() is simulator.start()
    port = simulator.address[1]
    idle = Connection(simulator, SANDBOX)
    idle.connect()
    half_open = socket.create_connection(simulator.address)  # never says a word of TLS
    simulator.stop()
    simulator.stop()
    assert threading.active_count() == threads
    assert idle.sock.recv(1) == b""
    idle.close()
    half_open.close()
    with Simulator(port=port) as successor:
        assert successor.address == ("127.0.0.1", port)


def test_keys_outlive_a_restart_and_the_ca_does_not() -> None:
    simulator = Simulator()
    key = {"api_key": simulator.issue_api_key()}
    with simulator:
        first_ca = simulator.ca_pem
    with simulator:
        assert ask(simulator, "POST", LIST, key).status == 200
        assert simulator.ca_pem != first_ca


@pytest.mark.parametrize("ask_for", ["address", "ca_pem"])
def test_before_its_start_it_says_what_to_do(ask_for: str) -> None:
    with pytest.raises(ConnformError, match="`with` statement"):
        getattr(Simulator(), ask_for)


def test_a_missing_library_is_named_with_what_to_install() -> None:
    script = """
import sys
sys.modules["trustme"] = None
from connform.errors import ConnformError
from connform.simulator import Simulator
try:
    Simulator().start()
except ConnformError as error:
    print(error)
"""
    assert "pip install trustme" in _python(script)


def test_the_import_alone_loads_nothing_heavy() -> None:
    script = "import sys; import connform.simulator; print({'trustme', 'ssl', 'http.server'} & set(sys.modules))"
    assert _python(script).strip() == "set()"


def test_a_program_that_forgets_to_stop_it_still_ends() -> None:
    script = """
import socket
from connform.simulator import Simulator
simulator = Simulator().start()
client = socket.create_connection(simulator.address)
print("end")
"""
    assert _python(script).strip() == "end"


def _python(script: str) -> str:
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True, timeout=30)
    return done.stdout
