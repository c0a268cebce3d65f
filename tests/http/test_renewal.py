"""A credential that ends: renewed before it is sent, or when the server refuses it."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from itertools import count

import anyio.to_thread
import httpx
import pytest

from connform.errors import ConnectionFailed
from connform.http import async_client, sync_client
from connform.http.credential import NO_LINES, Credential, HeaderLines
from tests.http.exchanging import Mode, authorization, exchange, settings_for
from tests.http.servers import Authority, Connection, Server, head

OLD = authorization("Bearer old")
NEW = authorization("Bearer new")


def accepts_new(connection: Connection) -> None:
    while request := connection.read_request():
        is_new = b"Bearer new" in request
        connection.send(head(200 if is_new else 401, ["Content-Length: 2"]) + b"{}")


@pytest.fixture
def server(authority: Authority) -> Iterator[Server]:
    with Server(accepts_new, tls=authority.server(), ca_pem=authority.pem) as server:
        yield server


class Ending(Credential):
    """A credential that `renew` makes new; it notes what it was told."""

    is_renewable = True

    def __init__(self, lines: HeaderLines, renewed: HeaderLines | Callable[[], HeaderLines] = NEW) -> None:
        self._lines = lines
        self._renewed = renewed
        self.refused: list[HeaderLines] = []

    def headers(self) -> HeaderLines:
        return self._lines

    def renew(self, refused: HeaderLines = NO_LINES) -> HeaderLines:
        self.refused.append(refused)
        self._lines = self._renewed() if callable(self._renewed) else self._renewed
        return self._lines


def _fails() -> HeaderLines:
    raise ConnectionFailed("login_required", "no customer has granted access yet")


def test_one_that_has_ended_is_renewed_before_anything_is_sent(server: Server, mode: Mode) -> None:
    credential = Ending(NO_LINES)
    ended = exchange(mode, settings_for(server, credential=credential))
    assert ended.response is not None
    assert (ended.response.status_code, credential.refused, len(server.requests)) == (200, [NO_LINES], 1)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_one_that_is_refused_is_renewed_and_the_request_sent_again(server: Server, mode: Mode, method: str) -> None:
    credential = Ending(OLD)
    ended = exchange(mode, settings_for(server, credential=credential), method=method)
    assert ended.response is not None
    assert (ended.response.status_code, credential.refused, len(server.requests)) == (200, [OLD], 2)


REFUSALS = {
    "403": (head(403, ["Content-Length: 2"]), True),
    "403 with a challenge": (head(403, ["Content-Length: 2", 'WWW-Authenticate: Bearer error="invalid_token"']), True),
    "403 that speaks of scopes": (
        head(403, ["Content-Length: 2", 'WWW-Authenticate: Bearer error="insufficient_scope", scope="admin"']), False,
    ),
    "404": (head(404, ["Content-Length: 2"]), False),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSALS)
def test_a_403_may_be_about_a_token_that_has_ended(authority: Authority, mode: Mode, case: str) -> None:
    """The vendor's table of statuses may have no 401."""
    refusal, is_renewed = REFUSALS[case]

    def behave(connection: Connection) -> None:
        while request := connection.read_request():
            connection.send((head(200, ["Content-Length: 2"]) if b"Bearer new" in request else refusal) + b"{}")

    credential = Ending(OLD)
    with Server(behave, tls=authority.server(), ca_pem=authority.pem) as server:
        ended = exchange(mode, settings_for(server, credential=credential))
    assert ended.response is not None
    assert (ended.response.status_code == 200, len(credential.refused)) == (is_renewed, int(is_renewed))


def test_one_that_is_refused_again_stays_refused(server: Server, mode: Mode) -> None:
    credential = Ending(OLD, authorization("Bearer other"))
    ended = exchange(mode, settings_for(server, credential=credential, attempts=3))
    assert ended.response is not None
    assert (ended.response.status_code, len(credential.refused), len(server.requests)) == (401, 2, 2)


def test_one_that_is_another_each_time_is_renewed_twice_at_most(server: Server, mode: Mode) -> None:
    numbers = count()
    credential = Ending(OLD, lambda: authorization(f"Bearer other-{next(numbers)}"))
    ended = exchange(mode, settings_for(server, credential=credential, attempts=3))
    assert ended.response is not None
    assert (ended.response.status_code, len(credential.refused), len(server.requests)) == (401, 2, 3)


def test_where_nothing_newer_can_be_had_the_refusal_stands(server: Server, mode: Mode) -> None:
    credential = Ending(OLD, OLD)
    ended = exchange(mode, settings_for(server, credential=credential))
    assert ended.response is not None
    assert (ended.response.status_code, len(server.requests)) == (401, 1)


def test_a_body_that_streams_is_not_sent_again_but_the_next_request_has_the_new_one(server: Server) -> None:
    credential = Ending(OLD)
    ended = exchange("sync", settings_for(server, credential=credential), method="PUT", content=iter([b"x"]))
    assert ended.response is not None
    assert (ended.response.status_code, credential.headers()) == (401, NEW)


@pytest.mark.parametrize("lines", [NO_LINES, OLD], ids=["ended", "refused"])
def test_what_is_in_the_way_of_a_renewal_reaches_the_caller(server: Server, mode: Mode, lines: HeaderLines) -> None:
    assert exchange(mode, settings_for(server, credential=Ending(lines, _fails))).fault == "login_required"


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_more_failed_renewals_than_the_pool_has_connections_leave_a_client_that_works(
    server: Server, mode: Mode
) -> None:
    left = iter(range(110))  # its pool has 100

    def seldom() -> HeaderLines:
        return _fails() if next(left, None) is not None else NEW

    settings = settings_for(server, credential=Ending(OLD, seldom))

    async def ask() -> list[str | int]:
        async with async_client(settings) as client:
            return [await _ending(client.get("/")) for _ in range(111)]

    if mode == "async":
        seen = asyncio.run(ask())
    else:
        with sync_client(settings) as client:
            seen = [_ended(lambda: client.get("/")) for _ in range(111)]
    assert seen == ["login_required"] * 110 + [200]


def _ended(ask: Callable[[], httpx.Response]) -> str | int:
    try:
        return ask().status_code
    except ConnectionFailed as failure:
        return failure.fault.name


async def _ending(asking: Awaitable[httpx.Response]) -> str | int:
    try:
        return (await asking).status_code
    except ConnectionFailed as failure:
        return failure.fault.name


def test_the_event_loop_goes_on_while_a_credential_is_renewed(server: Server) -> None:
    def slowly() -> HeaderLines:
        time.sleep(0.5)
        return NEW

    async def ticking() -> int:
        ticks = 0
        async with async_client(settings_for(server, credential=Ending(NO_LINES, slowly))) as client:
            request = asyncio.create_task(client.get("/"))
            while not request.done():
                await asyncio.sleep(0.01)
                ticks += 1
            assert (await request).status_code == 200
        return ticks

    assert asyncio.run(ticking()) > 20


def test_requests_that_wait_for_a_renewal_leave_the_threads_of_the_program_and_of_other_clients_alone(
    server: Server,
) -> None:
    may_end = threading.Event()

    def slowly() -> HeaderLines:
        assert may_end.wait(10)
        return NEW

    async def work() -> list[int]:
        slow = settings_for(server, credential=Ending(NO_LINES, slowly), total_s=20, pool_s=20)
        quick = settings_for(server, credential=Ending(NO_LINES))
        async with async_client(slow) as client, async_client(quick) as other:
            requests = [asyncio.create_task(client.get("/")) for _ in range(45)]
            await asyncio.sleep(0.2)  # all of them wait by now
            assert (await other.get("/")).status_code == 200
            async with asyncio.timeout(5):
                await anyio.to_thread.run_sync(may_end.set)
            return [answer.status_code for answer in await asyncio.gather(*requests)]

    assert asyncio.run(work()) == [200] * 45


def test_a_cancelled_caller_leaves_a_client_that_works(server: Server) -> None:
    def slowly() -> HeaderLines:
        time.sleep(0.3)
        return NEW

    async def cancel() -> None:
        async with async_client(settings_for(server, credential=Ending(NO_LINES, slowly))) as client:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await client.get("/")
            assert (await client.get("/")).status_code == 200

    asyncio.run(cancel())
