"""Plain headers and parameters of a connection are in every request, and a request may have others in their place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from connform.auth.oauth.server import settings_for as settings_for_login
from connform.http import async_client, sync_client
from tests.canary import API_KEY
from tests.http.exchanging import InQuery, Mode, exchange, settings_for
from tests.http.servers import HOST, Authority, Server, answer


@pytest.fixture
def server(authority: Authority) -> Iterator[Server]:
    with Server(answer(), tls=authority.server(), ca_pem=authority.pem) as running:
        yield running


@pytest.mark.parametrize(
    ("url", "arguments", "query"),
    [
        ("/x", {}, "?v=2&lang=en%20GB"),
        ("/x?a=%2f,1&flag", {}, "?a=%2f,1&flag&v=2&lang=en%20GB"),
        ("/x", {"params": {"a": "1"}}, "?a=1&v=2&lang=en%20GB"),
        ("/x?v=3", {}, "?v=3&lang=en%20GB"),
        ("/x", {"params": {"v": "3", "lang": "de"}}, "?v=3&lang=de"),
        (f"https://{HOST}/x#part", {}, "?v=2&lang=en%20GB"),
    ],
)
def test_parameters_of_every_request(mode: Mode, server: Server, url: str, arguments: Any, query: str) -> None:
    ended = exchange(mode, settings_for(server, query={"v": "2", "lang": "en GB"}), url, **arguments)

    assert ended.response is not None, ended.error
    assert server.requests[0].startswith(f"GET /x{query} HTTP/1.1\r\n".encode())
    assert ended.response.url.query.decode() == query[1:]


def test_the_credential_comes_after_them(mode: Mode, server: Server) -> None:
    exchange(mode, settings_for(server, query={"v": "2"}, credential=InQuery()), "/x?a=1")

    assert server.requests[0].startswith(f"GET /x?a=1&v=2&api_key={API_KEY} HTTP/1.1\r\n".encode())


def test_headers_of_every_request(mode: Mode, server: Server) -> None:
    settings = settings_for(server, headers={"X-Version": "2026-01", "user-agent": "acme/1"})
    exchange(mode, settings)
    exchange(mode, settings, headers={"x-version": "2025-07"})

    first, second = server.requests
    assert b"\r\nX-Version: 2026-01\r\n" in first
    assert first.lower().count(b"\r\nuser-agent: acme/1\r\n") == first.lower().count(b"user-agent") == 1
    assert second.lower().count(b"x-version: ") == 1
    assert b": 2025-07\r\n" in second


def test_a_request_that_is_built_first_has_them(server: Server) -> None:
    settings = settings_for(server, query={"v": "2"}, headers={"X-Version": "1"})
    with sync_client(settings) as client:
        request = client.build_request("GET", "/x?a=1")
    built = async_client(settings).build_request("GET", "/x?a=1")

    assert str(request.url) == str(built.url) == f"https://{HOST}/x?a=1&v=2"
    assert request.headers["x-version"] == built.headers["x-version"] == "1"


def test_a_login_server_gets_none_of_them(mode: Mode, server: Server) -> None:
    settings = settings_for(server, query={"v": "2"}, headers={"X-Version": "1"}, credential=InQuery())
    exchange(mode, settings_for_login(f"https://{HOST}/token", settings), "/token", method="POST")

    assert server.requests[0].startswith(b"POST /token HTTP/1.1\r\n")
    assert b"x-version" not in server.requests[0].lower()
