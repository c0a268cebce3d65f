"""The credential reaches its origin and nothing else: no other server, no log, no exception, no object that users see."""

from __future__ import annotations

import asyncio
import copy
import logging
import os
import pickle
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpcore
import httpx
import pytest

from connform.errors import ConnectionFailed, Refused
from connform.http import ClientSettings, Network, OriginRefused, RequestFailed, async_client, sync_client
from connform.secret import Secret
from tests.canary import API_KEY, assert_no_canary
from tests.http import servers
from tests.http.exchanging import Key, Mode, exchange, settings_for
from tests.http.servers import HOST, Authority, Server, answer, raw, redirect

BEARER = (b"Authorization", b"Bearer " + API_KEY.encode())


@pytest.fixture
def server(authority: Authority) -> Iterator[Server]:
    with Server(answer(), tls=authority.server(), ca_pem=authority.pem) as running:
        yield running


@pytest.fixture
def sink(authority: Authority) -> Iterator[Server]:
    """A server that must see nothing."""
    with Server(answer(), tls=authority.server("sink.example.test", "localhost"), ca_pem=authority.pem) as running:
        yield running
        assert running.requests == []
        assert running.connections == 0


def test_the_credential_arrives(mode: Mode, server: Server) -> None:
    exchange(mode, settings_for(server, credential=Key((b"api_key", API_KEY.encode()), BEARER)))

    (request,) = server.requests
    assert request.count(b"\r\napi_key: " + API_KEY.encode() + b"\r\n") == 1
    assert request.count(b"\r\nAuthorization: Bearer " + API_KEY.encode() + b"\r\n") == 1


def test_the_users_header_is_replaced(mode: Mode, server: Server) -> None:
    exchange(mode, settings_for(server), headers={"API_Key": "the-users-own", "Host": "evil.example", "X-Kept": "yes"})

    (request,) = server.requests
    assert b"the-users-own" not in request
    assert b"evil.example" not in request
    assert b"X-Kept: yes" in request


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("where", ["other-host", "other-port", "plain-http", "relative-host"])
def test_redirects(mode: Mode, authority: Authority, sink: Server, status: int, where: str) -> None:
    location = {
        "other-host": "https://sink.example.test/",
        "other-port": f"https://{HOST}:8443/",
        "plain-http": f"http://{HOST}/",
        "relative-host": "//sink.example.test/",
    }[where]
    with Server(redirect(location, status), tls=authority.server(), ca_pem=authority.pem) as server:
        ports = {(HOST, 443): server.port}
        network = Network(lambda host, port: ("127.0.0.1", ports.get((host, port), sink.port)), authority.pem)
        settings = settings_for(server, network=network)
        followed = exchange(mode, settings, method="POST", content=b"body", follow_redirects=True)
        not_followed = exchange(mode, settings, method="POST", content=b"body")

    assert isinstance(followed.error, OriginRefused)
    assert not_followed.response is not None
    assert not_followed.response.status_code == status
    assert len(server.requests) == 2


def test_redirects_on_the_same_origin(mode: Mode, authority: Authority) -> None:
    with Server(redirect("/there"), tls=authority.server(), ca_pem=authority.pem) as server:
        ended = exchange(mode, settings_for(server), "/here", follow_redirects=True)

    assert ended.response is not None
    assert ended.response.text == "there"
    assert all(API_KEY.encode() in request for request in server.requests)


@pytest.mark.parametrize(
    "url",
    [
        "https://sink.example.test/",
        f"https://{HOST}:8443/",
        f"http://{HOST}/",
        f"http://{HOST}:443/",
        f"https://{HOST}.sink.example.test/",
        f"https://{HOST}./",
        f"https://{HOST}@sink.example.test/",
        "ftp://sink.example.test/",
    ],
)
def test_absolute_urls(mode: Mode, sink: Server, url: str) -> None:
    ended = exchange(mode, settings_for(sink), url)

    assert isinstance(ended.error, OriginRefused | httpx.UnsupportedProtocol)
    assert isinstance(ended.error, httpx.HTTPError)
    assert "dns" not in ended.notes.stages


def test_origin_refused_is_ours_and_httpxs() -> None:
    error = OriginRefused("https://a", "https://b")

    assert isinstance(error, Refused)
    assert not isinstance(error, httpx.TransportError)  # what people retry
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_extensions_lead_nowhere_else(mode: Mode, server: Server, authority: Authority) -> None:
    seen: list[object] = []

    def trace(name: str, info: dict[str, Any]) -> None:
        seen.append((name, info, getattr(info.get("request"), "headers", None)))

    extensions = {"trace": trace, "sni_hostname": "sink.example.test", "target": b"https://sink.example.test/"}
    ended = exchange(mode, settings_for(server), extensions=extensions)

    assert ended.response is not None, ended.error
    assert seen == []
    assert server.requests[0].startswith(b"GET / HTTP/1.1")


def test_the_environment_leads_nowhere_else(
    mode: Mode, server: Server, sink: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, home: Path
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{sink.port}")
    key_log = tmp_path / "keys"
    monkeypatch.setenv("SSLKEYLOGFILE", str(key_log))
    (home / ".netrc").write_text("default login somebody password netrc-password\n")
    monkeypatch.setenv("NETRC", str(home / ".netrc"))
    (tmp_path / "ca.pem").write_bytes(server.ca_pem or b"")
    settings = settings_for(server, ca_file=tmp_path / "ca.pem")  # a context that is built now
    ended = exchange(mode, settings)

    assert ended.response is not None, ended.error
    assert not key_log.exists()
    assert b"uthorization" not in server.requests[0]


def test_what_users_see(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    seen: list[object] = []
    settings = settings_for(server)
    with sync_client(settings) as client:
        client.event_hooks = {
            "request": [lambda request: seen.extend([request, request.headers, request.extensions])],
            "response": [lambda response: seen.extend([response, response.headers, response.request.headers])],
        }
        response = client.post("/x?code=query-canary", json={"a": 1})
        seen += [client, client.headers, client.cookies, client._transport, response, response.request, settings]
        seen += [response.request.headers, response.headers, response.extensions, response.history]

    assert server.requests
    assert_no_canary(repr(seen), caplog.text)
    assert "query-canary" not in caplog.text
    assert "HTTP Request: POST" in caplog.text


def test_what_users_see_async(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    async def work() -> None:
        async with async_client(settings_for(server)) as client:
            response = await client.get("/x")
            assert_no_canary(repr([client, client.headers, response, response.request.headers, response.extensions]))

    asyncio.run(work(), debug=True)
    assert_no_canary(caplog.text)
    assert server.requests


def test_other_clients_keep_their_queries(
    server: Server, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with sync_client(settings_for(server)) as client:
        client.get("/?mine=1")
    with httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200))) as foreign:
        foreign.get("https://elsewhere.example/?theirs=1")

    assert "mine=1" not in caplog.text
    assert "theirs=1" in caplog.text


@pytest.mark.parametrize(
    "behaviour",
    [servers.silent, servers.reset, raw(b"junk\r\n"), raw(servers.head(200, ["Content-Length: 9"]))],
    ids=["silent", "reset", "junk", "cut"],
)
def test_exceptions(
    mode: Mode, authority: Authority, behaviour: servers.Behaviour, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with Server(behaviour, tls=authority.server(), ca_pem=authority.pem) as server:
        error = exchange(mode, settings_for(server, read_s=0.2)).error

    assert isinstance(error, RequestFailed)
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), again.fault, again.hint, again.sent) == (
        type(error), str(error), error.fault, error.hint, error.sent,
    )  # fmt: skip
    assert copy.copy(error).fault == error.fault
    links = [error, error.__cause__, error.__context__]
    assert_no_canary(caplog.text, *(f"{link} {link!r} {getattr(link, 'args', '')}" for link in links))


@pytest.mark.parametrize("value", ["{}\r\nX-Evil: 1", "{}\n", " {}", "{} ", "{}\x00", "é{}", "", "\t{}"])
def test_a_malformed_key_is_not_echoed(mode: Mode, sink: Server, value: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    key = value.format(API_KEY).encode()
    ended = exchange(mode, settings_for(sink, credential=Key((b"api_key", key))))

    assert ended.fault == "secret_malformed"
    assert_no_canary(repr(ended.error), str(ended.error), caplog.text)


def test_an_illegal_header_of_the_user(mode: Mode, server: Server) -> None:
    error = exchange(mode, settings_for(server), headers={"X-Mine": f"{API_KEY}\r\nX-Evil: 1"}).error

    assert isinstance(error, httpx.LocalProtocolError)
    assert_no_canary(str(error), repr(error))


@pytest.mark.parametrize(
    "base_url", ["http://api.example.test", "https://user:pw@api.example.test", "ftp://localhost", "https://", "x", "https://[x", "https://a b", "http://127.0.0.1.evil.example"]
)  # fmt: skip
def test_base_urls_to_which_no_credential_may_go(base_url: str) -> None:
    with pytest.raises(ConnectionFailed) as raised:
        sync_client(ClientSettings(base_url))

    assert raised.value.fault.name == "config_invalid"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_plain_http_on_this_machine(mode: Mode, host: str) -> None:
    with Server(answer(b"plain")) as server:
        settings = ClientSettings(f"http://{host}:{server.port}", Key(), proxy=Secret("http://127.0.0.1:9"))
        ended = exchange(mode, settings)

    assert ended.response is not None, ended.error
    assert ended.response.text == "plain"
    assert list(ended.notes.stages) == ["tcp"]


SETS_A_COOKIE = answer(b"", "Set-Cookie: session=1; Path=/")


def test_cookies_are_off(authority: Authority) -> None:
    with (
        Server(SETS_A_COOKIE, tls=authority.server(), ca_pem=authority.pem) as server,
        sync_client(settings_for(server)) as client,
    ):
        responses = [client.get("/"), client.get("/")]
        assert not client.cookies

    assert all(response.headers["set-cookie"] for response in responses)
    assert all(b"cookie" not in request.lower() for request in server.requests)


def test_cookies_are_off_in_an_event_loop(authority: Authority) -> None:
    async def ask_twice(server: Server) -> None:
        async with async_client(settings_for(server)) as client:
            responses = [await client.get("/"), await client.get("/")]
            assert all(response.headers["set-cookie"] for response in responses)
            assert not client.cookies

    with Server(SETS_A_COOKIE, tls=authority.server(), ca_pem=authority.pem) as server:
        asyncio.run(ask_twice(server))
    assert all(b"cookie" not in request.lower() for request in server.requests)


def test_importing_the_package_costs_nothing() -> None:
    program = """
        import sys, connform.http
        connform.http.ClientSettings("https://api.example.test")
        print(sorted({"httpx", "httpcore", "ssl", "asyncio", "anyio", "socket", "cryptography"} & set(sys.modules)))
        try:
            connform.http.nothing
        except AttributeError:
            print(connform.http.sync_client.__name__)
    """
    ran = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        env={"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert ran.stdout.split("\n")[:2] == ["[]", "sync_client"]


def test_httpcore_still_logs_no_request_headers() -> None:
    request = httpcore.Request("GET", "https://a.example", headers=[(b"api_key", API_KEY.encode())])

    assert_no_canary(repr(request), str(request))
