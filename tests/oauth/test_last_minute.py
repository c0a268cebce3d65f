"""The last minute of an access token, in which it is renewed: a renewal that fails does not fail requests that the token still covers."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from connform.auth.oauth import renewed_credential
from connform.auth.oauth.credential import GrantCredential
from connform.database.memory import MemoryStore
from connform.errors import ConnectionFailed
from connform.grant import Grant
from connform.http import async_client, sync_client
from connform.http.credential import NO_LINES
from connform.http.net import deadline
from connform.http.settings import Network
from tests.end_to_end.conftest import Issuer
from tests.http.exchanging import asking, authorization, settings_for
from tests.http.servers import Behaviour, Connection, Server, answer
from tests.oauth.setting import Setting, after, body, error, fault_of, grant

PRESENT = authorization("Bearer old")
NOWHERE = Network(route=lambda _host, _port: ("127.0.0.1", 1))


class Clock:
    """The monotonic clock of a credential, moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(renewed_credential, "monotonic", clock)
    return clock


@pytest.fixture
def last_minute(setting: Setting) -> Setting:
    """A grant whose access token is valid for another half minute, too little to be called fresh."""
    setting.keep(ending_in(30))
    return setting


def ending_in(seconds: float) -> Grant:
    now = datetime.now(UTC)
    return grant(obtained_at=now - timedelta(hours=1), expires_at=now + timedelta(seconds=seconds))


def cut(connection: Connection) -> None:
    connection.read_request()
    connection.reset()


PASSING: dict[str, Behaviour] = {
    "a server error": answer(b"", status=500),
    "a gateway": answer(b"<html>", status=503),
    "too many requests": answer(b"", "Retry-After: 30", status=429),
    "a firewall": answer(b"<html>", status=403),
    "the answer is lost": cut,
    "a success without tokens": answer(b"<html>"),
}


@pytest.mark.parametrize("case", PASSING)
def test_a_renewal_that_fails_is_tried_again_while_the_present_token_is_used(
    last_minute: Setting, clock: Clock, case: str
) -> None:
    last_minute.server.behaviour = PASSING[case]
    credential = last_minute.credential()
    for _ in range(20):
        assert credential.renew() == credential.headers() == PRESENT
    assert len(last_minute.server.requests) == 1
    clock.now += 5
    assert credential.headers() == NO_LINES


def test_an_endpoint_that_is_not_reached_is_tried_again_every_five_seconds(last_minute: Setting, clock: Clock) -> None:
    asked: list[str] = []

    def route(host: str, _port: int) -> tuple[str, int]:
        asked.append(host)
        return "127.0.0.1", 1 if len(asked) < 3 else last_minute.server.port

    network = Network(route=route, ca_pem=last_minute.server.ca_pem)
    credential = last_minute.credential(network=network)
    for tries in (1, 2):
        for _ in range(20):
            assert credential.renew() == PRESENT
        assert len(asked) == tries
        clock.now += 5
    assert credential.renew() == authorization("Bearer new")


def test_a_lock_that_somebody_else_holds_costs_a_moment(last_minute: Setting) -> None:
    credential = last_minute.credential()
    with last_minute.store.lock("customer", 1), deadline.within(0.4):
        assert credential.renew() == PRESENT


def test_a_database_that_is_away_leaves_the_token_in_memory(
    last_minute: Setting, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    last_minute.server.behaviour = answer(b"", status=500)
    credential = last_minute.credential()
    assert credential.renew() == PRESENT
    clock.now += 5

    def fail(*_: object) -> None:
        raise ConnectionFailed("store_unavailable", "the database is away")

    monkeypatch.setattr(MemoryStore, "read", fail)
    assert credential.renew() == PRESENT


def test_a_slow_endpoint_costs_a_moment_and_its_answer_is_used(
    last_minute: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(renewed_credential, "_MOMENT_S", 0.05)
    last_minute.server.behaviour = after(0.5, body())
    credential = last_minute.credential()
    with deadline.within(20):
        assert credential.renew() == PRESENT
    until = time.monotonic() + 20
    while credential.headers() == PRESENT and time.monotonic() < until:
        time.sleep(0.01)
    assert credential.headers() == authorization("Bearer new")
    assert len(last_minute.server.requests) == 1


def test_the_failure_is_raised_once_the_token_has_ended_or_is_refused(last_minute: Setting) -> None:
    last_minute.server.behaviour = answer(b"", status=500)
    now = datetime.now(UTC)
    credential = last_minute.credential(clock=lambda: now)
    assert credential.renew() == PRESENT
    with pytest.raises(ConnectionFailed) as caught:
        credential.renew(PRESENT)
    assert caught.value.fault.name == "token_endpoint_unavailable"
    now += timedelta(seconds=31)
    assert credential.headers() == NO_LINES
    assert fault_of(credential) == "token_endpoint_unavailable"


REFUSALS: dict[str, tuple[Behaviour, str]] = {
    "the grant": (error("invalid_grant"), "login_required"),
    "the app": (error("invalid_client", 401), "client_credentials_rejected"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_the_server_refuses_for_good_is_said_at_once(last_minute: Setting, case: str) -> None:
    last_minute.server.behaviour, fault = REFUSALS[case]
    credential = last_minute.credential()
    assert [fault_of(credential) for _ in range(2)] == [fault] * 2
    assert credential.headers() == NO_LINES
    assert fault_of(last_minute.credential()) == fault


def test_a_lost_answer_that_had_spent_the_token_is_said_at_once(last_minute: Setting, clock: Clock) -> None:
    last_minute.server.behaviour = cut
    credential = last_minute.credential()
    assert credential.renew() == PRESENT
    clock.now += 5
    last_minute.server.behaviour = error("invalid_grant")
    assert fault_of(credential) == "refresh_interrupted"
    assert fault_of(credential) == "refresh_interrupted"


def test_a_logout_is_said_at_once(last_minute: Setting, clock: Clock) -> None:
    last_minute.server.behaviour = answer(b"", status=500)
    credential = last_minute.credential()
    assert credential.renew() == PRESENT
    clock.now += 5
    last_minute.store.grants.clear()
    assert fault_of(credential) == "login_required"


def test_a_token_of_another_app_is_not_used(last_minute: Setting) -> None:
    assert fault_of(last_minute.credential("another")) == "login_required"


def test_a_token_that_cannot_be_renewed_is_used_to_its_end(last_minute: Setting) -> None:
    last_minute.keep(ending_in(30)._replace(refresh_token=None))
    now = datetime.now(UTC)
    credential = last_minute.credential(clock=lambda: now)
    assert credential.renew() == PRESENT
    now += timedelta(seconds=31)
    assert fault_of(credential) == "login_required"


@pytest.mark.parametrize("make", [sync_client, async_client])
def test_requests_succeed_while_their_token_is_valid(
    last_minute: Setting, authority: Issuer, make: Callable[..., httpx.Client | httpx.AsyncClient]
) -> None:
    def accepts_the_present_token(connection: Connection) -> None:
        while request := connection.read_request():
            known = b"Bearer old" in request
            connection.send(b"HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n" % (200 if known else 401))

    credential: GrantCredential = last_minute.credential(network=NOWHERE)
    with (
        Server(accepts_the_present_token, tls=authority.server(), ca_pem=authority.pem) as api,
        asking(make(settings_for(api, credential=credential))) as ask,
    ):
        assert [ask() for _ in range(3)] == [200] * 3
