"""What users do with an `httpx.Client` and an `httpx.AsyncClient` works with the ready client."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

import connform
from tests.canary import API_KEY, assert_no_canary
from tests.end_to_end.conftest import Issuer
from tests.end_to_end.running import KEY_VARIABLE, manifest
from tests.http.servers import Connection, Server, head

CALLS: dict[str, tuple[str, dict[str, Any], str, str]] = {
    "get": ("get", {"params": {"q": "ü"}}, "GET /api/v1/x?q=%C3%BC", ""),
    "options": ("options", {}, "OPTIONS /api/v1/x", ""),
    "head": ("head", {}, "HEAD /api/v1/x", ""),
    "post of JSON": ("post", {"json": ["take"]}, "POST /api/v1/x", '["take"]'),
    "post of a form": ("post", {"data": {"a": "1 2"}}, "POST /api/v1/x", "a=1+2"),
    "put of bytes": ("put", {"content": b"bytes"}, "PUT /api/v1/x", "bytes"),
    "patch of text": ("patch", {"content": "text"}, "PATCH /api/v1/x", "text"),
    "delete": ("delete", {}, "DELETE /api/v1/x", ""),
    "upload": ("post", {"files": {"file": ("a.pdf", b"%PDF", "application/pdf")}}, "POST /api/v1/x", "%PDF"),
    "upload with fields": ("post", {"data": {"name": "n1"}, "files": {"file": b"raw"}}, "POST /api/v1/x", "n1"),
    "a header of one's own": ("get", {"headers": {"X-Mine": "1"}}, "GET /api/v1/x", ""),
    "credentials of one's own": ("get", {"auth": ("me", "secret")}, "GET /api/v1/x", ""),
    "a time-out of one's own": ("get", {"timeout": 3}, "GET /api/v1/x", ""),
    "redirects followed": ("get", {"follow_redirects": True}, "GET /api/v1/x", ""),
}


def echo(connection: Connection) -> None:
    """Answer with what came, its head and body, and a cookie."""
    while request := connection.read_request():
        content = json.dumps({"seen": request.decode("latin-1")}).encode()
        lines = [f"Content-Length: {len(content)}", "Content-Type: application/json", "Set-Cookie: a=b"]
        connection.send(head(200, lines) + (b"" if request.startswith(b"HEAD") else content))


@pytest.fixture
def server(authority: Issuer) -> Iterator[Server]:
    from tests.http.servers import Server

    with Server(echo, tls=authority.loopback()) as server:
        yield server


@pytest.fixture
def ready(server: Server, ca_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> connform.ReadyConnection:
    monkeypatch.setenv(KEY_VARIABLE, API_KEY)
    url = f"https://localhost:{server.port}/api/v1"
    (tmp_path / "connections.yaml").write_text(manifest(acme={"base_url": url, "tls": {"ca_file": str(ca_file)}}))
    return connform.load(tmp_path / "connections.yaml")["acme"]


def judge(answer: httpx.Response, server: Server, line: str, content: str) -> None:
    assert answer.status_code == 200
    (request,) = server.requests
    assert request.startswith(f"{line} HTTP/1.1\r\n".encode())
    assert content.encode() in request
    assert request.lower().count(f"api_key: {API_KEY}".encode()) == 1
    assert_no_canary(repr(answer.request.headers), repr(answer.headers), repr(answer))
    if line.startswith("HEAD"):
        assert answer.content == b""
    else:
        assert answer.json()["seen"].encode("latin-1") == request


@pytest.mark.parametrize("case", CALLS)
def test_calls_of_a_client(ready: connform.ReadyConnection, server: Server, case: str) -> None:
    method, arguments, line, content = CALLS[case]
    with ready.client() as client:
        judge(getattr(client, method)("/x", **arguments), server, line, content)


@pytest.mark.parametrize("case", CALLS)
def test_calls_of_an_asynchronous_client(ready: connform.ReadyConnection, server: Server, case: str) -> None:
    method, arguments, line, content = CALLS[case]

    async def call() -> httpx.Response:
        async with ready.async_client() as client:
            answer: httpx.Response = await getattr(client, method)("/x", **arguments)
            return answer

    judge(asyncio.run(call()), server, line, content)


@pytest.mark.parametrize("method", ["GET", "POST", "PURGE"])
def test_calls_by_the_name_of_their_method(ready: connform.ReadyConnection, server: Server, method: str) -> None:
    with ready.client() as client:
        judge(client.request(method, "/x", params={"a": "b"}), server, f"{method} /api/v1/x?a=b", "")


@pytest.mark.parametrize("method", ["GET", "POST", "PURGE"])
def test_asynchronous_calls_by_the_name_of_their_method(
    ready: connform.ReadyConnection, server: Server, method: str
) -> None:
    async def call() -> httpx.Response:
        async with ready.async_client() as client:
            return await client.request(method, "/x", params={"a": "b"})

    judge(asyncio.run(call()), server, f"{method} /api/v1/x?a=b", "")


def test_asynchronous_requests_that_are_built_first(ready: connform.ReadyConnection, server: Server) -> None:
    async def call() -> httpx.Response:
        async with ready.async_client() as client:
            request = client.build_request("POST", "/x", json=["a"])
            assert_no_canary(repr(request.headers))
            return await client.send(request)

    answer = asyncio.run(call())
    assert answer.is_closed
    judge(answer, server, "POST /api/v1/x", '["a"]')


def test_requests_that_are_built_first(ready: connform.ReadyConnection, server: Server) -> None:
    with ready.client() as client:
        request = client.build_request("POST", "/x", json=["a"])
        assert_no_canary(repr(request.headers))
        judge(client.send(request), server, "POST /api/v1/x", '["a"]')


def test_streams(ready: connform.ReadyConnection) -> None:
    with ready.client() as client:
        with client.stream("GET", "/x") as answer:
            assert not answer.is_closed
            whole = b"".join(answer.iter_bytes(7))
        with client.stream("GET", "/x") as answer:
            assert "".join(answer.iter_text())
        with client.stream("GET", "/x") as answer:
            assert list(answer.iter_lines())
        answer = client.send(client.build_request("GET", "/x"), stream=True)
        assert len(answer.read()) == len(whole)
        answer.close()


def test_asynchronous_streams_and_uploads_of_generators(ready: connform.ReadyConnection, server: Server) -> None:
    async def pieces() -> Any:
        for piece in (b"one", b"two"):
            yield piece

    async def call() -> None:
        async with ready.async_client() as client:
            async with client.stream("PUT", "/x", content=pieces()) as answer:
                assert [line async for line in answer.aiter_lines()]
            request = client.build_request("GET", "/x")
            answer = await client.send(request, stream=True)
            assert await answer.aread()
            await answer.aclose()

    asyncio.run(call())
    assert b"one" in b"".join(server.requests)


def test_hooks_see_requests_and_answers_without_a_secret(ready: connform.ReadyConnection) -> None:
    seen: list[Any] = []
    with ready.client() as client:
        client.event_hooks = {"request": [seen.append], "response": [seen.append]}
        client.get("/x")
    request, answer = seen
    assert_no_canary(repr(request.headers), repr(answer.headers), repr(vars(request)), repr(request.extensions))


def test_asynchronous_hooks_see_requests_and_answers_without_a_secret(ready: connform.ReadyConnection) -> None:
    seen: list[Any] = []

    async def see(what: httpx.Request | httpx.Response) -> None:
        seen.append(what)

    async def call() -> None:
        async with ready.async_client() as client:
            client.event_hooks = {"request": [see], "response": [see]}
            await client.get("/x")

    asyncio.run(call())
    request, answer = seen
    assert_no_canary(repr(request.headers), repr(answer.headers), repr(vars(request)), repr(request.extensions))


def test_cookies_are_never_sent_back_by_an_asynchronous_client(ready: connform.ReadyConnection, server: Server) -> None:
    async def call() -> httpx.Cookies:
        async with ready.async_client() as client:
            for _ in range(2):
                assert (await client.get("/x")).headers["set-cookie"] == "a=b"
            return client.cookies

    assert not asyncio.run(call())
    assert len(server.requests) == 2
    assert all(b"cookie:" not in request.lower() for request in server.requests)


def test_cookies_are_never_sent_back(ready: connform.ReadyConnection, server: Server) -> None:
    with ready.client() as client:
        client.get("/x")
        client.get("/x")
    assert all(b"cookie:" not in request.lower() for request in server.requests)


def test_headers_and_parameters_of_the_client_itself(ready: connform.ReadyConnection, server: Server) -> None:
    with ready.client() as client:
        client.headers["X-Team"] = "platform"
        client.params = httpx.QueryParams({"v": "1"})
        assert str(client.base_url).endswith("/api/v1/")
        client.get("x")
    (request,) = server.requests
    assert b"X-Team: platform" in request
    assert request.startswith(b"GET /api/v1/x?v=1 ")
