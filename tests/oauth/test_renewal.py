"""What a renewal makes of every answer of the token endpoint, and what becomes of the grant."""

from __future__ import annotations

import base64
import json
import threading
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, unquote_plus

import pytest

from connform.auth.oauth import token_call
from connform.auth.oauth.client_authentication import App
from connform.auth.oauth.credential import GrantCredential
from connform.auth.oauth.server import AuthorizationServer
from connform.database.memory import MemoryStore
from connform.errors import ConnectionFailed
from connform.grant import Grant, Pending
from connform.http.credential import NO_LINES
from connform.http.settings import Network
from connform.secret import Secret
from tests.canary import API_KEY, AWKWARD, assert_no_canary
from tests.http.exchanging import authorization, settings_for
from tests.http.servers import Behaviour, answer, head, raw, reset_in_handshake
from tests.oauth.setting import (
    APP_SECRET,
    LONG_AGO,
    RENEWS,
    TOKEN_URL,
    Setting,
    after,
    body,
    error,
    failure_of,
    fault_of,
    grant,
)


def test_a_renewal_replaces_the_whole_record(setting: Setting) -> None:
    assert setting.credential().renew() == authorization("Bearer new")
    assert (setting.refresh_token, setting.facts.pending, setting.facts.ended) == ("next", None, "")
    assert setting.facts.expires_at is not None
    assert timedelta(minutes=59) < setting.facts.expires_at - datetime.now(UTC) < timedelta(minutes=61)


@pytest.mark.parametrize("authentication", ["basic", "body"])
def test_the_app_shows_its_secret_as_the_standard_says(setting: Setting, authentication: str) -> None:
    setting.credential(authentication=authentication).renew()
    (request,) = setting.server.requests
    top, _, form = request.partition(b"\r\n\r\n")
    said = {name: value for name, (value,) in parse_qs(form.decode()).items()}
    assert (said["grant_type"], said["refresh_token"]) == ("refresh_token", AWKWARD)
    lines = top.lower().split(b"\r\n")
    assert {b"accept: application/json", b"content-type: application/x-www-form-urlencoded"} <= {*lines}
    if authentication == "body":
        assert (said["client_id"], said["client_secret"]) == ("acme", APP_SECRET)
        assert b"authorization:" not in top.lower()
    else:
        encoded = next(line.split()[2] for line in top.split(b"\r\n") if line.lower().startswith(b"authorization:"))
        name, _, secret = base64.b64decode(encoded).decode().partition(":")
        assert (unquote_plus(name), unquote_plus(secret)) == ("acme", APP_SECRET)


def test_a_public_client_shows_its_name_in_the_body(setting: Setting) -> None:
    """RFC 6749 §3.2.1 and §6."""
    setting.credential(is_public=True).renew()
    (request,) = setting.server.requests
    top, _, form = request.partition(b"\r\n\r\n")
    said = {name: value for name, (value,) in parse_qs(form.decode()).items()}
    assert said == {"grant_type": "refresh_token", "refresh_token": AWKWARD, "client_id": "acme"}
    assert b"authorization:" not in top.lower()


AS_IT_WAS = (None, "")
ANSWERS: dict[str, tuple[Behaviour, str]] = {
    "too many requests": (answer(b"", status=429), "token_endpoint_unavailable"),
    "an unknown error": (error("something_new"), "token_endpoint_unavailable"),
    "an unknown error with a success": (error("something_new", 200), "token_endpoint_unavailable"),
    "a redirect": (answer(b"", "Location: https://elsewhere.example/", status=302), "token_endpoint_unavailable"),
    "tokens with no success": (answer(body(), status=300), "token_endpoint_unavailable"),
    "a wrong app": (error("invalid_client", 401), "client_credentials_rejected"),
    "a wrong app in the body": (error("invalid_client"), "client_credentials_rejected"),
    "an app that may not": (error("unauthorized_client"), "client_credentials_rejected"),
    "a rejection without a word": (answer(b"", status=401), "client_credentials_rejected"),
    "a firewall that says no": (answer(b"<html>", status=403), "token_endpoint_unavailable"),
    "an app that may not, said with 403": (error("unauthorized_client", 403), "client_credentials_rejected"),
    "an error that is none": (answer(b'{"error": {"code": 1}}', status=400), "token_endpoint_unavailable"),
}


@pytest.mark.parametrize("case", ANSWERS)
def test_a_refusal_that_is_not_about_the_grant_leaves_it_as_it_was(setting: Setting, case: str) -> None:
    setting.server.behaviour, fault = ANSWERS[case]
    assert fault_of(setting.credential()) == fault
    assert (setting.facts.pending, setting.facts.ended, setting.refresh_token) == (*AS_IT_WAS, AWKWARD)
    setting.server.behaviour = RENEWS
    assert setting.credential().renew()


@pytest.mark.parametrize("pending", [None, Pending(LONG_AGO, "")], ids=["first try", "second try"])
def test_a_server_that_is_not_there_leaves_the_grant_as_it_was_and_is_asked_again_at_once(
    setting: Setting, pending: Pending | None
) -> None:
    setting.keep(grant(pending=pending))
    ports = iter([1, setting.server.port])
    network = setting.server.network._replace(route=lambda _host, _port: ("127.0.0.1", next(ports)))
    credential = setting.credential(network=network)
    assert fault_of(credential) == "tcp_refused"
    assert (setting.facts.pending, setting.facts.ended) == (pending, "")
    assert credential.renew() == authorization("Bearer new")


GATEWAYS = {
    "a server error": answer(b"<html>", status=500),
    "a page of a gateway": answer(b"<html>", status=502),
    "a service that is away": answer(b"", status=503),
    "a gateway that waited too long": answer(b"<html>", status=504),
    "a request that took too long": answer(b"", status=408),
    "a server error that speaks of the grant": error("invalid_grant", 500),
}


@pytest.mark.parametrize("case", GATEWAYS)
def test_where_a_gateway_answered_the_token_may_be_spent_and_a_refusal_says_so(setting: Setting, case: str) -> None:
    setting.server.behaviour = GATEWAYS[case]
    failure = failure_of(setting.credential())
    assert failure.fault.name == "token_endpoint_unavailable"
    assert "as it was" not in failure.hint
    assert (setting.facts.ended, setting.refresh_token) == ("", AWKWARD)
    setting.server.behaviour = error("invalid_grant")
    assert fault_of(setting.credential()) == "refresh_interrupted"
    assert setting.facts.ended == "refresh_interrupted"


@pytest.mark.parametrize("case", GATEWAYS)
def test_behind_a_gateway_that_answered_the_next_use_renews(setting: Setting, case: str) -> None:
    setting.server.behaviour = GATEWAYS[case]
    assert fault_of(setting.credential()) == "token_endpoint_unavailable"
    setting.server.behaviour = RENEWS
    assert setting.credential().renew() == authorization("Bearer new")
    assert (setting.refresh_token, setting.facts.pending) == ("next", None)


REQUEST_ERRORS = ["invalid_request", "invalid_scope", "unsupported_grant_type"]
NAMED = {
    **dict.fromkeys([*REQUEST_ERRORS, "something_new"], True),
    API_KEY: False,
}


@pytest.mark.parametrize("code", NAMED, ids=[*list(NAMED)[:-1], "canary"])
def test_a_word_for_an_error_is_repeated_and_no_other_text(setting: Setting, code: str) -> None:
    setting.server.behaviour = error(code)
    failure = failure_of(setting.credential())
    assert failure.fault.name == "token_endpoint_unavailable"
    assert (code in failure.message) is NAMED[code]
    assert ("ask the vendor what the app may ask for" in failure.hint) is (code in REQUEST_ERRORS)


@pytest.mark.parametrize(("status", "is_known"), [(404, False), (429, True), (500, True), (503, True)])
def test_a_status_that_is_no_answer_of_a_token_endpoint_is_called_that(
    setting: Setting, status: int, *, is_known: bool
) -> None:
    setting.server.behaviour = answer(b"", status=status)
    assert ("none of its answers" not in failure_of(setting.credential()).message) is is_known


LOST: dict[str, Behaviour] = {
    "the connection breaks": lambda connection: connection.read_request() and connection.reset(),
    "the answer is cut": raw(head(200, ["Content-Length: 500"]) + body()[:20]),
    "no answer comes": lambda connection: connection.read_request() and connection.pause(),
    "a page instead of tokens": answer(b"<html>welcome</html>"),
    "a page with another success": answer(b"<html>welcome</html>", status=201),
    "tokens without a token": answer(body(access_token=None)),
    "tokens without a token, accepted": answer(body(access_token=None), status=202),
    "an empty answer": answer(b"", status=203),
    "no content": answer(b"", status=204),
    "a JSON list": answer(b"[]", status=206),
    "a token of another kind": answer(body(token_type="mac")),
    "a token that needs a proof, by its draft": answer(body(token_type="pop")),
    "a token that needs a proof": answer(body(token_type="DPoP")),
    "a refresh token that is no text": answer(body(refresh_token=True)),
    "a token that no header can carry": answer(body(access_token="two words")),
}


@pytest.mark.parametrize("status", [200, 201, 202, 203, 206, 299])
def test_tokens_come_with_any_status_of_success(setting: Setting, status: int) -> None:
    setting.server.behaviour = answer(body(), status=status)
    assert setting.credential().renew() == authorization("Bearer new")
    assert (setting.refresh_token, setting.facts.pending, len(setting.server.requests)) == ("next", None, 1)


@pytest.mark.parametrize("status", [200, 201, 400, 401])
@pytest.mark.parametrize(
    ("word", "fault", "is_ended"),
    [
        ("bad_refresh_token", "login_required", True),
        ("invalid_refresh_token", "login_required", True),
        ("invalid_grant", "login_required", True),
        ("invalid_token", "login_required", True),
        ("interaction_required", "login_required", True),
        ("login_required", "login_required", True),
        ("consent_required", "login_required", True),
        ("incorrect_client_credentials", "client_credentials_rejected", False),
        ("bad_client_secret", "client_credentials_rejected", False),
        ("invalid_client", "client_credentials_rejected", False),
        ("invalid_scope", "token_endpoint_unavailable", False),
    ],
)
def test_an_error_that_is_known_is_one_whatever_the_status(
    setting: Setting, status: int, word: str, fault: str, *, is_ended: bool
) -> None:
    setting.server.behaviour = error(word, status)
    for _ in range(2):
        assert fault_of(setting.credential()) == fault
    assert (bool(setting.facts.ended), setting.facts.pending) == (is_ended, None)
    assert len(setting.server.requests) == (1 if is_ended else 2)


@pytest.mark.parametrize(
    ("description", "fault"),
    [
        ("Refresh token is invalid", "login_required"),
        ("the refresh_token has expired", "login_required"),
        ("the parameter refresh_token is missing", "token_endpoint_unavailable"),
        ("", "token_endpoint_unavailable"),
        ("refresh token " * 60_000, "token_endpoint_unavailable"),  # by the whole of it, the search would take minutes
    ],
    ids=["refused", "expired", "missing", "nothing", "hostile"],
)
def test_an_invalid_request_may_be_about_the_grant(setting: Setting, description: str, fault: str) -> None:
    body = {"error": "invalid_request", "error_description": description}
    setting.server.behaviour = answer(json.dumps(body).encode(), status=400)
    assert fault_of(setting.credential()) == fault


USABLE: dict[str, dict[str, object]] = {
    "without a type": {"token_type": None},
    "with a type that only the server knows": {"token_type": "BearerToken"},
    "of a bot": {"token_type": "bot"},
    "with an empty type": {"token_type": ""},
    "with a refresh token that is a number": {"refresh_token": 1234567},
    "with a life of no length": {"expires_in": 0},
    "with a life in text": {"expires_in": "3600"},
}


@pytest.mark.parametrize("case", USABLE)
def test_odd_tokens_are_used(setting: Setting, case: str) -> None:
    setting.server.behaviour = answer(body(**USABLE[case]))
    assert setting.credential().renew() == authorization("Bearer new")
    assert setting.facts.pending is None


@pytest.mark.parametrize("lifetime", [0, -5, None])
def test_a_life_of_no_length_is_unknown_and_spends_no_token_per_request(setting: Setting, lifetime: object) -> None:
    setting.server.behaviour = answer(body(expires_in=lifetime))
    for _ in range(3):
        assert setting.credential().renew() == authorization("Bearer new")
    assert setting.facts.expires_at is None
    assert len(setting.server.requests) == 1


@pytest.mark.parametrize("scope", ["a b", "a,b", "a, b", " a b ", ["a", "b"]], ids=str)
def test_scopes_are_separated_by_spaces_or_commas_or_are_a_list(setting: Setting, scope: object) -> None:
    setting.server.behaviour = answer(body(scope=scope))
    setting.credential().renew()
    assert setting.facts.scopes == ("a", "b")


@pytest.mark.parametrize("case", LOST)
def test_a_lost_answer_is_said_and_the_old_token_tried_once_more(
    setting: Setting, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    monkeypatch.setattr(token_call, "CALL_S", 0.6)
    setting.server.behaviour = LOST[case]
    failure = failure_of(setting.credential())
    assert failure.fault.name == "refresh_interrupted"
    assert "once more" in failure.hint
    assert setting.facts.pending is not None
    assert setting.facts.ended == ""
    setting.server.behaviour = RENEWS
    assert setting.credential().renew()  # the server had not seen it after all
    facts = setting.store.grants["customer"].facts
    assert (facts.pending is None, setting.refresh_token) == (True, "next")


@pytest.mark.parametrize("authentication", ["basic", "body"])
@pytest.mark.parametrize("case", [*LOST, "a wrong app", "a server that is not there"])
def test_a_failure_holds_no_secret_in_any_exception_behind_it(
    setting: Setting, monkeypatch: pytest.MonkeyPatch, case: str, authentication: str
) -> None:
    monkeypatch.setattr(token_call, "CALL_S", 0.6)
    setting.server.behaviour = LOST.get(case) or ANSWERS["a wrong app"][0]
    reach: dict[str, Any] = (
        {"network": Network(route=lambda _host, _port: ("127.0.0.1", 1))} if "not there" in case else {}
    )
    error: BaseException | None = failure_of(setting.credential(authentication=authentication, **reach))
    chain = []
    while error is not None:
        chain.append(error)
        error = error.__cause__ or error.__context__
    for link in chain:
        assert not hasattr(link, "_request"), chain  # an error of httpx holds the request with its body
        assert_no_canary(repr(link), str(vars(link)))
        assert APP_SECRET not in str(vars(link))


@pytest.mark.parametrize("case", ["the answer is cut", "a page instead of tokens", "no content"])
def test_a_lost_answer_of_a_server_that_had_rotated_ends_the_grant_by_name(setting: Setting, case: str) -> None:
    setting.server.behaviour = LOST[case]
    assert fault_of(setting.credential()) == "refresh_interrupted"
    setting.server.behaviour = error("invalid_grant")
    for _ in range(3):
        assert fault_of(setting.credential()) == "refresh_interrupted"
    assert len(setting.server.requests) == 2  # an ended grant is sent no more
    assert setting.refresh_token == AWKWARD  # and nothing is deleted


def test_a_refused_grant_ends_is_kept_and_sent_no_more(setting: Setting) -> None:
    setting.server.behaviour = error("invalid_grant")
    assert failure_of(setting.credential()).message.endswith(" (it said invalid_grant)")
    for _ in range(2):
        assert fault_of(setting.credential()) == "login_required"
    assert (len(setting.server.requests), setting.facts.ended, setting.refresh_token) == (1, "login_required", AWKWARD)


def test_where_no_refresh_token_comes_back_the_old_one_stays(setting: Setting) -> None:
    setting.server.behaviour = answer(body(refresh_token=None))
    setting.credential().renew()
    assert setting.refresh_token == AWKWARD


@pytest.mark.parametrize(
    ("scope", "granted"), [("profile offline_access", ("profile", "offline_access")), (None, ("profile",))]
)
def test_what_is_granted_is_remembered(setting: Setting, scope: str | None, granted: tuple[str, ...]) -> None:
    setting.server.behaviour = answer(body(scope=scope))
    setting.credential().renew()
    assert setting.facts.scopes == granted


@pytest.mark.parametrize("lifetime", [1e12, 2**63 - 1, 10**400, 1e308], ids=["1e12", "2**63-1", "10**400", "1e308"])
def test_a_life_that_no_calendar_holds_is_a_long_one(setting: Setting, lifetime: float) -> None:
    setting.server.behaviour = answer(body(expires_in=lifetime))
    setting.credential().renew()
    assert setting.refresh_token == "next"
    assert setting.facts.expires_at is not None
    assert setting.facts.expires_at - datetime.now(UTC) > timedelta(days=3649)


def test_a_token_without_a_life_is_shared_by_all_who_waited_for_it(setting: Setting) -> None:
    setting.server.behaviour = after(0.3, body(expires_in=0))
    credential = setting.credential()
    got: list[Any] = []
    threads = [threading.Thread(target=lambda: got.append(credential.renew())) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == [authorization("Bearer new")] * 20
    assert len(setting.server.requests) == 1


@pytest.mark.parametrize("lifetime", [0, 1e-6], ids=["none", "over"])
def test_a_token_with_hardly_a_life_is_shared_by_those_who_waited_for_the_lock(
    setting: Setting, lifetime: float
) -> None:
    setting.server.behaviour = after(0.5, body(expires_in=lifetime))
    got: list[Any] = []
    threads = [threading.Thread(target=lambda: got.append(setting.credential().renew())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == [authorization("Bearer new")] * 4
    assert len(setting.server.requests) == 1


@pytest.mark.parametrize(("lifetime", "ends"), [(None, False), ("soon", False), (-1, False), (1, True), ("60", True)])
def test_a_lifetime_that_is_none_means_until_it_is_refused(setting: Setting, lifetime: Any, ends: bool) -> None:
    setting.server.behaviour = answer(body(expires_in=lifetime))
    setting.credential().renew()
    assert (setting.facts.expires_at is not None) is ends


def test_what_another_process_has_renewed_is_taken_without_a_call(setting: Setting) -> None:
    first, second = setting.credential(), setting.credential()
    first.renew()
    assert second.renew() == first.headers()
    assert len(setting.server.requests) == 1


FOREIGN: dict[str, tuple[dict[str, Any], str, Secret | None]] = {
    "without a refresh token": ({}, "acme", None),
    "of another app": ({}, "another", Secret(AWKWARD)),
    "of another server": ({"token_url": "https://elsewhere.example/token"}, "acme", Secret(AWKWARD)),
}


@pytest.mark.parametrize("case", FOREIGN)
def test_a_grant_that_cannot_be_renewed_here_is_sent_nowhere(setting: Setting, case: str) -> None:
    facts, client_id, token = FOREIGN[case]
    setting.keep(Grant(setting.facts._replace(**facts), Secret("old"), token))
    assert fault_of(setting.credential(client_id)) == "login_required"
    assert setting.server.requests == []


def test_a_store_that_cannot_be_written_stops_it_before_the_token_is_spent(setting: Setting) -> None:
    class Full(MemoryStore):
        def lock(self, connection: str, timeout_s: float) -> Any:
            raise ConnectionFailed("store_unwritable", "the disk is full")

    full = Full()
    full.grants = setting.store.grants
    setting.store = full
    assert fault_of(setting.credential()) == "store_unwritable"
    assert setting.server.requests == []


@pytest.mark.parametrize(("age_s", "calls"), [(5, 0), (120, 1), (-600, 1)], ids=["young", "old", "from the future"])
def test_a_refused_token_is_renewed_unless_it_is_young(setting: Setting, age_s: int, calls: int) -> None:
    obtained = datetime.now(UTC) - timedelta(seconds=age_s)
    facts = setting.facts._replace(obtained_at=obtained, expires_at=obtained + timedelta(hours=1))
    setting.keep(Grant(facts, Secret("old"), Secret(AWKWARD)))
    credential = setting.credential()
    refused = credential.renew()
    assert (credential.renew(refused) == refused) == (calls == 0)
    assert len(setting.server.requests) == calls


def test_a_token_in_memory_is_renewed_before_it_ends(setting: Setting) -> None:
    now = datetime.now(UTC)
    app, server = App("acme", Secret(APP_SECRET)), AuthorizationServer(token_url=TOKEN_URL)
    reach = settings_for(setting.server)
    credential = GrantCredential("customer", setting.store, server, app, reach, clock=lambda: now)
    assert credential.facts is None
    assert credential.renew() == credential.renew() == credential.headers() == authorization("Bearer new")
    setting.server.behaviour = answer(body(access_token="newer"))
    now += timedelta(minutes=59)
    assert credential.headers() == NO_LINES
    assert credential.renew() == authorization("Bearer newer")
    assert credential.facts == setting.facts


def test_fifty_threads_make_one_call(setting: Setting) -> None:
    setting.server.behaviour = after(0.3, body())
    credential = setting.credential()
    got: list[Any] = []
    threads = [threading.Thread(target=lambda: got.append(credential.renew())) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == [authorization("Bearer new")] * 50
    assert len(setting.server.requests) == 1


def test_a_reset_before_the_request_leaves_the_grant_as_it_was(setting: Setting) -> None:
    setting.server.behaviour = reset_in_handshake
    setting.server.tls = None
    assert fault_of(setting.credential()) == "tls_reset"
    assert (setting.facts.pending, setting.facts.ended) == AS_IT_WAS
