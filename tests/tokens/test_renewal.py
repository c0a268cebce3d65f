"""When a token is obtained, and when the stored one is used."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest

from connform.auth.oauth import renewed_credential
from connform.auth.oauth.renewal_thread import wait_for_renewals
from connform.auth.oauth.renewed_credential import RenewedCredential
from connform.auth.tokens.interface import binding_text
from connform.auth.tokens.renewal import issued_credential
from connform.database.memory import MemoryTokens
from connform.errors import ConnectionFailed
from connform.http.credential import NO_LINES, HeaderLines
from connform.http.net import deadline
from connform.issued_token import IssuedToken, TokenFacts
from connform.secret import Secret
from tests.canary import API_KEY, assert_no_canary
from tests.forking import forked
from tests.ports import free_ports
from tests.tokens.method import Request, lines
from tests.tokens.service import Service
from tests.tokens.setting import credential

_STORED = "stored-token"


class Case(NamedTuple):
    """A token in the store, and what comes of it."""

    age_s: float = 600
    left_s: float | None = 3000
    audience: str = "orders"
    is_refused: bool = False
    is_used: bool = True


CASES = {
    "fresh": Case(),
    "without a known end": Case(left_s=None),
    "about to end": Case(left_s=30, is_used=False),
    "ended": Case(left_s=-1, is_used=False),
    "issued for another audience": Case(audience="invoices", is_used=False),
    "refused": Case(is_refused=True, is_used=False),
    "refused, without a known end": Case(left_s=None, is_refused=True, is_used=False),
    "refused though it is new": Case(age_s=5, is_refused=True),
    "refused, of a clock that was set back": Case(age_s=-600, is_refused=True, is_used=False),
}


def stored(store: MemoryTokens, service: Service, case: Case) -> HeaderLines:
    now = datetime.now(UTC)
    ends_at = None if case.left_s is None else now + timedelta(seconds=case.left_s)
    facts = TokenFacts(now - timedelta(seconds=case.age_s), ends_at, ("orders",))
    binding = binding_text(Request(service.token_url, Secret(""), case.audience))
    store.write(IssuedToken("shop", binding, Secret(_STORED), facts))
    return lines(Secret(_STORED))


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_stored_token_is_used_unless_it_ends_was_refused_or_is_for_something_else(
    service: Service, case: Case
) -> None:
    store = MemoryTokens()
    present = stored(store, service, case)
    obtained = credential(service, store).renew(present if case.is_refused else NO_LINES)
    assert (obtained == present, len(service.called_at)) == (case.is_used, int(not case.is_used))


def test_a_new_token_is_stored_with_what_it_was_issued_for(service: Service) -> None:
    store = MemoryTokens()
    sending = credential(service, store)
    assert (sending.headers(), sending.facts) == (NO_LINES, None)
    before = datetime.now(UTC)
    sending.renew()
    token = store.read("shop")
    assert token is not None
    assert token.binding == f'{{"parameters":{{"audience":"orders"}},"token_url":"{service.token_url}"}}'
    assert token.facts == sending.facts
    assert token.facts.scopes == ("orders",)
    assert token.facts.expires_at == token.facts.obtained_at + timedelta(seconds=3600)
    assert before <= token.facts.obtained_at <= datetime.now(UTC)
    assert sending.headers() == lines(token.access_token)


def test_a_token_of_an_earlier_secret_is_not_used_by_its_successor(service: Service) -> None:
    """The version of a reference is part of the binding; here, the audience stands for it."""
    store = MemoryTokens()
    for audience in ("first", "second", "second"):
        credential(service, store, audience=audience).renew()
    assert len(service.called_at) == 2


def test_a_short_token_that_was_just_issued_is_sent(service: Service) -> None:
    """Although it ends sooner than a token that is kept may."""
    service.lifetime_s = 0.001
    assert credential(service, MemoryTokens()).renew()


def failure_of(sending: RenewedCredential) -> ConnectionFailed:
    with pytest.raises(ConnectionFailed) as caught, deadline.within(20):
        sending.renew()
    assert_no_canary(caught.value.message, caught.value.hint, repr(caught.value))
    return caught.value


REFUSALS: dict[str, tuple[int, dict[str, str], str]] = {
    "the client": (401, {"error": "invalid_client", "error_description": API_KEY}, "client_credentials_rejected"),
    "a server error": (500, {}, "token_endpoint_unavailable"),
    "no token": (200, {"hello": API_KEY}, "token_endpoint_unavailable"),
    "a token with a line break": (200, {"access_token": f"{API_KEY}\n"}, "token_endpoint_unavailable"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_an_endpoint_that_refuses_is_left_alone_for_a_while(service: Service, case: str) -> None:
    *refusal, fault = REFUSALS[case]
    service.refusals += [(refusal[0], refusal[1])] * 5  # type: ignore[list-item]
    sending = credential(service, MemoryTokens())
    first = failure_of(sending)
    assert first.fault.name == fault
    again = failure_of(sending)
    assert (again.fault.name, "it is not asked again for" in again.message) == (fault, True)
    assert len(service.called_at) == 1


def test_a_token_that_can_not_be_sent_is_not_stored(service: Service) -> None:
    """Everybody would read it until it ends."""
    store = MemoryTokens()
    request = Request(service.token_url, Secret(API_KEY))

    def refuse(_: Secret) -> HeaderLines:
        raise ConnectionFailed("secret_malformed", "it holds a space")

    sending = issued_credential("shop", request, store, refuse, "")
    assert failure_of(sending).fault.name == "secret_malformed"
    assert "not asked again" in failure_of(sending).message
    assert (store.read("shop"), len(service.called_at)) == (None, 1)


def test_an_endpoint_that_was_not_reached_is_asked_again_at_once(service: Service) -> None:
    sending = credential(service, MemoryTokens(), token_url=f"http://127.0.0.1:{free_ports(1)[0]}/token")
    for _ in range(2):
        failure = failure_of(sending)
        assert (failure.fault.name, "not asked again" in failure.message) == ("tcp_refused", False)


def test_a_rejected_client_is_said_at_once_although_the_token_is_good_for_a_moment(service: Service) -> None:
    """Its secret is read again then."""
    store = MemoryTokens()
    sending = credential(service, store)
    present = stored(store, service, Case(left_s=3000))
    assert sending.renew() == present
    stored(store, service, Case(left_s=30))
    sending = credential(service, store)
    service.refusals.append((401, {"error": "invalid_client"}))
    assert failure_of(sending).fault.name == "client_credentials_rejected"


def test_a_failing_endpoint_leaves_the_present_token_in_use(service: Service) -> None:
    moments = [datetime.now(UTC)]
    sending = credential(service, MemoryTokens(), clock=lambda: moments[-1])
    first = sending.renew()
    moments.append(moments[0] + timedelta(seconds=3570))  # half a minute is left
    service.refusals.append((503, {}))
    assert sending.renew() == first
    assert sending.headers() == first
    assert len(service.called_at) == 2


def test_a_caller_that_gives_up_leaves_the_answer_to_the_next(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(renewed_credential, "_MOMENT_S", 0.05)
    service.may_answer.clear()
    sending = credential(service, MemoryTokens())
    with pytest.raises(ConnectionFailed, match="is still being obtained") as caught, deadline.within(0.3):
        sending.renew()
    assert caught.value.fault.name == "token_endpoint_unavailable"
    service.may_answer.set()
    wait_for_renewals()
    assert sending.headers() == lines(Secret(service.issued[0]))


@pytest.mark.parametrize("is_one_credential", [True, False], ids=["one credential", "one each"])
def test_threads_share_one_call(service: Service, *, is_one_credential: bool) -> None:
    """Also those of several clients, which find the token in the memory of the process."""
    store = MemoryTokens()
    shared = credential(service, store)
    start = threading.Barrier(16)

    def call(_: int) -> list[tuple[bytes, bytes]]:
        sending = shared if is_one_credential else credential(service, store)
        start.wait(20)
        return sending.renew().reveal()

    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(call, range(16)))
    assert len(service.called_at) == 1
    assert answers == [lines(Secret(service.issued[0])).reveal()] * 16


def test_a_caller_without_time_does_not_wait_for_another_ones_call(service: Service) -> None:
    store = MemoryTokens()
    service.may_answer.clear()
    holding = threading.Thread(target=lambda: credential(service, store).renew())
    holding.start()
    assert service.arrived.wait(20)
    with pytest.raises(ConnectionFailed) as caught, deadline.within(0.3):
        credential(service, store).renew()
    assert caught.value.fault.name == "store_locked"
    service.may_answer.set()
    holding.join()
    assert len(service.called_at) == 1


def test_a_forked_child_uses_its_parents_token(service: Service) -> None:
    sending = credential(service, MemoryTokens())
    first = sending.renew()
    with forked(lambda: sending.headers() == first and sending.renew() == first) as child:
        assert child.result() is True
    assert len(service.called_at) == 1


def test_a_child_that_is_forked_in_a_call_asks_by_itself(service: Service) -> None:
    """The thread that waits for the answer, and holds the lock, is its parent's."""
    sending = credential(service, MemoryTokens())
    service.may_answer.clear()
    calling = threading.Thread(target=sending.renew)
    calling.start()
    assert service.arrived.wait(20)
    with forked(lambda: bool(sending.renew())) as child:
        service.may_answer.set()
        assert child.result() is True
    calling.join()
    assert len(service.called_at) == 2
