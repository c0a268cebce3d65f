"""A credential in the query is in the target on the wire, and nowhere else: no URL, log, exception or redirect shows it."""

from __future__ import annotations

import logging
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import anyio
import httpx
import pytest

from connform.errors import ConnectionFailed, InterfaceMisused
from connform.http import REAL, ClientSettings, RequestFailed, async_client, limits, sync_client
from connform.http.credential import Credential, HeaderLines
from connform.http.header import require_parameter
from connform.origin import Origin
from connform.secret import Secret
from tests.canary import API_KEY, CANARIES, assert_no_canary
from tests.http import servers
from tests.http.exchanging import InQuery, Mode, exchange, settings_for
from tests.http.servers import HOST, Authority, Connection, Server, answer, head, raw
from tests.http.test_proxy import tunnel_to
from tests.tracebacks.walk import assert_hidden

PRINTABLE = "".join(chr(number) for number in range(0x21, 0x7F))


@pytest.fixture
def server(authority: Authority) -> Iterator[Server]:
    with Server(answer(), tls=authority.server(), ca_pem=authority.pem) as running:
        yield running


def targets(server: Server) -> list[str]:
    """Return the targets of the requests that a server was sent."""
    return [request.split(b" ")[1].decode() for request in server.requests]


def parameters(server: Server) -> list[list[tuple[str, str]]]:
    """Return the parameters of each request as a server reads them (application/x-www-form-urlencoded)."""
    return [parse_qsl(target.partition("?")[2], keep_blank_values=True) for target in targets(server)]


def ask(mode: Mode, server: Server, value: str = API_KEY, /, url: str = "/", **arguments: Any) -> httpx.Response:
    """Return the answer to a request with a key in the query."""
    ended = exchange(mode, settings_for(server, credential=InQuery(value)), url, **arguments)
    assert ended.response is not None, ended.error
    return ended.response


@pytest.mark.parametrize("value", [*CANARIES, PRINTABLE, "two words", "%2F+%20&a=b#c", "=", "?"], ids=range(7))
def test_a_key_arrives_as_it_is(mode: Mode, server: Server, value: str) -> None:
    ask(mode, server, value)
    assert parameters(server) == [[("api_key", value)]]


def test_a_key_with_blanks_has_no_plus_in_the_target(server: Server) -> None:
    """Only forms read `+` as a blank; every server reads `%20`."""
    ask("sync", server, "two words")
    assert targets(server) == ["/?api_key=two%20words"]


@pytest.mark.parametrize("name", ["key", "X Key", "a&b", "schlüssel", "appid[]"])
def test_the_name_of_a_parameter_is_encoded(server: Server, name: str) -> None:
    exchange("sync", settings_for(server, credential=InQuery(name=name)))
    assert parameters(server) == [[(name, API_KEY)]]


@pytest.mark.parametrize(
    ("url", "arguments", "start"),
    [
        ("/x", {}, "/x?api_key="),
        ("/x?", {}, "/x?api_key="),
        ("/x?a=%2f,2&flag", {}, "/x?a=%2f,2&flag&api_key="),
        ("/x", {"params": {"a": "1 2"}}, "/x?a=1%202&api_key="),
        ("/x#there", {}, "/x?api_key="),
        ("/x&y", {}, "/x&y?api_key="),
    ],
)
def test_the_requests_own_query_stays_as_it_is(
    mode: Mode, server: Server, url: str, arguments: Any, start: str
) -> None:
    ask(mode, server, API_KEY, url, **arguments)
    if "params" in arguments:
        assert parameters(server) == [[("a", "1 2"), ("api_key", API_KEY)]]
    else:
        assert targets(server) == [start + API_KEY]


def test_headers_and_parameters_of_one_credential_are_sent_together(server: Server) -> None:
    class Both(Credential):
        def headers(self) -> HeaderLines:
            return HeaderLines(("X-App", Secret(API_KEY)), parameters=(("a", Secret("one")), ("b", Secret("two"))))

    exchange("sync", settings_for(server, credential=Both()))
    assert parameters(server) == [[("a", "one"), ("b", "two")]]
    assert f"\r\nX-App: {API_KEY}\r\n".encode() in server.requests[0]


def test_a_stream_has_it_too(mode: Mode, server: Server) -> None:
    settings = settings_for(server, credential=InQuery())
    if mode == "sync":
        with sync_client(settings) as client, client.stream("GET", "/") as response:
            response.read()
    else:

        async def stream() -> None:
            async with async_client(settings) as client, client.stream("GET", "/") as response:
                await response.aread()

        anyio.run(stream, backend="trio" if mode == "trio" else "asyncio")
    assert parameters(server) == [[("api_key", API_KEY)]]


# What users, logs and collectors see


@pytest.mark.parametrize("value", CANARIES, ids=["plain", "awkward"])
def test_what_users_see(mode: Mode, server: Server, value: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    seen: list[object] = []
    settings = settings_for(server, credential=InQuery(value))

    def note(message: httpx.Request | httpx.Response) -> None:
        seen.extend([message, message.headers, message.extensions, getattr(message, "url", None), vars(message)])

    async def note_async(message: httpx.Request | httpx.Response) -> None:
        note(message)

    if mode == "sync":
        with sync_client(settings) as client:
            client.event_hooks = {"request": [note], "response": [note]}
            response = client.get("/x?a=1")
            seen += [client, client.params, vars(client), vars(client._transport)]
    else:

        async def get() -> httpx.Response:
            async with async_client(settings) as client:
                client.event_hooks = {"request": [note_async], "response": [note_async]}
                seen.extend([client, client.params, vars(client), vars(client._transport)])
                return await client.get("/x?a=1")

        response = anyio.run(get, backend="trio" if mode == "trio" else "asyncio")
    seen += [response, response.url, response.request.url, response.history, response.extensions, response.headers]

    assert parameters(server) == [[("a", "1"), ("api_key", value)]]
    assert str(response.url) == str(response.request.url) == f"https://{HOST}/x?a=1"
    assert_no_canary(repr(seen), caplog.text, repr(settings), repr(InQuery().headers()))
    assert "HTTP Request: GET" in caplog.text
    assert "receive_response_headers.complete" in caplog.text


@pytest.mark.parametrize(
    "behaviour",
    [
        servers.silent,
        servers.reset,
        raw(b"junk\r\n"),
        raw(servers.head(200, ["Content-Length: 9"])),
        raw(f"HTTP/1.1 302 Found\r\nLocation: /?api_key={API_KEY}\r\n{API_KEY}\r\n\r\n".encode()),
        raw(f"HTTP/1.1 200 OK\r\nLocation: /?api_key={API_KEY}\r\nContent-Length: 99999999\r\n\r\n".encode()),
    ],
    ids=["silent", "reset", "junk", "cut", "illegal-line", "too-large"],
)
def test_exceptions(
    mode: Mode, authority: Authority, behaviour: servers.Behaviour, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with Server(behaviour, tls=authority.server(), ca_pem=authority.pem) as server:
        settings = settings_for(server, read_s=0.2, credential=InQuery(), max_body_bytes=1000)
        error = exchange(mode, settings).error

    assert isinstance(error, RequestFailed)
    assert_hidden(error, "the error")
    assert_no_canary(caplog.text, repr(pickle.loads(pickle.dumps(error))))


def test_other_clients_of_httpcore_keep_their_log(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    ask("sync", server)
    exchange("sync", settings_for(server))

    ours, theirs = (one for one in caplog.messages if one.startswith("receive_response_headers.complete"))
    assert ours == "receive_response_headers.complete"
    assert theirs.startswith("receive_response_headers.complete return_value=")


# What is refused


@pytest.mark.parametrize(
    ("url", "arguments"),
    [
        ("/?api_key=mine", {}),
        ("/?a=1&api_key", {}),
        ("/?api%5Fkey=mine", {}),
        ("/", {"params": {"api_key": "mine"}}),
        (f"https://{HOST}/?api_key=mine", {}),
    ],
)
def test_a_request_with_a_parameter_of_that_name_is_refused(
    mode: Mode, server: Server, url: str, arguments: dict[str, Any]
) -> None:
    error = exchange(mode, settings_for(server, credential=InQuery()), url, **arguments).error

    assert isinstance(error, httpx.LocalProtocolError)
    assert_hidden(error, "the error")
    assert "the parameter `api_key`" in str(error)
    assert "mine" not in str(error)
    assert server.requests == []


def test_a_parameter_of_a_similar_name_is_the_requests_own(server: Server) -> None:
    ask("sync", server, API_KEY, "/?api_keys=1&my_api_key=2&a=api_key")
    assert len(parameters(server)[0]) == 4


@pytest.mark.parametrize("value", ["{}\n", "{}\r\nX-Evil: 1", "\x00{}", "é{}", "{}\u200b", ""])
def test_a_malformed_key_is_not_echoed(
    mode: Mode, server: Server, value: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    ended = exchange(mode, settings_for(server, credential=InQuery(value.format(API_KEY))))

    assert ended.fault == "secret_malformed"
    assert server.requests == []
    assert_no_canary(repr(ended.error), str(ended.error), caplog.text)


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("", "is empty"),
        ("{}\n", "line break"),
        ("{}\x7f", "control character"),
        ("{}é", "not ASCII"),
        ("\ufeff{}", "byte order mark"),
        ("{} ", "ends with a space"),
        (" {}", "begins"),
    ],
)
def test_a_mistake_of_pasting_is_named(value: str, problem: str) -> None:
    with pytest.raises(ConnectionFailed, match=problem) as raised:
        require_parameter(Secret(value.format(API_KEY)), key="api_key")

    assert raised.value.fault.name == "secret_malformed"
    assert "`api_key`" in str(raised.value)
    assert_no_canary(str(raised.value))


@pytest.mark.parametrize("value", [PRINTABLE, "two words"])
def test_any_printable_key_can_be_sent_in_a_query(value: str) -> None:
    require_parameter(Secret(value), key="api_key")


def test_parameters_are_names_and_secrets() -> None:
    with pytest.raises(InterfaceMisused):
        HeaderLines(parameters=[("api_key", "text")])  # type: ignore[list-item]


# Rate limits, renewal, proxies


def test_a_rate_limit_is_that_of_one_key(authority: Authority) -> None:
    origin = Origin("https", "limited-by-key.example.test", 443)
    one, other = (InQuery(value).headers() for value in CANARIES)
    limits.remember(origin, "/", one, 60)

    assert limits.delay_s(origin, "/", InQuery(CANARIES[0]).headers()) > 0
    assert limits.delay_s(origin, "/", other) == 0
    limits.forget(origin, one)


def test_a_key_that_is_refused_is_renewed(mode: Mode, authority: Authority) -> None:
    def accepts_the_second(connection: Connection) -> None:
        while request := connection.read_request():
            connection.send(head(200 if API_KEY.encode() in request else 401, ["Content-Length: 2"]) + b"{}")

    with Server(accepts_the_second, tls=authority.server(), ca_pem=authority.pem) as server:
        ended = exchange(mode, settings_for(server, credential=InQuery("old", renewed=API_KEY)))

    assert ended.response is not None, ended.error
    assert ended.response.status_code == 200
    assert parameters(server) == [[("api_key", "old")], [("api_key", API_KEY)]]


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_sees_no_query(mode: Mode, scheme: str, authority: Authority, server: Server, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    with Server(tunnel_to(server), tls=authority.server("localhost") if scheme == "https" else None) as proxy:
        ca_file, url = tmp_path / "ca.pem", Secret(f"{scheme}://localhost:{proxy.port}")
        ended = exchange(
            mode, settings_for(server, credential=InQuery(), network=REAL, proxy=url, ca_file=ca_file), "/x"
        )

    assert ended.response is not None, ended.error
    assert parameters(server) == [[("api_key", API_KEY)]]
    assert [request.split(b"\r\n")[0] for request in proxy.requests] == [f"CONNECT {HOST}:443 HTTP/1.1".encode()]


def test_plain_http_goes_to_this_machine_alone_and_through_no_proxy(mode: Mode) -> None:
    with Server(answer(b"plain")) as server, Server(answer()) as proxy:
        settings = ClientSettings(
            f"http://127.0.0.1:{server.port}", InQuery(), proxy=Secret(f"http://127.0.0.1:{proxy.port}")
        )
        ended = exchange(mode, settings)

    assert ended.response is not None, ended.error
    assert parameters(server) == [[("api_key", API_KEY)]]
    assert proxy.connections == 0
    with pytest.raises(ConnectionFailed, match="plain http is for this machine only"):
        sync_client(ClientSettings("http://api.example.test", InQuery()))
