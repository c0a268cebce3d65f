"""Whose answer to a login is believed, and how often."""

from __future__ import annotations

import threading
from urllib.parse import urlencode

import pytest

from connform.auth.oauth import authorization
from connform.errors import ConnectionFailed
from tests.canary import API_KEY, assert_no_canary
from tests.oauth.test_login import ISSUER, REDIRECT, back

AUTHORIZE = "https://login.acme.example:443/connect/authorize?tenant=1"


def begun(issuer: str = "") -> authorization.AuthorizationRequest:
    return authorization.start(AUTHORIZE, "acme", REDIRECT, ["profile"], issuer)


NAMED = {
    "the origin": (ISSUER, True),
    "the origin with its port": (f"{ISSUER}:443", True),
    "a tenant there": (f"{ISSUER}/tenant/1", True),
    "another host": ("https://login.evil.example", False),
    "another port": (f"{ISSUER}:8443", False),
    "another scheme": ("http://login.acme.example", False),
    "a user before it": ("https://login.acme.example@evil.example", False),
    "a user in it": ("https://me@login.acme.example", False),
    "the host alone": ("login.acme.example", False),
    "no port": (f"{ISSUER}:x", False),
    "a secret": (API_KEY, False),
}


@pytest.mark.parametrize("case", NAMED)
def test_where_no_issuer_is_declared_an_answer_comes_from_the_origin_that_was_asked(case: str) -> None:
    named, is_right = NAMED[case]
    request = begun()
    if is_right:
        assert authorization.read_callback(request, back(request, iss=named)).reveal() == API_KEY
        return
    with pytest.raises(ConnectionFailed) as caught:
        authorization.read_callback(request, back(request, iss=named))
    assert caught.value.fault.name == "login_issuer_mismatch"
    assert "issuer" in caught.value.hint
    assert_no_canary(caught.value.message, caught.value.hint)


@pytest.mark.parametrize("issuer", ["", ISSUER])
def test_a_server_that_does_not_name_itself_is_believed(issuer: str) -> None:
    request = begun(issuer)
    assert authorization.read_callback(request, back(request, iss="")).reveal() == API_KEY


def test_a_server_that_always_names_itself_must_do_so() -> None:
    """RFC 9207 §2.4."""
    request = authorization.start(AUTHORIZE, "acme", REDIRECT, ["profile"], ISSUER, is_issuer_required=True)
    with pytest.raises(ConnectionFailed) as caught:
        authorization.read_callback(request, back(request, iss=""))
    assert caught.value.fault.name == "login_issuer_mismatch"


def test_an_empty_name_is_none() -> None:
    request = begun()
    with pytest.raises(ConnectionFailed) as caught:
        authorization.read_callback(request, f"{back(request, iss='')}&{urlencode({'iss': ''})}")
    assert caught.value.fault.name == "login_issuer_mismatch"


FIRST: dict[str, tuple[dict[str, str], str]] = {
    "a code": ({}, ""),
    "a denial": ({"error": "access_denied", "code": ""}, "login_denied"),
    "another issuer": ({"iss": "https://evil.example"}, "login_issuer_mismatch"),
}


def fault_of(request: authorization.AuthorizationRequest, **parameters: str) -> str:
    try:
        authorization.read_callback(request, back(request, **parameters))
    except ConnectionFailed as failure:
        return failure.fault.name
    return ""


@pytest.mark.parametrize("case", FIRST)
def test_a_second_answer_to_the_same_login_is_refused(case: str) -> None:
    parameters, fault = FIRST[case]
    request = begun()
    assert [fault_of(request, **parameters), fault_of(request)] == [fault, "login_state_mismatch"]


@pytest.mark.parametrize("address", ["rubbish", f"{REDIRECT}?code=x&state=another", f"{REDIRECT}?code=x"])
def test_an_address_that_is_not_the_answer_does_not_use_the_login_up(address: str) -> None:
    request = begun()
    with pytest.raises(ConnectionFailed):
        authorization.read_callback(request, address)
    assert authorization.read_callback(request, back(request)).reveal() == API_KEY


def test_of_answers_at_the_same_time_one_is_read() -> None:
    request = begun()
    faults: list[str] = []
    threads = [threading.Thread(target=lambda: faults.append(fault_of(request))) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(faults) == ["", *["login_state_mismatch"] * 19]
