"""What users of a ready client rely on: streams, uploads, cancelling, keep-alive, any event loop."""

from __future__ import annotations

import gc
import json
import ssl
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from types import FrameType
from typing import Any

import anyio
import httpx
import pytest

from connform.http import ClientSettings, async_client, sync_client
from tests.conftest import require_library
from tests.http import servers
from tests.http.exchanging import BUSY_S, InQuery, Key, Mode, exchange, settings_for
from tests.http.servers import Authority, Server, answer, head, raw


@pytest.fixture(params=["asyncio", "trio"])
def backend(request: pytest.FixtureRequest) -> str:
    require_library(request.param)
    return str(request.param)


def test_uploads_and_downloads(mode: Mode, authority: Authority) -> None:
    data = bytes(range(256)) * 20_000

    def echo(connection: servers.Connection) -> None:
        body = connection.read_request().partition(b"\r\n\r\n")[2]
        connection.send(head(200, [f"Content-Length: {len(body)}"]) + body)

    with Server(echo, tls=authority.server(), ca_pem=authority.pem) as server:
        ended = exchange(mode, settings_for(server, total_s=20), method="PUT", content=data)

    assert ended.response is not None, ended.error
    assert ended.response.content == data


def test_streamed_upload(authority: Authority) -> None:
    def parts() -> Iterator[bytes]:
        for number in range(100):
            yield str(number).encode()

    server = Server(answer(), tls=authority.server(), ca_pem=authority.pem)
    with server, sync_client(settings_for(server)) as client:
        client.post("/", content=parts(), headers={"Content-Length": "190"})

    assert server.requests[0].endswith(b"979899")


class Forgetful:
    """A balancer that resets the connections that it has forgotten, at their next bytes; the API answers all others."""

    def __init__(self, together: int) -> None:
        self.together = threading.Barrier(together)
        self.is_forgetting = False
        self.forgotten = 0

    def __call__(self, connection: servers.Connection) -> None:
        is_new = self.is_forgetting
        while connection.read_request():
            if not is_new and self.is_forgetting:
                self.forgotten += 1
                connection.reset()
                return
            if not is_new:
                self.together.wait(30)  # so that each request has a connection of its own
            connection.send(head(200, ["Content-Length: 2"]) + b"{}")


@pytest.mark.parametrize(("method", "failures"), [("GET", 0), ("POST", 1)])
def test_forgotten_connections_cost_one_request(mode: Mode, authority: Authority, method: str, failures: int) -> None:
    """A read is repeated on a new connection; a write fails once, and leaves no dead connection to the next."""
    balancer = Forgetful(10)
    with Server(balancer, tls=authority.server(), ca_pem=authority.pem) as server:
        codes = ask_together_then_in_turn(mode, settings_for(server, attempts=3), balancer, method)
    assert [code for code in codes if code != 200] == [0] * failures
    assert balancer.forgotten == 1


def ask_together_then_in_turn(mode: Mode, settings: ClientSettings, balancer: Forgetful, method: str) -> list[int]:
    """Make ten connections idle, let them be forgotten, and return the statuses of three requests; 0 for a failure."""
    if mode == "sync":
        with sync_client(settings) as client:
            threads = [threading.Thread(target=client.get, args=("/",)) for _ in range(10)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            balancer.is_forgetting = True
            return [_status(lambda: client.request(method, "/")) for _ in range(3)]

    async def ask() -> list[int]:
        async with async_client(settings) as client:
            async with anyio.create_task_group() as group:
                for _ in range(10):
                    group.start_soon(client.get, "/")
            balancer.is_forgetting = True
            codes = []
            for _ in range(3):
                try:
                    codes.append((await client.request(method, "/")).status_code)
                except httpx.TransportError:
                    codes.append(0)
            return codes

    return anyio.run(ask)


def _status(ask: Callable[[], httpx.Response]) -> int:
    try:
        return ask().status_code
    except httpx.TransportError:
        return 0


def test_the_users_own_errors_pass(authority: Authority, backend: str) -> None:
    async def parts() -> AsyncIterator[bytes]:
        yield b"x"
        raise LookupError

    async def work(server: Server) -> None:
        async with async_client(settings_for(server)) as client:
            await client.post("/", content=parts())

    with Server(answer(), tls=authority.server(), ca_pem=authority.pem) as server, pytest.raises(LookupError):
        anyio.run(work, server, backend=backend)


@pytest.mark.parametrize("where", ["handshake", "reply"])
def test_cancelling_leaves_nothing_open(authority: Authority, backend: str, where: str) -> None:
    async def work(server: Server) -> None:
        async with async_client(settings_for(server)) as client:
            with anyio.move_on_after(0.2) as scope:
                await client.get("/")
            assert scope.cancelled_caught

    tls = authority.server() if where == "reply" else None
    with Server(servers.silent, tls=tls, ca_pem=authority.pem) as server:
        started_at = time.monotonic()
        anyio.run(work, server, backend=backend)
        gc.collect()  # an open socket would be a ResourceWarning, which is an error here

    assert time.monotonic() - started_at < BUSY_S


def test_closing_while_another_task_waits(authority: Authority, backend: str) -> None:
    async def work(server: Server) -> None:
        client = async_client(settings_for(server))
        ended: list[BaseException] = []

        async def ask() -> None:
            try:
                await client.get("/")
            except httpx.TransportError as error:
                ended.append(error)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask)
            while not server.connections:  # noqa: ASYNC110  (a thread counts them)
                await anyio.sleep(0.01)
            await anyio.sleep(0.3)
            await client.aclose()
        assert len(ended) == 1

    with Server(servers.silent, tls=authority.server(), ca_pem=authority.pem) as server:
        started_at = time.monotonic()
        anyio.run(work, server, backend=backend)

    assert time.monotonic() - started_at < BUSY_S


def test_a_fast_server_lets_other_tasks_run(authority: Authority, backend: str) -> None:
    """Data that is always there must not keep the event loop busy for ever."""

    async def work(server: Server) -> int:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                ticks += 1
                await anyio.sleep(0.001)

        async with async_client(settings_for(server)) as client, anyio.create_task_group() as tasks:
            tasks.start_soon(tick)
            await client.get("/")
            tasks.cancel_scope.cancel()
        return ticks

    behaviour = answer(bytes(20_000_000))
    with Server(behaviour, tls=authority.server(), ca_pem=authority.pem) as server:
        assert anyio.run(work, server, backend=backend) > 10


def test_many_tasks_share_a_client(authority: Authority, backend: str) -> None:
    async def work(server: Server) -> None:
        async with async_client(settings_for(server)) as client, anyio.create_task_group() as tasks:
            for _ in range(40):
                tasks.start_soon(client.get, "/")

    with Server(answer(), tls=authority.server(), ca_pem=authority.pem) as server:
        anyio.run(work, server, backend=backend)

    assert len(server.requests) == 40


def test_many_threads_share_a_client(authority: Authority) -> None:
    server = Server(answer(), tls=authority.server(), ca_pem=authority.pem)
    with server, sync_client(settings_for(server)) as client:
        threads = [threading.Thread(target=client.get, args=("/",)) for _ in range(40)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert len(server.requests) == 40


@pytest.mark.parametrize("place", ["headers", "params"])
def test_a_request_takes_no_more_calls_than_with_a_bare_client(
    authority: Authority, place: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Calls are counted, because a clock says little on a busy machine. Nobody listens at DEBUG, which is the usual case."""
    caplog.set_level("WARNING")

    def calls_of_a_request(client: httpx.Client) -> int:
        calls = 0

        def count(_frame: FrameType, event: str, _argument: object) -> None:
            nonlocal calls
            calls += event in {"call", "c_call"}

        with client:
            client.get("/")  # opens the connection, and imports
            sys.setprofile(count)
            try:
                client.get("/")
            finally:
                sys.setprofile(None)
        return calls

    with Server(answer(), tls=authority.server("127.0.0.1"), ca_pem=authority.pem) as server:
        url, trusted = f"https://127.0.0.1:{server.port}", ssl.create_default_context(cadata=authority.pem.decode())
        arguments: dict[str, Any] = {place: {"api_key": "of-the-bare-client-which-shows-it"}}
        bare = httpx.Client(base_url=url, verify=trusted, **arguments)
        settings = settings_for(server, base_url=url, credential=Key() if place == "headers" else InQuery())
        assert calls_of_a_request(sync_client(settings)) <= calls_of_a_request(bare)


def test_a_connection_that_the_server_closed_is_not_used_again(authority: Authority) -> None:
    server = Server(raw(head(200, ["Content-Length: 2"]) + b"{}"), tls=authority.server(), ca_pem=authority.pem)
    with server, sync_client(settings_for(server)) as client:
        for _ in range(3):
            assert client.get("/").json() == {}
            time.sleep(0.1)

    assert server.connections == 3


def test_base_urls_have_paths(mode: Mode, authority: Authority) -> None:
    with Server(answer(), tls=authority.server(), ca_pem=authority.pem) as server:
        settings = settings_for(server, base_url=f"https://{servers.HOST}/api/v1", user_agent="tests/1")
        exchange(mode, settings, "/packages/list", method="POST", json={"take": 10})

    (request,) = server.requests
    assert request.startswith(b"POST /api/v1/packages/list HTTP/1.1\r\nHost: api.example.test\r\n")
    assert b"\r\nUser-Agent: tests/1\r\n" in request
    assert json.loads(request.partition(b"\r\n\r\n")[2]) == {"take": 10}


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
def test_addresses_as_hosts(mode: Mode, host: str) -> None:
    settings = ClientSettings(f"https://{host}:1", connect_s=1, attempts=1)

    assert exchange(mode, settings).fault in {"tcp_refused", "tcp_unreachable"}


def test_users_may_set_their_own_timeouts(mode: Mode, authority: Authority) -> None:
    with Server(servers.silent, tls=authority.server(), ca_pem=authority.pem) as server:
        ended = exchange(mode, settings_for(server), timeout=0.2)
        unlimited = exchange(mode, settings_for(server, total_s=1.5), timeout=None)

    assert ended.fault == "http_timeout"
    assert ended.elapsed_s < BUSY_S
    assert unlimited.fault == "http_deadline"
