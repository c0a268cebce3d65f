"""Paths that no reference may read: the run's own token, and what a server makes on request."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from connform.secret import Secret
from connform.secrets.kit.interface import StoreConfig
from tests.canary import API_KEY
from tests.http.servers import Authority, Connection, Server
from tests.secrets.fetching import lint
from tests.secrets.vault.fronts import reply
from tests.secrets.vault.openbao import OpenBao
from tests.secrets.vault.stores import failure, store_at, store_with, value
from tests.secrets.vault.test_manifest import ADDRESS, TOKEN, codes

OWN = (
    "auth/token/lookup-self",
    "sys/wrapping/lookup",
    "identity/oidc/token/role",
    "cubbyhole/one",
    "AUTH/token/lookup-self",
    "Sys/mounts",
    "/auth/token/lookup-self",
    "//auth/token/lookup-self",
    "auth//token/lookup-self",
    "./auth/token/lookup-self",
    "secret/../auth/token/lookup-self",
    "auth%2ftoken%2Flookup-self",
    "secret/%2e%2e/auth/token/lookup-self",
    "secret/%252E%252e/auth/token",
    "%61uth/token/lookup-self",
    "%2561uth/token/lookup-self",
    "%%36%31uth/token/lookup-self",
    "%25252525252561uth/token/lookup-self",
    "auth\\token\\lookup-self",
    "auth%5ctoken",
)


@pytest.mark.parametrize("path", OWN)
@pytest.mark.parametrize("version", [0, 1, 2])
def test_a_path_of_the_server_s_own_is_refused_offline(path: str, version: int) -> None:
    assert lint("vault", f"corp-vault://{path}#id", **({"kv_version": version} if version else {}))


@pytest.mark.parametrize(
    ("lines", "path", "code"),
    [
        (("kv_version: 1",), "auth/token/lookup-self#id", "malformed-reference"),
        (("mount: auth",), "token/lookup-self", "malformed-value"),
        (("mount: sys/x",), "token/lookup-self", "malformed-value"),
        (("mount: a%2fb",), "x", "malformed-value"),
        (("namespace: team-a/auth",), "token/lookup-self", "malformed-value"),
        (("namespace: Identity",), "secret/x", "malformed-value"),
    ],
)
def test_validate_finds_a_place_of_the_server_s_own(
    tmp_path: Path, lines: tuple[str, ...], path: str, code: str
) -> None:
    assert code in codes(tmp_path, (ADDRESS, TOKEN, *lines), path)


@pytest.mark.parametrize(
    "path", ["secret/auth/token", "secret/sys", "authority/x", "secret/100%/x", "secret/a%20b", "auth-portal/sys/one"]
)
def test_a_secret_that_is_called_so_is_none_of_the_server_s_own(path: str) -> None:
    assert lint("vault", f"vault://{path}#id") == ""


class FakeVault:
    """Answers whatever lies at a path, and looks up no mount, as where a policy or a proxy refuses that."""

    def __init__(self, **answers: object) -> None:
        self._answers = answers

    def __call__(self, connection: Connection) -> None:
        while request := connection.read_request():
            path = request.split(b" ")[1].decode().removeprefix("/v1/")
            if path.startswith("sys/internal/"):
                connection.send(reply({"errors": ["permission denied"]}, 403))
            elif path == "auth/token/lookup-self":
                connection.send(reply({"data": {"id": API_KEY}}))
            else:
                found = next((answer for end, answer in self._answers.items() if path.endswith(end)), None)
                connection.send(reply(found or {"errors": []}, 200 if found else 404))


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def fake(authority: Authority, tmp_path: Path) -> Iterator[Callable[..., tuple[Server, StoreConfig]]]:
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    with ExitStack() as stack:

        def start(answers: dict[str, object], **settings: Any) -> tuple[Server, StoreConfig]:
            server = stack.enter_context(Server(FakeVault(**answers), tls=authority.server("127.0.0.1")))
            address = f"https://127.0.0.1:{server.port}"
            known = {"address": address, "ca_file": "ca.pem", "auth": {"method": "token"}, **settings}
            return server, StoreConfig(tmp_path, known, {"auth.token": Secret(API_KEY)}, 5.0)

        yield start


@pytest.mark.parametrize("settings", [{}, {"kv_version": 1}, {"kv_version": 2}, {"mount": "auth", "kv_version": 1}])
def test_nothing_is_sent_for_a_path_of_the_server_s_own(
    fake: Callable[..., tuple[Server, StoreConfig]], settings: dict[str, Any]
) -> None:
    server, store = fake({}, **settings)
    path = "token/lookup-self" if "mount" in settings else "auth/token/lookup-self"

    refused = failure(store, f"vault://{path}#id")

    assert (refused.fault.name, "no KV store" in refused.message) == ("secret_not_found", True)
    assert server.requests == []


MADE = {"data": {"password": "made-on-request"}}
PLAIN = {"data": {"id": API_KEY, "value": "stored"}, "lease_id": ""}


@pytest.mark.parametrize(
    ("text", "answer", "settings"),
    [
        ("vault://database/creds/ro#password", {**MADE, "lease_id": "database/creds/ro/1"}, {}),
        ("vault://database/creds/ro#password", {**MADE, "lease_id": "database/creds/ro/1"}, {"kv_version": 1}),
        ("vault://pki/x#password", {**MADE, "wrap_info": {"token": API_KEY}}, {"kv_version": 1}),
        ("vault://pki/x#password", {**MADE, "auth": {"client_token": API_KEY}}, {}),
        ("vault://team-a/auth/token/lookup-self#id", PLAIN, {}),
        ("vault://team-a/auth/token/lookup-self#id", PLAIN, {"kv_version": 1}),
        ("vault://team-a/b/Identity/x#value", PLAIN, {"kv_version": 1}),
        ("vault://lookup-self#id", PLAIN, {"mount": "team-a/auth/token", "kv_version": 1}),
    ],
)
def test_what_is_made_on_request_is_refused_where_the_server_says_nothing_of_mounts(
    fake: Callable[..., tuple[Server, StoreConfig]], text: str, answer: object, settings: dict[str, Any]
) -> None:
    _, store = fake({text.partition("://")[2].partition("#")[0]: answer}, **settings)

    assert failure(store, text).fault.name == "secret_not_found"


@pytest.mark.parametrize("settings", [{}, {"kv_version": 1}])
def test_a_value_that_is_the_run_s_own_token_is_refused(
    fake: Callable[..., tuple[Server, StoreConfig]], settings: dict[str, Any]
) -> None:
    _, store = fake({"old/copy": PLAIN}, **settings)

    refused = failure(store, "vault://old/copy#id")

    assert (refused.fault.name, "opened with" in refused.message) == ("secret_denied", True)
    assert value(store, "vault://old/copy#value") == "stored"


def test_what_a_run_logs_in_with_is_refused(bao: OpenBao) -> None:
    bao.call("POST", "sys/auth/own", {"type": "approle"})
    bao.call("POST", "auth/own/role/reader", {"token_policies": ["reader"]})
    role = bao.call("GET", "auth/own/role/reader/role-id")["data"]["role_id"]
    login = bao.call("POST", "auth/own/role/reader/secret-id", {})["data"]["secret_id"]
    bao.call("POST", "secret/data/login", {"data": {"secret_id": login, "other": API_KEY}})
    store = store_with(bao, {"method": "approle", "mount": "own", "role_id": role}, {"secret_id": login})

    assert value(store, "vault://secret/login#other") == API_KEY
    assert failure(store, "vault://secret/login#secret_id").fault.name == "secret_denied"


@pytest.mark.parametrize("path", ["database/creds/ro", "nested/auth/token/lookup-self"])
def test_only_kv_mounts_are_read_although_the_store_names_version_1(bao: OpenBao, path: str) -> None:
    mount = path.partition("/")[0]
    kind = "transit" if mount == "database" else "pki"
    bao.call("POST", f"sys/mounts/{mount}", {"type": kind})
    try:
        refused = failure(store_at(bao, bao.root, kv_version=1), f"vault://{path}#id")
    finally:
        bao.call("DELETE", f"sys/mounts/{mount}")

    assert (refused.fault.name, f"{mount} is no KV store" in refused.message) == ("secret_not_found", True)


def test_the_token_of_a_namespace_is_not_read_by_its_path(bao: OpenBao) -> None:
    bao.call("POST", "sys/namespaces/team-o", {})
    try:
        for settings in ({}, {"kv_version": 1}, {"kv_version": 2}):
            refused = failure(store_at(bao, bao.root, **settings), "vault://team-o/auth/token/lookup-self#id")
            assert refused.fault.name in {"secret_not_found", "secret_denied"}
    finally:
        bao.call("DELETE", "sys/namespaces/team-o")
