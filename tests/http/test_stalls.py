"""A client outlives a moment in which its API answered nobody: requests that were given up keep no connection."""

from __future__ import annotations

import asyncio
import threading

import httpcore

from connform.http.client import async_client, sync_client
from connform.http.failures import RequestTimedOut
from connform.http.transport import _Pool
from tests.http.exchanging import settings_for
from tests.http.servers import Authority, Connection, Server, answer

CONNECTIONS = 100
"""Those of a client."""


class Stalling:
    """A server that answers while it may."""

    def __init__(self) -> None:
        self.may_answer = threading.Event()

    def __call__(self, connection: Connection) -> None:
        self.may_answer.wait(20)
        answer(b"{}")(connection)


def test_requests_that_are_cancelled_while_they_wait_for_a_connection(authority: Authority) -> None:
    """Where one that has a connection ends, the next in the queue gets its place, and may be cancelled at that moment."""
    api = Stalling()

    async def use(server: Server) -> list[int]:
        async with async_client(settings_for(server, pool_s=5)) as client:
            for _ in range(3):
                tasks = [asyncio.create_task(client.get("/")) for _ in range(2 * CONNECTIONS)]
                await asyncio.sleep(0.2)
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
            api.may_answer.set()
            return [(await client.get("/")).status_code for _ in range(3)]

    with Server(api, tls=authority.server(), ca_pem=authority.pem) as server:
        assert asyncio.run(use(server)) == [200] * 3


def test_a_connection_that_no_request_has_is_given_up() -> None:
    pool = _Pool(context=None, max_connections=1)
    with pool:
        lost = pool.create_connection(httpcore.Origin(b"http", b"api.example.test", 80))
        pool._connections.append(lost)  # as after the end of the request that it was given to
        pool.close_unused(idle=False)
        assert pool.connections == []


def test_requests_of_threads_that_wait_in_vain_for_a_connection(authority: Authority) -> None:
    api = Stalling()
    ended: list[object] = []

    def ask() -> None:
        try:
            ended.append(client.get("/").status_code)
        except RequestTimedOut as failure:
            ended.append(failure.fault.name)

    with (
        Server(api, tls=authority.server(), ca_pem=authority.pem) as server,
        sync_client(settings_for(server, total_s=2, pool_s=2)) as client,
    ):
        threads = [threading.Thread(target=ask) for _ in range(CONNECTIONS + 50)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert set(ended) <= {"http_deadline", "http_timeout", "tcp_timeout", "tls_timeout"}, ended
        api.may_answer.set()
        assert [client.get("/").status_code for _ in range(3)] == [200] * 3
