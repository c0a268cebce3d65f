"""A token endpoint in trouble is left alone for a while: callers get the same failure without a call."""

from __future__ import annotations

import pytest

from connform.auth.oauth import cool_down
from connform.auth.oauth.cool_down import CoolDown
from connform.errors import ConnectionFailed
from tests.http.exchanging import authorization
from tests.http.servers import Behaviour, answer
from tests.oauth.setting import RENEWS, Setting, body, error, failure_of, fault_of, grant


class Clock:
    """The monotonic clock of cool-downs, moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(cool_down, "monotonic", clock)
    return clock


TROUBLE: dict[str, tuple[Behaviour, str, float]] = {
    "too many requests": (answer(b"", "Retry-After: 30", status=429), "token_endpoint_unavailable", 30),
    "too many requests, for a day": (answer(b"", "Retry-After: 86400", status=429), "token_endpoint_unavailable", 60),
    "too many requests, for how long is not said": (answer(b"", status=429), "token_endpoint_unavailable", 1),
    "too many requests, for no time": (answer(b"", "Retry-After: 0", status=429), "token_endpoint_unavailable", 1),
    "too many requests, for junk": (answer(b"", "Retry-After: soon", status=429), "token_endpoint_unavailable", 1),
    "a server that is down": (answer(b"", "Retry-After: 5", status=503), "token_endpoint_unavailable", 5),
    "a server error": (answer(b"<html>", status=500), "token_endpoint_unavailable", 1),
    "a firewall that says no": (answer(b"<html>", status=403), "token_endpoint_unavailable", 1),
    "a wrong app": (error("invalid_client", 401), "client_credentials_rejected", 60),
}


@pytest.mark.parametrize("case", TROUBLE)
def test_an_endpoint_in_trouble_is_asked_once_per_cool_down(setting: Setting, clock: Clock, case: str) -> None:
    setting.server.behaviour, fault, lasts_s = TROUBLE[case]
    credential = setting.credential()
    first = failure_of(credential)
    for _ in range(20):
        again = failure_of(credential)
        assert (again.fault.name, again.hint) == (fault, first.hint)
        assert again.message.startswith(f"{first.message}; it is not asked again for ")
    clock.now += lasts_s - 0.01
    assert fault_of(credential) == fault
    assert len(setting.server.requests) == 1
    setting.server.behaviour = RENEWS
    clock.now += 0.02
    assert credential.renew()
    assert len(setting.server.requests) == 2


def test_without_a_word_of_the_server_each_failure_doubles_the_time_and_a_success_forgets_them(clock: Clock) -> None:
    cooling, failure = CoolDown(), ConnectionFailed("token_endpoint_unavailable", "it answered 500")
    for _ in range(2):
        for lasts_s in (1, 2, 4, 8, 16, 30, 30):
            cooling.begin(failure)
            clock.now += lasts_s - 0.01
            with pytest.raises(ConnectionFailed):
                cooling.check()
            clock.now += 0.02
            cooling.check()
        cooling.begin(failure, retry_after_s=30)
        cooling.end()
        cooling.check()


def test_what_another_process_has_renewed_ends_the_waiting(setting: Setting, clock: Clock) -> None:
    setting.server.behaviour = answer(b"", "Retry-After: 60", status=429)
    waiting = setting.credential()
    assert fault_of(waiting) == "token_endpoint_unavailable"
    setting.server.behaviour = RENEWS
    setting.credential().renew()
    assert waiting.renew() == authorization("Bearer new")
    assert clock.now == 1000


def test_a_renewal_that_succeeds_forgets_earlier_trouble(setting: Setting, clock: Clock) -> None:
    credential = setting.credential()
    for _ in range(3):
        setting.server.behaviour = answer(b"", status=503)
        assert fault_of(credential) == "token_endpoint_unavailable"
        clock.now += 1.01
        setting.server.behaviour = answer(body(expires_in=1e-6))
        assert credential.renew()


def test_answers_that_are_lost_again_and_again_are_asked_for_less_often(setting: Setting, clock: Clock) -> None:
    """The old token is tried once more at once, most interruptions being short; then as other failures."""
    setting.server.behaviour = lambda connection: connection.read_request() and connection.reset()
    credential = setting.credential()
    first, second, *_ = (failure_of(credential) for _ in range(5))
    assert {first.fault.name, second.fault.name} == {"refresh_interrupted"}
    assert ["the next use tries the token once more" in one.hint for one in (first, second)] == [True, False]
    assert len(setting.server.requests) == 2
    clock.now += 1
    setting.keep(grant(pending=None))
    setting.server.behaviour = RENEWS
    assert credential.renew()
