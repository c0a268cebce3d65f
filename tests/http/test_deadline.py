"""One deadline covers everything from the look-up to the last byte, and several exchanges where the caller says so."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from types import CodeType, FrameType
from typing import TYPE_CHECKING

import httpx
import pytest

from connform.http import RequestTimedOut, async_client, sync_client, transport_base
from connform.http.net import deadline
from tests.http import servers
from tests.http.exchanging import BUSY_S, Mode, exchange, settings_for
from tests.http.servers import Authority, Server, answer, drip, head

if TYPE_CHECKING:
    from _typeshed import TraceFunction


def test_slow_loris_ends_at_the_total(mode: Mode, authority: Authority) -> None:
    behaviour = drip(head(200), pause_s=0.05)  # each byte comes well within read_s
    with Server(behaviour, tls=authority.server(), ca_pem=authority.pem) as server:
        ended = exchange(mode, settings_for(server, total_s=2))

    assert ended.fault == "http_deadline"
    assert 1.9 < ended.elapsed_s < 2 + BUSY_S


@pytest.mark.parametrize("kind", ["slow reads", "slow caller"])
def test_streams_are_covered(authority: Authority, kind: str) -> None:
    with Server(drip(head(200), pause_s=0.02), tls=authority.server(), ca_pem=authority.pem) as server:
        started_at = time.monotonic()
        with sync_client(settings_for(server, total_s=1.5)) as client, client.stream("GET", "/") as response:
            chunks = response.iter_raw()

            def read() -> None:
                for _ in chunks:
                    assert deadline.allow(99) == 99  # the caller's own work is not limited
                    time.sleep(0.1 if kind == "slow caller" else 0)

            with pytest.raises(RequestTimedOut) as raised:
                read()

    assert raised.value.fault.name == "http_deadline"
    assert raised.value.request.method == "GET"
    assert 1.4 < time.monotonic() - started_at < 1.5 + BUSY_S


def test_streams_are_covered_async(authority: Authority) -> None:
    async def read(response: httpx.Response) -> None:
        async for _ in response.aiter_raw():
            assert deadline.allow(99) == 99

    async def work(server: Server) -> None:
        async with async_client(settings_for(server, total_s=1.5)) as client, client.stream("GET", "/") as response:
            with pytest.raises(RequestTimedOut) as raised:
                await read(response)
        assert raised.value.fault.name == "http_deadline"

    with Server(drip(head(200), pause_s=0.02), tls=authority.server(), ca_pem=authority.pem) as server:
        asyncio.run(work(server))


@pytest.mark.parametrize(
    ("behaviour", "fault"),
    [
        pytest.param(servers.silent, "tls_timeout", id="tls"),
        pytest.param(None, "http_deadline", id="http"),
    ],
)
def test_the_stage_names_the_deadline(
    mode: Mode, authority: Authority, behaviour: servers.Behaviour | None, fault: str
) -> None:
    tls = None if behaviour else authority.server()
    with Server(behaviour or servers.silent, tls=tls, ca_pem=authority.pem) as server:
        ended = exchange(mode, settings_for(server, total_s=1.5))

    assert ended.fault == fault
    assert ended.elapsed_s < BUSY_S


def test_an_outer_deadline_covers_several_exchanges(authority: Authority) -> None:
    with Server(drip(head(200)), tls=authority.server(), ca_pem=authority.pem) as server:
        started_at = time.monotonic()
        with sync_client(settings_for(server, total_s=30)) as client, deadline.within(0.5):
            for _ in range(3):
                with pytest.raises(RequestTimedOut):
                    client.get("/")
        elapsed_s = time.monotonic() - started_at

    assert elapsed_s < BUSY_S


def test_a_deadline_that_has_passed(mode: Mode, authority: Authority) -> None:
    with Server(answer(), tls=authority.server(), ca_pem=authority.pem) as server, deadline.within(0):
        ended = exchange(mode, settings_for(server))

    assert ended.fault == "http_deadline"
    assert server.connections == 0


def test_deadlines_of_threads_and_tasks_are_their_own() -> None:
    async def task(total_s: float) -> float | None:
        with deadline.within(total_s):
            await asyncio.sleep(0.01)
            return deadline.allow(None)

    async def work() -> list[float | None]:
        return await asyncio.gather(*(task(total_s) for total_s in (1, 100)))

    short, long = asyncio.run(work())
    assert short is not None
    assert long is not None
    assert short <= 1
    assert long > 50
    seen: list[float | None] = []
    with deadline.within(1):
        thread = threading.Thread(target=lambda: seen.append(deadline.allow(None)))
        thread.start()
        thread.join()
    assert seen == [None]


def test_allow() -> None:
    assert deadline.allow(None) is None
    assert deadline.allow(5) == 5
    assert not deadline.is_spent()
    with deadline.within(20), deadline.within(100):
        assert deadline.allow(1) == 1
        assert 10 < (deadline.allow(50) or 0) <= 20
    with deadline.within(0):
        assert deadline.is_spent()
        with pytest.raises(TimeoutError):
            deadline.allow(1)
    with pytest.raises(TimeoutError):  # to a socket, 0 means: do not block
        deadline.allow(0)


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # httpcore leaves the upload to the collector
def test_a_server_that_takes_nothing(mode: Mode, authority: Authority) -> None:
    with Server(servers.silent, tls=authority.server(), ca_pem=authority.pem) as server:
        settings = settings_for(server, write_s=0.3)
        ended = exchange(mode, settings, method="POST", content=bytes(50_000_000))

    assert ended.fault == "http_timeout"
    assert ended.elapsed_s < BUSY_S


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # httpcore leaves the upload to the collector
def test_a_server_that_answers_early(mode: Mode, authority: Authority) -> None:
    def early(connection: servers.Connection) -> None:
        connection.sock.recv(1000)
        connection.send(head(413, ["Content-Length: 5", "Connection: close"]) + b"large")
        connection.pause(0.3)

    with Server(early, tls=authority.server(), ca_pem=authority.pem) as server:
        ended = exchange(mode, settings_for(server), method="POST", content=bytes(30_000_000))

    # what the server said may be lost with the RST that follows; a hang or a traceback would be wrong
    assert ended.error is None or isinstance(ended.error, httpx.TransportError)
    assert ended.elapsed_s < BUSY_S


@pytest.mark.parametrize(("total_s", "fault"), [(9, "http_timeout"), (0.2, "http_deadline")])
def test_busy_pool(monkeypatch: pytest.MonkeyPatch, authority: Authority, total_s: float, fault: str) -> None:
    monkeypatch.setattr(transport_base, "_CONNECTIONS", 2)
    server = Server(servers.silent, tls=authority.server(), ca_pem=authority.pem)
    with server, sync_client(settings_for(server, pool_s=0.3, read_s=2)) as client:
        threads = [threading.Thread(target=lambda: _ignore(client)) for _ in range(2)]
        for thread in threads:
            thread.start()
        while server.connections < 2:
            time.sleep(0.01)
        with pytest.raises(RequestTimedOut) as raised, deadline.within(total_s):
            client.get("/")
        for thread in threads:
            thread.join()

    assert raised.value.fault.name == fault
    assert not raised.value.sent


def _ignore(client: httpx.Client) -> None:
    with pytest.raises(RequestTimedOut):
        client.get("/")


def test_many_requests_reuse_one_connection(authority: Authority) -> None:
    server = Server(answer(), tls=authority.server(), ca_pem=authority.pem)
    with server, sync_client(settings_for(server)) as client:
        for _ in range(5):
            client.get("/")

    assert server.connections == 1


class TimeLimit(Exception):
    """As Celery's `SoftTimeLimitExceeded`, which a signal handler raises anywhere."""


def raise_at_the_end_of(code: CodeType) -> None:
    """Let `TimeLimit` be raised as a function returns, once: what a signal does by chance."""

    def trace(frame: FrameType, event: str, _argument: object) -> TraceFunction | None:
        if frame.f_code is code and event == "return":
            sys.settrace(None)
            raise TimeLimit
        return trace if frame.f_code is code or event == "call" else None

    sys.settrace(trace)


@pytest.mark.skipif(sys.gettrace() is not None, reason="another tool traces this process")
def test_a_deadline_whose_block_was_never_entered_ends_with_it(authority: Authority) -> None:
    with (
        Server(answer(), tls=authority.server(), ca_pem=authority.pem) as server,
        sync_client(settings_for(server, total_s=0.5)) as client,
    ):
        client.get("/")
        raise_at_the_end_of(deadline.until.__enter__.__code__)
        try:
            client.get("/")
            pytest.fail("nothing was raised")
        except TimeLimit:
            pass
        finally:
            sys.settrace(None)
        time.sleep(0.6)  # longer than that deadline
        assert client.get("/").status_code == 200
        with sync_client(settings_for(server)) as another:
            assert another.get("/").status_code == 200
