"""A host with several addresses, of which one leads nowhere: it costs time once, not at each connection."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from connform.http.net import dial, dial_async, dialing
from connform.http.net.resolver import Endpoint
from tests.http.exchanging import Mode, exchange, settings_for
from tests.http.servers import Authority, Server, answer

CONNECT_S = 1.0


@pytest.fixture(autouse=True)
def nothing_failed_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialing, "_FAILED_AT", {})


@pytest.fixture
def server(authority: Authority) -> Iterator[Server]:
    with Server(answer(), tls=authority.server(), ca_pem=authority.pem) as server:
        yield server


@pytest.fixture
def dead(server: Server) -> Iterator[Endpoint]:
    """An address behind a full backlog, which drops packets, as a firewall does."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.2", server.port), backlog=0))
        for _ in range(3):
            filler = stack.enter_context(socket.socket())
            filler.settimeout(0)
            filler.connect_ex(listener.getsockname())
        yield Endpoint(socket.AF_INET, ("127.0.0.2", server.port))


def test_an_address_that_was_dead_is_tried_last(
    server: Server, dead: Endpoint, mode: Mode, monkeypatch: pytest.MonkeyPatch
) -> None:
    alive = Endpoint(socket.AF_INET, ("127.0.0.1", server.port))

    async def look_up_async(*_: object) -> list[Endpoint]:
        return [dead, alive]

    monkeypatch.setattr(dialing.DialContext, "known_endpoints", lambda *_: [])
    monkeypatch.setattr(dial, "look_up", lambda *_: [dead, alive])
    monkeypatch.setattr(dial_async, "look_up_async", look_up_async)
    took_s = []
    for _ in range(3):
        began = time.monotonic()
        ended = exchange(mode, settings_for(server, connect_s=CONNECT_S))
        assert ended.response is not None, ended.error
        took_s.append(time.monotonic() - began)
    assert took_s[0] > CONNECT_S / 2
    assert max(took_s[1:]) < CONNECT_S / 2


def test_a_minute_later_it_is_tried_in_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = (Endpoint(socket.AF_INET, (address, 443)) for address in ("127.0.0.1", "127.0.0.2"))
    now = 1000.0
    monkeypatch.setattr(dialing, "monotonic", lambda: now)
    dialing.Attempts("a.example", [first, second], None).add_failure(first, OSError())
    assert [one for one, _ in dialing.Attempts("a.example", [first, second], None)] == [second, first]
    now += 61
    assert [one for one, _ in dialing.Attempts("a.example", [first, second], None)] == [first, second]
