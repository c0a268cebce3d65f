"""A host with several addresses: they are tried side by side, and one that leads nowhere costs a moment, once."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from connform.http import ClientSettings, Network, RequestFailed, async_client
from connform.http.net import deadline, race
from connform.http.net.resolver import Endpoint
from connform.http.net.steps import BLOCK, Ready, Steps, run
from tests.http.exchanging import BUSY_S, Ended, Mode, exchange, settings_for
from tests.http.servers import HOST, Authority, Server, answer
from tests.ports import free_ports, silent_port

FIRST, SECOND = (Endpoint(socket.AF_INET, (address, 443)) for address in ("192.0.2.1", "192.0.2.2"))
SOON_S = 5.0
"""A connection that waits for no time-out; those are 20 s or more."""
Resolve = Callable[..., None]


@pytest.fixture(autouse=True)
def nothing_failed_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(race, "_AVOIDED_SINCE", {})


@pytest.fixture
def server(authority: Authority) -> Iterator[Server]:
    with Server(answer(), tls=authority.server(), ca_pem=authority.pem) as server:
        yield server


@pytest.fixture
def resolve(monkeypatch: pytest.MonkeyPatch) -> Resolve:
    """The function that sets the addresses of every host."""

    def resolve(*endpoints: Endpoint) -> None:
        found = [(family, socket.SOCK_STREAM, 6, "", address) for family, address in endpoints]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)

    return resolve


def at(address: str, port: int) -> Endpoint:
    return Endpoint(socket.AF_INET, (address, port))


def settings(server: Server, **changes: object) -> ClientSettings:
    return settings_for(
        server, base_url=f"https://{HOST}:{server.port}", network=Network(ca_pem=server.ca_pem), **changes
    )


def test_silent_addresses_cost_a_moment_the_first_time_alone(
    server: Server, resolve: Resolve, mode: Mode, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent, alive = [at(f"127.0.0.{number}", server.port) for number in (2, 3)], at("127.0.0.1", server.port)
    resolve(*silent, alive)

    def use() -> Ended:
        ended = exchange(mode, settings(server))
        assert ended.response is not None, ended.error
        assert ended.notes.stages["tcp"] == {"address": str(alive)}
        return ended

    with silent_port("127.0.0.2", server.port), silent_port("127.0.0.3", server.port):
        first = use()
        monkeypatch.setattr(race, "_DELAY_S", 20.0)
        second = use()
    assert 2 * 0.25 < first.elapsed_s < SOON_S
    assert second.elapsed_s < SOON_S
    assert race._AVOIDED_SINCE.keys() == {*silent}


def test_after_a_refusal_the_next_address_is_tried_at_once(
    server: Server, resolve: Resolve, mode: Mode, monkeypatch: pytest.MonkeyPatch
) -> None:
    (closed,) = free_ports(1)
    monkeypatch.setattr(race, "_DELAY_S", 20.0)
    resolve(at("127.0.0.1", closed), at("127.0.0.1", server.port))
    ended = exchange(mode, settings(server))

    assert ended.response is not None, ended.error
    assert ended.elapsed_s < SOON_S


@pytest.mark.parametrize("limit", ["connect_s", "total_s"])
def test_the_time_limits_hold(server: Server, resolve: Resolve, mode: Mode, limit: str) -> None:
    resolve(at("127.0.0.2", server.port), at("127.0.0.3", server.port))
    with silent_port("127.0.0.2", server.port), silent_port("127.0.0.3", server.port):
        ended = exchange(mode, settings(server, **{limit: 0.5}))

    assert ended.fault == "tcp_timeout"
    assert f"127.0.0.2:{server.port}" in str(ended.error)
    assert 0.4 < ended.elapsed_s < 0.5 + BUSY_S


def test_what_all_addresses_said(server: Server, resolve: Resolve, mode: Mode) -> None:
    closed, other = free_ports(2)
    resolve(at("127.0.0.1", closed), at("127.0.0.1", other))
    ended = exchange(mode, settings(server))
    assert isinstance(ended.error, RequestFailed)
    assert ended.error.message == f"{HOST} (127.0.0.1:{closed}) refused the connection"


def test_a_cancelled_request_closes_its_sockets(
    server: Server, resolve: Resolve, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[socket.socket] = []
    begin = race._begin

    def note(endpoint: Endpoint) -> socket.socket:
        begun.append(begin(endpoint))
        return begun[-1]

    async def use() -> None:
        async with async_client(settings(server)) as client:
            task = asyncio.create_task(client.get("/"))
            while len(begun) < 2:  # noqa: ASYNC110  (another module fills it)
                await asyncio.sleep(0.01)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    monkeypatch.setattr(race, "_begin", note)
    resolve(at("127.0.0.2", server.port), at("127.0.0.3", server.port))
    with silent_port("127.0.0.2", server.port), silent_port("127.0.0.3", server.port):
        asyncio.run(use())
    assert [sock.fileno() for sock in begun] == [-1, -1]


class Race:
    """A race whose clock and sockets a test controls."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *endpoints: Endpoint) -> None:
        self.now = 1000.0
        self.begun: dict[Endpoint, socket.socket] = {}
        monkeypatch.setattr(race, "monotonic", lambda: self.now)
        monkeypatch.setattr(deadline, "monotonic", lambda: self.now)
        monkeypatch.setattr(race, "_begin", lambda endpoint: self.begun.setdefault(endpoint, socket.socket()))
        self.steps: Steps[tuple[socket.socket, Endpoint]] = race.connect("a.example", [*endpoints], 5.0)
        self.step = self._ready(next(self.steps))

    def _ready(self, step: object) -> Ready:
        assert isinstance(step, Ready)
        return step

    def wait(self, *ready: Endpoint) -> None:
        """Let the time of the step pass, or some addresses answer."""
        self.now = self.now if ready else self.step.ends_at
        self.step = self._ready(self.steps.send([self.begun[endpoint] for endpoint in ready]))


def test_the_slower_of_two_may_still_win(monkeypatch: pytest.MonkeyPatch) -> None:
    """It isn't avoided, nor is the one that began later and could not have been faster."""
    attempts = Race(monkeypatch, FIRST, SECOND)
    assert attempts.step.ends_at == pytest.approx(1000.25)
    attempts.wait()
    assert [*attempts.step.sockets] == [*attempts.begun.values()]
    assert attempts.step.ends_at == pytest.approx(1005.0)
    with closing(attempts.begun[FIRST]), pytest.raises(StopIteration) as won:
        attempts.wait(FIRST)
    assert won.value.value == (attempts.begun[FIRST], FIRST)
    assert attempts.begun[SECOND].fileno() == -1
    assert race._AVOIDED_SINCE == {}


def test_an_address_that_was_overtaken_comes_last_for_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    attempts = Race(monkeypatch, FIRST, SECOND)
    attempts.wait()
    with closing(attempts.begun[SECOND]), pytest.raises(StopIteration):
        attempts.wait(SECOND)
    assert race._in_order([FIRST, SECOND]) == [SECOND, FIRST]
    attempts.now += 61
    assert race._in_order([FIRST, SECOND]) == [FIRST, SECOND]


def test_a_short_time_out_is_shared_between_the_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    endpoints = [at(f"192.0.2.{number}", 443) for number in range(40)]
    attempts = Race(monkeypatch, *endpoints)
    while attempts.step.ends_at < 1005:
        attempts.wait()
    attempts.steps.close()
    assert [*attempts.begun] == endpoints


def test_the_families_take_turns() -> None:
    four = [at(f"192.0.2.{number}", 443) for number in range(3)]
    six = [Endpoint(socket.AF_INET6, (f"2001:db8::{number}", 443, 0, 0)) for number in range(2)]
    assert race._in_order([*six, *four]) == [six[0], four[0], six[1], four[1], four[2]]


def test_a_host_without_addresses() -> None:
    with pytest.raises(RequestFailed) as raised:
        run(race.connect("a.example", [], 5.0), BLOCK)
    assert raised.value.fault.name == "dns_no_such_host"
