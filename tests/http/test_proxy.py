"""The credential goes through a proxy inside of the tunnel only."""

from __future__ import annotations

import base64
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from connform.auth.oauth.client_authentication import App
from connform.auth.oauth.token_endpoint import TokenEndpoint
from connform.errors import ConnectionFailed
from connform.http import REAL, ClientSettings, RequestFailed, sync_client, transport_base
from connform.http.net.environment_proxy import environment_proxy
from connform.http.settings import BasicAuth
from connform.origin import Origin
from connform.secret import Secret
from tests.canary import API_KEY
from tests.http import servers
from tests.http.exchanging import SHORT, Mode, exchange, settings_for
from tests.http.servers import Authority, Connection, Server, answer, head, raw

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


@pytest.mark.parametrize("password", [PASSWORD, "ümlaut: and a space"])
def test_user_and_password_beside_the_url(authority: Authority, target: Server, ca_file: Path, password: str) -> None:
    with Server(tunnel_to(target)) as proxy:
        settings = settings_through(proxy, "http", ca_file)._replace(proxy_auth=BasicAuth("ci", Secret(password)))
        assert exchange("sync", settings).response is not None
    expected = base64.b64encode(f"ci:{password}".encode())
    assert b"\r\nProxy-Authorization: Basic " + expected + b"\r\n" in proxy.requests[0]
    assert password not in repr(settings)


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
    assert ("user name and password" in ended.error.hint) == ("407" in text)


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


PROXY = "http://proxy.example:3128"
ENVIRONMENTS: dict[str, tuple[str, dict[str, str], tuple[str, str]]] = {
    "none is named": ("https://api.example.test", {}, ("", "")),
    "one is named": ("https://api.example.test", {"HTTPS_PROXY": PROXY}, (PROXY, "HTTPS_PROXY")),
    "one for everything": ("https://api.example.test", {"ALL_PROXY": PROXY}, (PROXY, "ALL_PROXY")),
    "in lower case first": (
        "https://a.example",
        {"HTTPS_PROXY": "http://x", "https_proxy": PROXY},
        (PROXY, "https_proxy"),
    ),
    "without a scheme": ("https://a.example", {"HTTPS_PROXY": "proxy.example:3128"}, (PROXY, "HTTPS_PROXY")),
    "for plain http only": ("https://a.example", {"HTTP_PROXY": PROXY}, ("", "")),
}


@pytest.mark.parametrize("case", ENVIRONMENTS)
def test_the_environment_names_a_proxy(monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    url, variables, found = ENVIRONMENTS[case]
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert environment_proxy(Origin.of(url)) == found


EXCEPTIONS: dict[str, tuple[str, str, bool]] = {
    "the host": ("https://api.example.test", "api.example.test", True),
    "in other letters": ("https://api.example.test", "API.Example.TEST", True),
    "another host": ("https://api.example.test", "example.org", False),
    "its domain": ("https://api.example.test", "example.test", True),
    "its domain with a dot": ("https://api.example.test", ".example.test", True),
    "its domain with a star": ("https://api.example.test", "*.example.test", True),
    "the end of its name": ("https://api.example.test", "ample.test", False),
    "everything": ("https://api.example.test", "*", True),
    "one of several": ("https://api.example.test", "localhost, 10.0.0.0/8 ,.example.test", True),
    "its port": ("https://api.example.test:8443", "api.example.test:8443", True),
    "another port": ("https://api.example.test", "api.example.test:8443", False),
    "its address": ("https://10.1.2.3", "10.1.2.3", True),
    "a range of addresses": ("https://10.1.2.3", "10.0.0.0/8", True),
    "another range": ("https://10.1.2.3", "192.168.0.0/16", False),
    "a range for a name": ("https://api.example.test", "0.0.0.0/0", False),
    "its address of six": ("https://[::1]", "::1", True),
    "in brackets": ("https://[::1]", "[::1]", True),
    "in brackets with its port": ("https://[::1]:8443", "[::1]:8443", True),
    "written otherwise": ("https://[2001:db8::1]", "2001:db8:0:0::1", True),
    "a range of six": ("https://[2001:db8::1]", "2001:db8::/32", True),
    "a range of the other kind": ("https://[::1]", "127.0.0.0/8", False),
    "a trailing dot": ("https://api.example.test", "example.test.", True),
    "a lone dot": ("https://api.example.test", ".", False),
    "rubbish": ("https://10.1.2.3", "10.0.0.0/99, [, :, /", False),
    "nothing": ("https://api.example.test", " , ", False),
}


@pytest.mark.parametrize("case", EXCEPTIONS)
def test_no_proxy_is_read_as_curl_and_go_do(monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    url, exceptions, is_direct = EXCEPTIONS[case]
    monkeypatch.setenv("HTTPS_PROXY", PROXY)
    monkeypatch.setenv("NO_PROXY", exceptions)
    assert environment_proxy(Origin.of(url))[0] == ("" if is_direct else PROXY)


def test_a_wrong_proxy_of_the_environment_is_named_by_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"socks5://user:{PASSWORD}@127.0.0.1")
    with pytest.raises(ConnectionFailed) as raised:
        sync_client(ClientSettings("https://api.example.test", proxy=Secret("environment")))
    assert raised.value.message == "HTTPS_PROXY must be a URL that starts with http:// or https://"


@pytest.mark.parametrize("exception", ["localhost", "127.0.0.1"])
def test_a_proxy_is_decided_for_each_host(
    authority: Authority, ca_file: Path, monkeypatch: pytest.MonkeyPatch, exception: str
) -> None:
    """The login server and the API lie on different sides of the proxy."""
    asked: list[str] = []

    def refuse(connection: Connection) -> None:
        asked.append(connection.read_request().split()[1].decode())
        connection.send(head(403))

    with Server(refuse) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("NO_PROXY", exception)
        settings = ClientSettings("https://localhost:1", proxy=Secret("environment"), ca_file=ca_file, attempts=1)
        endpoint = TokenEndpoint("https://127.0.0.1:1/token", App("acme", Secret("synthetic")), settings)
        with pytest.raises(ConnectionFailed):
            endpoint.refresh(Secret("synthetic"))
        with sync_client(settings) as client, pytest.raises(RequestFailed):
            client.get("/")
    assert asked == ["127.0.0.1:1" if exception == "localhost" else "localhost:1"]
