"""What a ready client tries again, and what it must not."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from email.utils import formatdate
from typing import Any

import pytest

from connform.http import limits, retry, sync_client
from connform.http.credential import NO_LINES, HeaderLines
from connform.http.settings import Network
from tests.http.exchanging import BUSY_S, Ended, Key, Mode, exchange, settings_for
from tests.http.servers import HOST, Authority, Behaviour, Connection, Server, head, reset_in_handshake, silent

RESET = b""
SAFE_POST = "/packages/list"
FAR = "Retry-After: Tue, 01 Jan 2099 00:00:00 GMT"


def status(code: int, *headers: str) -> bytes:
    return head(code, ["Content-Length: 2", *headers]) + b"{}"


OK = status(200)


def script(*steps: bytes) -> Behaviour:
    """Answer request after request, over all connections, as the script says; the last step goes on for ever."""
    left, choosing = list(steps), threading.Lock()

    def behave(connection: Connection) -> None:
        while connection.read_request():
            with choosing:
                step = left.pop(0) if len(left) > 1 else left[0]
            if step == RESET:
                connection.reset()
                return
            connection.send(step)

    return behave


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Short pauses, and no memory of the tests before."""
    monkeypatch.setattr(retry, "_FIRST_PAUSE_S", 0.02)
    limits._WAIT_UNTIL.clear()
    yield
    limits._WAIT_UNTIL.clear()


def ask(
    authority: Authority, behaviour: Behaviour, mode: Mode, method: str, path: str, **changes: Any
) -> tuple[Ended, int]:
    """Return how a request ended, and how often the server saw it."""
    arguments = changes.pop("arguments", {})
    with Server(behaviour, tls=authority.server(), ca_pem=authority.pem) as server:
        settings = settings_for(server, attempts=3, safe_posts=frozenset({SAFE_POST}), **changes)
        ended = exchange(mode, settings, path, method, **arguments)
        return ended, sum(request.startswith(method.encode()) for request in server.requests)


REPEATED = {
    "a read that lost its connection": ("GET", "/", RESET),
    "a read behind a broken gateway": ("GET", "/", status(502)),
    "a read of a busy service": ("GET", "/", status(503)),
    "a read that a gateway gave up": ("GET", "/", status(504)),
    "a read that came too often": ("GET", "/", status(429)),
    "a read with a rubbish Retry-After": ("GET", "/", status(503, "Retry-After: soon")),
    "a HEAD": ("HEAD", "/", RESET),
    "a POST that only reads": ("POST", SAFE_POST, RESET),
    "a POST that only reads, of a busy service": ("POST", SAFE_POST, status(503)),
    "a write that the server did not do": ("POST", "/packages/add", status(503, "Retry-After: 0")),
    "a write that came too often": ("DELETE", "/packages/1", status(429, "Retry-After: 0")),
}


@pytest.mark.parametrize("case", REPEATED)
def test_what_can_be_repeated_is(authority: Authority, mode: Mode, case: str) -> None:
    method, path, refusal = REPEATED[case]
    final = head(200, ["Content-Length: 0"]) if method == "HEAD" else OK
    ended, seen = ask(authority, script(refusal, refusal, final), mode, method, path)
    assert ended.response is not None, ended.error
    assert (ended.response.status_code, seen) == (200, 3)


STANDS = {
    "a write that lost its connection": ("POST", "/packages/add", RESET),
    "a write behind a broken gateway": ("PUT", "/packages/1", status(502)),
    "a write of a busy service that says no more": ("POST", "/packages/add", status(503)),
    "a write with a rubbish Retry-After": ("POST", "/packages/add", status(503, "Retry-After: soon")),
    "a service that failed": ("GET", "/", status(500)),
    "a resource that isn't there": ("GET", "/", status(404)),
    "a wait longer than anybody's patience": ("GET", "/", status(429, "Retry-After: 3600")),
    "a wait until the next century": ("GET", "/", status(503, FAR)),
}


@pytest.mark.parametrize("case", STANDS)
def test_what_must_not_be_repeated_stands(authority: Authority, mode: Mode, case: str) -> None:
    method, path, refusal = STANDS[case]
    ended, seen = ask(authority, script(refusal, OK), mode, method, path)
    assert seen == 1
    assert (ended.response is None) == (refusal == RESET)


def test_it_gives_up_after_the_last_attempt(authority: Authority, mode: Mode) -> None:
    ended, seen = ask(authority, script(status(503)), mode, "GET", "/")
    assert ended.response is not None
    assert (ended.response.status_code, seen) == (503, 3)


def test_a_write_is_repeated_where_nothing_was_sent(authority: Authority, mode: Mode) -> None:
    with Server(script(OK), tls=authority.server(), ca_pem=authority.pem) as server:
        ports = iter([1, server.port])  # nothing listens on port 1
        network = Network(route=lambda _host, _port: ("127.0.0.1", next(ports)), ca_pem=authority.pem)
        ended = exchange(mode, settings_for(server, attempts=3, network=network), "/packages/add", "POST")
        assert ended.response is not None, ended.error
        assert len(server.requests) == 1


def test_a_wrong_certificate_stays_wrong(authority: Authority, stranger: Authority, mode: Mode) -> None:
    with Server(script(OK), tls=stranger.server(), ca_pem=authority.pem) as server:
        assert exchange(mode, settings_for(server, attempts=1)).fault == "tls_untrusted_issuer"
        once = server.connections
        assert exchange(mode, settings_for(server, attempts=3)).fault == "tls_untrusted_issuer"
        assert server.connections == 2 * once


def test_all_attempts_share_one_deadline(authority: Authority, mode: Mode) -> None:
    ended, _ = ask(authority, silent, mode, "GET", "/", read_s=8, total_s=1.0)
    assert ended.fault in {"http_deadline", "http_timeout"}
    assert ended.elapsed_s < 1 + BUSY_S  # three attempts of their own would take 24 s


def test_a_body_that_streams_is_sent_once(authority: Authority) -> None:
    ended, seen = ask(authority, script(status(503), OK), "sync", "PUT", "/", arguments={"content": iter([b"x"])})
    assert ended.response is not None
    assert (ended.response.status_code, seen) == (503, 1)


def test_refused_answers_give_their_connections_back(authority: Authority) -> None:
    steps = [status(503), status(503), OK] * 60  # more refusals than the pool of a client has connections, 100
    with (
        Server(script(*steps), tls=authority.server(), ca_pem=authority.pem) as server,
        sync_client(settings_for(server, attempts=3)) as client,
    ):
        assert [client.get("/").status_code for _ in range(60)] == [200] * 60


def test_pauses_differ_between_callers() -> None:
    pauses = {retry.after_answer(503, None, 1, safe=True, longest_s=60) for _ in range(10)}
    assert len(pauses) == 10


# A rate limit is remembered for its origin, path and credential.

LIMITED = status(429, "Retry-After: 2")
LIMITED_FOR_LONG = status(429, "Retry-After: 30")


def learn(server: Server, **changes: float) -> None:
    """Be told to wait, by a client that has no time for it."""
    ended = exchange("sync", settings_for(server, attempts=3, total_s=1.9, **changes))
    assert ended.response is not None
    assert ended.response.status_code == 429


def test_a_thousand_callers_wait_for_what_one_was_told(authority: Authority) -> None:
    with Server(script(LIMITED, OK), tls=authority.server(), ca_pem=authority.pem) as server:
        learn(server)
        settings = settings_for(server, attempts=3)
        ended: list[Ended] = []
        threads = [threading.Thread(target=lambda: ended.append(exchange("sync", settings))) for _ in range(40)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert all(one.response is not None and one.response.status_code == 200 for one in ended)
        assert min(one.elapsed_s for one in ended) > 0.5
        assert len(server.requests) == 41


def test_who_has_no_time_is_told_until_when_and_sends_nothing(authority: Authority, mode: Mode) -> None:
    with Server(script(LIMITED_FOR_LONG, OK), tls=authority.server(), ca_pem=authority.pem) as server:
        learn(server)
        ended = exchange(mode, settings_for(server, attempts=3, total_s=20))
        assert ended.fault == "rate_limited"
        assert "asked to wait: nothing is sent to this path until 20" in str(ended.error)
        assert (len(server.requests), ended.elapsed_s < BUSY_S) == (1, True)


def test_another_credential_another_path_and_another_host_need_not_wait(authority: Authority) -> None:
    context = authority.server()
    with (
        Server(script(LIMITED_FOR_LONG, OK), tls=context, ca_pem=authority.pem) as server,
        Server(script(OK), tls=authority.server(HOST, "other.example"), ca_pem=authority.pem) as other,
    ):
        learn(server)
        for settings in (
            settings_for(server, attempts=3, credential=Key((b"api_key", b"another"))),
            settings_for(other, attempts=3, base_url="https://other.example"),
        ):
            ended = exchange("sync", settings)
            assert ended.response is not None, ended.error
        ended = exchange("sync", settings_for(server, attempts=3), "/cheap")
        assert ended.response is not None, ended.error


def test_a_service_that_was_away_limits_no_later_request(authority: Authority, mode: Mode) -> None:
    """A 503 is no rate limit: a maintenance page, or one bad node behind a balancer."""
    with Server(script(status(503, "Retry-After: 3600"), OK), tls=authority.server(), ca_pem=authority.pem) as server:
        for code in (503, 200):
            ended = exchange(mode, settings_for(server, attempts=3))
            assert ended.response is not None, ended.error
            assert ended.response.status_code == code


@pytest.mark.parametrize("ahead_s", [600, -600])
def test_a_date_counts_from_the_servers_own_clock(authority: Authority, ahead_s: int) -> None:
    its_time = time.time() + ahead_s
    refusal = status(
        429, f"Date: {formatdate(its_time, usegmt=True)}", f"Retry-After: {formatdate(its_time + 1, usegmt=True)}"
    )
    ended, seen = ask(authority, script(refusal, OK), "sync", "GET", "/")
    assert ended.response is not None, ended.error
    assert (ended.response.status_code, seen) == (200, 2)
    assert 1 <= ended.elapsed_s < 1 + BUSY_S


@pytest.mark.parametrize(("changes", "remembered_s"), [({}, 60), ({"retry_after_max_s": 7200.0}, 7200)])
def test_a_limit_until_the_next_century_is_forgotten_after_a_minute_or_what_the_settings_say(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, changes: dict[str, float], remembered_s: int
) -> None:
    with Server(script(status(429, FAR), OK), tls=authority.server(), ca_pem=authority.pem) as server:
        learn(server, **changes)
        settings = settings_for(server, attempts=3, total_s=5, **changes)
        for later_s, seen in ((remembered_s / 2, 1), (remembered_s + 1, 2)):
            now = time.monotonic() + later_s
            monkeypatch.setattr(limits, "monotonic", lambda now=now: now)
            ended = exchange("sync", settings)
            assert (ended.response is not None, len(server.requests)) == (seen == 2, seen)


class Renewed(Key):
    """A key that was renewed: the same account, another line."""

    def renew(self, refused: HeaderLines = NO_LINES) -> HeaderLines:
        raise AssertionError(refused)


def test_a_renewed_credential_still_has_to_wait(authority: Authority, mode: Mode) -> None:
    with Server(script(LIMITED_FOR_LONG, OK), tls=authority.server(), ca_pem=authority.pem) as server:
        for account, token, fault in (
            ("customer", b"old", None),
            ("customer", b"new", "rate_limited"),
            ("neighbour", b"other", None),
        ):
            credential = Renewed((b"Authorization", b"Bearer " + token))
            settings = settings_for(server, attempts=3, total_s=5, credential=credential, account=account)
            ended = exchange(mode, settings)
            assert (ended.fault if ended.error else None) == fault
        assert len(server.requests) == 2


@pytest.mark.parametrize("code", [429, 503])
@pytest.mark.parametrize(("retry_after_max_s", "seen"), [(0.5, 1), (1.0, 2)])
def test_a_request_waits_no_longer_than_the_settings_say(
    authority: Authority, mode: Mode, code: int, retry_after_max_s: float, seen: int
) -> None:
    steps = script(status(code, "Retry-After: 1"), OK)
    _, asked = ask(authority, steps, mode, "GET", "/", retry_after_max_s=retry_after_max_s)
    assert asked == seen


def test_a_single_attempt_asks_whatever_was_said(authority: Authority) -> None:
    with Server(script(LIMITED, OK), tls=authority.server(), ca_pem=authority.pem) as server:
        learn(server)
        assert exchange("sync", settings_for(server, attempts=1)).response is not None
        assert len(server.requests) == 2


def test_a_reset_is_not_repeated_where_one_attempt_is_all(authority: Authority, mode: Mode) -> None:
    with Server(reset_in_handshake, ca_pem=authority.pem) as server:
        assert isinstance(exchange(mode, settings_for(server, attempts=1)).error, Exception)
        assert server.connections == 1
