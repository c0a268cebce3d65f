"""The credential goes through a proxy inside of the tunnel only."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from connform.errors import ConnectionFailed
from connform.http import REAL, ClientSettings, RequestFailed, sync_client, transport_base
from connform.secret import Secret
from tests.canary import API_KEY
from tests.http import servers
from tests.http.exchanging import SHORT, Mode, exchange, settings_for
from tests.http.servers import Authority, Connection, Server, answer, head, raw

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator
    from pathlib import Path

PASSWORD = "proxy-password"
PAGE = b"<html><title>ERROR: Cache Access Denied</title>" + bytes(3000)


def tunnel_to(target: Server) -> servers.Behaviour:
    """CONNECT always leads to `target`."""

    def behave(connection: Connection) -> None:
        connection.read_request()
        connection.send(head(200))
        with socket.create_connection(("127.0.0.1", target.port)) as onward:
            back = threading.Thread(target=_pump, args=(onward, connection.sock), daemon=True)
            back.start()
            _pump(connection.sock, onward)
            back.join(5)

    return behave


def _pump(source: socket.socket, drain: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            drain.sendall(data)
    with suppress(OSError):
        drain.shutdown(socket.SHUT_WR)


@pytest.fixture
def target(authority: Authority) -> Iterator[Server]:
    with Server(answer(b'{"proxied": true}'), tls=authority.server()) as server:
        yield server


@pytest.fixture
def ca_file(authority: Authority, tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    path.write_bytes(authority.pem)
    return path


@pytest.fixture(params=["http", "https"])
def scheme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def settings_through(
    proxy: Server, scheme: str, ca_file: Path, userinfo: str = "", /, **limits: float
) -> ClientSettings:
    url = f"{scheme}://{userinfo}localhost:{proxy.port}"
    return settings_for(proxy, network=REAL, proxy=Secret(url), ca_file=ca_file, **limits)


def test_through_a_tunnel(mode: Mode, scheme: str, authority: Authority, target: Server, ca_file: Path) -> None:
    with Server(tunnel_to(target), tls=_context(authority, scheme)) as proxy:
        settings = settings_through(proxy, scheme, ca_file, f"user:{PASSWORD}@")
        ended = exchange(mode, settings, method="POST", content=bytes(300_000))

    assert ended.response is not None, ended.error
    assert ended.response.json() == {"proxied": True}
    assert list(ended.notes.stages) == ["tcp", "tls"]
    (connect,) = proxy.requests
    assert connect.startswith(b"CONNECT api.example.test:443 ")
    assert b"Proxy-Authorization: Basic " in connect
    assert API_KEY.encode() not in connect
    assert b"api_key: " + API_KEY.encode() in target.requests[0]
    assert b"Proxy-Authorization" not in target.requests[0]
    assert PASSWORD not in repr(settings)


def _context(authority: Authority, scheme: str) -> ssl.SSLContext | None:
    return authority.server("localhost") if scheme == "https" else None


@pytest.mark.parametrize(
    ("behaviour", "text"),
    [
        pytest.param(raw(head(407, ["Proxy-Authenticate: Basic", "Content-Length: 0"])), "407", id="407"),
        pytest.param(raw(head(403, ["Content-Length: 0"])), "403", id="403"),
        pytest.param(raw(head(407) + PAGE), "answered 407", id="407-page"),
        pytest.param(raw(head(502), PAGE, pause_s=0.05), "answered 502", id="502-page-apart"),
        pytest.param(raw(head(503) + PAGE[:10], PAGE, pause_s=0.05), "answered 503", id="503-page-in-parts"),
        pytest.param(servers.silent, "in time", id="silent"),
        pytest.param(raw(), "cut", id="closes"),
        pytest.param(raw(b"SSH-2.0-x\r\n\r\n"), "does not speak", id="ssh"),
        pytest.param(raw(head(200) + b"more"), "does not speak", id="talkative"),
        pytest.param(servers.endless(b"HTTP/1.1 200 OK\r\n", b"X-More: more\r\n" * 99), "cut", id="endless"),
        pytest.param(raw(then=servers.reset), "cut", id="resets"),
    ],
)
def test_no_tunnel(
    mode: Mode, scheme: str, authority: Authority, ca_file: Path, behaviour: servers.Behaviour, text: str
) -> None:
    with Server(behaviour, tls=_context(authority, scheme)) as proxy:
        limits = {"connect_s": 1.0} if text == "in time" else {}
        ended = exchange(mode, settings_through(proxy, scheme, ca_file, f"user:{PASSWORD}@", **limits))

    assert ended.fault == "proxy_refused"
    assert text in str(ended.error)
    assert PASSWORD not in str(ended.error)
    assert isinstance(ended.error, RequestFailed)
    assert not ended.error.sent


def test_tls_faults_through_a_tunnel(
    mode: Mode, scheme: str, authority: Authority, stranger: Authority, ca_file: Path
) -> None:
    cases = [
        (Server(answer(), tls=stranger.server()), "tls_untrusted_issuer"),
        (Server(answer(), tls=authority.server("other.example.test")), "tls_wrong_host"),
        (Server(servers.plain_http), "tls_not_tls"),
        (Server(servers.silent), "tls_timeout"),
        (Server(servers.close_in_handshake), "tls_reset"),
    ]
    for target, fault in cases:
        with Server(tunnel_to(target), tls=_context(authority, scheme)) as proxy, target:
            ended = exchange(mode, settings_through(proxy, scheme, ca_file, **SHORT.get(fault, {})))
        assert ended.fault == fault, ended.error
        assert "api.example.test" in str(ended.error)
        if fault == "tls_untrusted_issuer":
            assert "Intercepting Proxies Ltd" in str(ended.error)
        if fault == "tls_wrong_host":
            assert "other.example.test" in str(ended.error)
        assert target.requests == []


def test_http_faults_through_a_tunnel(mode: Mode, scheme: str, authority: Authority, ca_file: Path) -> None:
    cases = [(servers.silent, "http_timeout"), (raw(b"junk\r\n"), "http_bad_reply"), (raw(), "http_bad_reply")]
    for behaviour, fault in cases:
        target = Server(behaviour, tls=authority.server())
        with Server(tunnel_to(target), tls=_context(authority, scheme)) as proxy, target:
            ended = exchange(mode, settings_through(proxy, scheme, ca_file, **SHORT.get(fault, {})))
        assert ended.fault == fault, ended.error


def test_failures_give_their_connections_back(
    scheme: str, authority: Authority, stranger: Authority, ca_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport_base, "_CONNECTIONS", 2)
    target = Server(answer(), tls=stranger.server())
    proxy = Server(tunnel_to(target), tls=_context(authority, scheme))
    with proxy, target, sync_client(settings_through(proxy, scheme, ca_file)) as client:
        for _ in range(4):  # httpcore's own tunnels keep their places in the pool
            with pytest.raises(RequestFailed, match="not trusted"):
                client.get("/")


def test_an_untrusted_proxy_gets_nothing(mode: Mode, stranger: Authority, ca_file: Path, target: Server) -> None:
    with Server(tunnel_to(target), tls=stranger.server("localhost")) as proxy:
        ended = exchange(mode, settings_through(proxy, "https", ca_file, f"user:{PASSWORD}@"))

    assert ended.fault == "tls_untrusted_issuer"
    assert "Intercepting Proxies Ltd" in str(ended.error)
    assert proxy.requests == []


def test_a_route_asks_no_proxy(mode: Mode, authority: Authority) -> None:
    with Server(answer(), tls=authority.server(), ca_pem=authority.pem) as server:
        ended = exchange(mode, settings_for(server, proxy=Secret("http://127.0.0.1:9")))

    assert ended.response is not None, ended.error


@pytest.mark.parametrize(
    "proxy", ["socks5://user:proxy-password@127.0.0.1", "127.0.0.1:3128", "http://", "http://[proxy-password"]
)
def test_what_is_no_proxy(proxy: str) -> None:
    with pytest.raises(ConnectionFailed) as raised:
        sync_client(ClientSettings("https://api.example.test", proxy=Secret(proxy)))

    assert raised.value.fault.name == "config_invalid"
    assert PASSWORD not in str(raised.value)
