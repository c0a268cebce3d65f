"""Answers that a healthy Vault doesn't give: rate limits, standbys, proxies, and answers that aren't Vault's."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from connform.errors import SecretUnresolved
from connform.secret import Secret
from connform.secrets.kit.interface import Fetched, StoreConfig
from tests.canary import API_KEY
from tests.http.servers import Authority, Behaviour, Connection, Server
from tests.secrets.vault.fronts import forwarded, path_of, reply
from tests.secrets.vault.openbao import OpenBao
from tests.secrets.vault.stores import failure, read, store_at, value

MOUNT = {"data": {"path": "secret/", "type": "kv", "options": {"version": "2"}}}
SECRET = {"data": {"data": {"value": API_KEY}, "metadata": {"version": 3, "created_time": "soon"}}}
HEALTH = {"initialized": True, "sealed": False, "standby": False}
TEXT = "vault://secret/one"
TOKEN = f"hvs.{API_KEY}"


class Scripted:
    """Answers each path with its answers in turn, the last one for good."""

    def __init__(self, **answers: Sequence[bytes]) -> None:
        self._answers = {name: list(those) for name, those in answers.items()}

    def __call__(self, connection: Connection) -> None:
        while request := connection.read_request():
            path = request.split(b" ")[1].decode()
            name = next(name for name in ("health", "login", "mounts", "lookup", "revoke", "data") if name in path)
            answers = self._answers[name]
            connection.send(answers.pop(0) if len(answers) > 1 else answers[0])


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def serve(authority: Authority, tmp_path: Path) -> Iterator[Callable[[Behaviour], tuple[Server, StoreConfig]]]:
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    with ExitStack() as stack:

        def start(behaviour: Behaviour) -> tuple[Server, StoreConfig]:
            server = stack.enter_context(Server(behaviour, tls=authority.server("127.0.0.1")))
            settings = {
                "address": f"https://127.0.0.1:{server.port}",
                "ca_file": "ca.pem",
                "auth": {"method": "token"},
            }
            return server, StoreConfig(tmp_path, settings, {"auth.token": Secret(TOKEN)}, 5.0)

        yield start


def test_a_rate_limit_is_waited_for(serve: Callable[[Behaviour], tuple[Server, StoreConfig]]) -> None:
    limited = reply({"errors": ["request path: rate limit quota exceeded"]}, 429, "Retry-After: 1")
    server, store = serve(Scripted(mounts=[limited, reply(MOUNT)], data=[limited, reply(SECRET)]))

    assert value(store, TEXT) == API_KEY
    assert len(server.requests) == 4


@pytest.mark.parametrize(
    ("answers", "message", "hint"),
    [
        ({"mounts": [reply({}, 429, "Retry-After: 300")]}, "429", "try again"),
        ({"mounts": [reply({"errors": []}, 500)], "health": [reply(HEALTH)]}, "Vault answered 500", "try again"),
        ({"mounts": [reply(b"Bad Gateway", 502)], "health": [reply(b"Bad Gateway", 502)]}, "answered 502", "try again"),
        ({"mounts": [reply({}, 503)], "health": [reply({**HEALTH, "sealed": True})]}, "is sealed", "unseal"),
        ({"mounts": [reply({}, 503)], "health": [reply({**HEALTH, "standby": True})]}, "is a standby", "active"),
        ({"mounts": [reply({}, 500)], "health": [reply({}, 429, "Retry-After: 300")]}, "answered 500", "try again"),
        ({"mounts": [reply({}, 503)], "health": [reply([])]}, "answered 503", "try again"),
        ({"mounts": [reply(b"", 307, "Location: https://other.test/v1/")]}, "refers to another", "correct the address"),
        ({"mounts": [reply(b"<html>Welcome</html>")]}, "none of Vault's", "address is right"),
        ({"mounts": [reply(b"<html>Forbidden</html>", 403)]}, "none of Vault's", "stands in between"),
        ({"mounts": [reply(["data"])]}, "none of Vault's", "address is right"),
        ({"mounts": [reply({"data": {"path": "other/", "type": "kv"}})]}, "none of Vault's", "address is right"),
        ({"mounts": [reply(MOUNT)], "data": [reply({"data": {"value": API_KEY}})]}, "none of Vault's", "address"),
        ({"mounts": [reply(MOUNT)], "data": [reply({"errors": ["Upgrading"]}, 400)]}, "answered 400", "try again"),
    ],
)  # fmt: skip
def test_a_server_in_trouble_says_which(
    serve: Callable[[Behaviour], tuple[Server, StoreConfig]], answers: dict[str, list[bytes]], message: str, hint: str
) -> None:
    _, store = serve(Scripted(**answers))

    refused = failure(store._replace(timeout_s=1.0), TEXT)

    assert refused.fault.name == "secret_backend_unavailable"
    assert message in refused.message
    assert hint in refused.hint


@pytest.mark.parametrize(
    ("answer", "fault", "message"),
    [
        (reply({"auth": {"client_token": "", "mfa_requirement": {"mfa_request_id": "m"}}}), "secret_denied", "second factor"),
        (reply({"auth": None}), "secret_backend_unavailable", "no token"),
        (reply({"auth": {"client_token": 7}}), "secret_backend_unavailable", "no token"),
        (reply({"errors": [API_KEY]}, 400), "secret_denied", "rejected the login"),
    ],
)  # fmt: skip
def test_a_login_without_a_token_is_not_tried_again(
    serve: Callable[[Behaviour], tuple[Server, StoreConfig]], answer: bytes, fault: str, message: str
) -> None:
    server, store = serve(Scripted(login=[answer], health=[reply(HEALTH)]))
    settings = {**store.settings, "auth": {"method": "jwt", "role": "r"}}

    outcomes = read(store._replace(settings=settings), TEXT, "vault://secret/two")

    for refused in outcomes:
        assert isinstance(refused, SecretUnresolved)
        assert refused.fault.name == fault
        assert message in refused.message
    assert len([request for request in server.requests if b"/login " in request]) == 1


LAGS = reply({"errors": ["required index state not present"]}, 412)
"""Of a performance standby of Vault Enterprise that does not know the token yet."""
NESTED = {"data": {"path": "team/nested/kv/", "type": "kv", "options": {"version": "2"}}}


@pytest.mark.parametrize(
    "answers",
    [
        {"mounts": [reply(NESTED)], "data": [LAGS, LAGS, reply(SECRET)]},
        {"mounts": [LAGS, reply(NESTED)], "data": [reply(SECRET)]},
        {"mounts": [reply({"errors": []}, 500), reply(NESTED)], "data": [reply({}, 503), reply(SECRET)]},
        {"login": [reply({"errors": []}, 500), reply({}, 502), reply({"auth": {"client_token": "t"}})]},
        {"login": [reply({"errors": []}, 429), reply({"auth": {"client_token": "t"}})]},
    ],
    ids=["read", "mount", "server-errors", "login", "limited-login"],
)
def test_what_fails_for_a_moment_is_asked_again(
    serve: Callable[[Behaviour], tuple[Server, StoreConfig]], answers: dict[str, list[bytes]]
) -> None:
    good = {"mounts": [reply(NESTED)], "data": [reply(SECRET)], "health": [reply(HEALTH)], "revoke": [reply({})]}
    _, store = serve(Scripted(**good | answers))
    if "login" in answers:
        store = store._replace(settings={**store.settings, "auth": {"method": "jwt", "role": "r"}})

    outcomes = read(store, *(f"vault://team/nested/kv/{number}" for number in range(9)))

    assert [one.secret.reveal() if isinstance(one, Fetched) else str(one) for one in outcomes] == [API_KEY] * 9


def test_a_long_pause_that_nobody_asked_for_does_not_end_a_read_early(
    serve: Callable[[Behaviour], tuple[Server, StoreConfig]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connform.http.retry.backoff", lambda _: 20.0)
    _, store = serve(Scripted(mounts=[reply(NESTED)], data=[LAGS, LAGS, reply(SECRET)]))

    (outcome,) = read(store._replace(timeout_s=2.0), "vault://team/nested/kv/app")

    assert isinstance(outcome, Fetched), outcome


def test_a_server_that_keeps_lagging_is_not_asked_for_every_secret(
    serve: Callable[[Behaviour], tuple[Server, StoreConfig]],
) -> None:
    """Each of a thousand references would wait for its whole `timeout_s`."""
    _, store = serve(Scripted(mounts=[reply(NESTED)], data=[LAGS], health=[reply(HEALTH)]))

    outcomes = read(store._replace(timeout_s=0.5), *(f"vault://team/nested/kv/{number}" for number in range(20)))

    assert "not asked again" in str(outcomes[-1])


@pytest.mark.parametrize(("answer", "status"), [(LAGS, "412"), (reply({"errors": []}, 400), "400")])
def test_a_failure_to_tell_a_mount_is_not_taken_for_a_missing_mount(
    serve: Callable[[Behaviour], tuple[Server, StoreConfig]], answer: bytes, status: str
) -> None:
    _, store = serve(Scripted(mounts=[answer]))

    refused = failure(store._replace(timeout_s=1.0), "vault://team/nested/kv/app#k")

    assert refused.fault.name == "secret_backend_unavailable"
    assert status in refused.message


def test_a_wait_that_does_not_fit_is_told_with_its_length(
    serve: Callable[[Behaviour], tuple[Server, StoreConfig]],
) -> None:
    server, store = serve(Scripted(mounts=[reply({}, 503, "Retry-After: 120")], health=[reply(HEALTH)]))

    refused = failure(store, TEXT)

    assert "answered 503, and asks to wait for 120 s; `timeout_s` is 5" in refused.message
    assert len(server.requests) == 1


def test_what_vault_says_of_an_unknown_token_is_understood(
    serve: Callable[[Behaviour], tuple[Server, StoreConfig]],
) -> None:
    """OpenBao's words are shorter."""
    unknown = reply({"errors": ["2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n"]}, 403)
    _, store = serve(Scripted(mounts=[reply({"errors": ["permission denied"]}, 403)], lookup=[unknown]))

    refused = failure(store, TEXT)

    assert refused.fault.name == "secret_denied"
    assert "does not know the token" in refused.message


def test_the_token_travels_in_its_header_alone(serve: Callable[[Behaviour], tuple[Server, StoreConfig]]) -> None:
    server, store = serve(Scripted(mounts=[reply(MOUNT)], data=[reply(SECRET)]))

    assert value(store, TEXT) == API_KEY
    assert len(server.requests) == 2
    for request in server.requests:
        lines = request.split(b"\r\n")
        assert [line for line in lines if API_KEY.encode() in line] == [f"X-Vault-Token: {TOKEN}".encode()]
        assert b"X-Vault-Request: true" in lines


class Gate:
    """Stands before an OpenBao, and refuses its internal paths, as a strict reverse proxy does."""

    def __init__(self, bao: OpenBao) -> None:
        self._bao = bao

    def __call__(self, connection: Connection) -> None:
        while request := connection.read_request():
            if path_of(request).startswith("sys/internal/"):
                connection.send(reply({"errors": ["permission denied"]}, 403))
            else:
                connection.send(forwarded(self._bao, request))


@pytest.fixture
def gated(
    bao: OpenBao, reader: str, serve: Callable[[Behaviour], tuple[Server, StoreConfig]]
) -> Callable[..., tuple[Server, StoreConfig]]:
    bao.call("POST", "secret/data/gated", {"data": {"value": API_KEY}})
    bao.call("POST", "secret/data/gated-gone", {"data": {"value": API_KEY}})
    bao.call("DELETE", "secret/data/gated-gone")
    bao.call("POST", "old/gated", {"value": API_KEY})

    def start(**settings: Any) -> tuple[Server, StoreConfig]:
        server, store = serve(Gate(bao))
        login = store_at(bao, reader)
        return server, store._replace(settings={**store.settings, **settings}, secrets=login.secrets)

    return start


def test_where_a_mount_is_not_told_both_versions_are_tried_and_the_right_one_is_kept(
    gated: Callable[..., tuple[Server, StoreConfig]],
) -> None:
    server, store = gated()

    outcomes = read(store, "vault://secret/gated", "vault://old/gated")
    assert [one.secret.reveal() for one in outcomes if isinstance(one, Fetched)] == [API_KEY, API_KEY]
    paths = sorted(request.split(b" ")[1].decode() for request in server.requests)
    assert paths == [
        "/v1/auth/token/lookup-self",
        "/v1/auth/token/lookup-self",
        "/v1/old/data/gated",
        "/v1/old/gated",
        "/v1/secret/data/gated",
        "/v1/sys/internal/ui/mounts/old/gated",
        "/v1/sys/internal/ui/mounts/secret/gated",
    ]


def test_version_1_that_the_store_names_is_believed_where_the_server_says_nothing(
    gated: Callable[..., tuple[Server, StoreConfig]],
) -> None:
    server, store = gated(mount="old", kv_version=1)

    assert value(store, "vault://gated") == API_KEY
    assert [request.split(b" ")[1] for request in server.requests] == [
        b"/v1/sys/internal/ui/mounts/old/gated",
        b"/v1/auth/token/lookup-self",
        b"/v1/old/gated",
    ]


@pytest.mark.parametrize(
    ("text", "fault", "message"),
    [
        ("vault://secret/gated-gone", "secret_not_found", "was deleted"),
        ("vault://secret/absent", "secret_not_found", "no secret absent"),
        ("vault://secret/gated?version=9", "secret_not_found", "in version 9"),
        ("vault://old/absent", "secret_not_found", "no secret absent"),
        ("vault://old/gated?version=1", "secret_not_found", "in version 1"),
        ("vault://nowhere/one", "secret_denied", "no rights in the mount nowhere"),
    ],
)
def test_where_a_mount_is_not_told_a_refusal_still_says_why(
    gated: Callable[..., tuple[Server, StoreConfig]], text: str, fault: str, message: str
) -> None:
    _, store = gated()

    refused = failure(store, text)

    assert refused.fault.name == fault
    assert message in refused.message


def test_where_a_mount_is_not_told_a_bad_token_still_is(gated: Callable[..., tuple[Server, StoreConfig]]) -> None:
    server, store = gated()

    refused = failure(store._replace(secrets={"auth.token": Secret("unknown")}), "vault://secret/gated")

    assert "does not know the token" in refused.message
    assert len(server.requests) == 2
