"""A client secret that is replaced under ready clients: whatever the order, they go on when it is done. A wrong one is left alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

import connform
from connform.engine.run import store_session
from connform.errors import ConnectionFailed
from tests.end_to_end.conftest import Issuer
from tests.http.servers import Server
from tests.services.api import Api
from tests.services.setting import keep_grant

CONNECTION = """\
  {name}:
    environment: private
    base_url: "https://localhost:{port}/api"
    tls: {{ca_file: "{ca_file}"}}
    auth: {{method: oauth2, client_id: app, client_secret: "file://client-secret", redirect_uri: "https://localhost/auth",
            token_url: "https://localhost:{port}/token"}}
"""
NAMES = ("first", "second")


class Setting:
    """Two customers' connections with the same client secret. Each access token lasts for one request."""

    def __init__(self, folder: Path, servers: dict[str, Api]) -> None:
        self._file, self._servers = folder / "client-secret", servers

    def write(self, secret: str) -> None:
        self._file.write_text(secret)

    def take(self, secret: str) -> None:
        for server in self._servers.values():
            server.good["client secret"] = secret

    def replace(self, secret: str) -> None:
        self.write(secret)
        self.take(secret)

    @property
    def refused(self) -> int:
        """How often the app was refused."""
        return sum(server.refused for server in self._servers.values())


@pytest.fixture
def connections(tmp_path: Path, setting: Setting) -> Iterator[connform.Connections]:
    with connform.load(tmp_path / "connections.yaml") as connections:
        yield connections


@pytest.fixture
def clients(connections: connform.Connections) -> Iterator[list[httpx.Client]]:
    with ExitStack() as stack:
        yield [stack.enter_context(connections[name].client()) for name in NAMES]


@pytest.fixture
def setting(authority: Issuer, ca_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Setting]:
    monkeypatch.setattr(store_session, "_EXPIRE_PAUSE_S", -1)
    apis, declared = {name: Api() for name in NAMES}, "version: 1\nconnections:\n"
    with ExitStack() as stack:
        for name, api in apis.items():
            api.token_s = 0.001
            server = stack.enter_context(Server(api, tls=authority.loopback()))
            declared += CONNECTION.format(name=name, port=server.port, ca_file=ca_file)
            keep_grant(tmp_path, server, name)
        (tmp_path / "connections.yaml").write_text(declared)
        setting = Setting(tmp_path, apis)
        setting.replace("old")
        yield setting


def answers(client: httpx.Client) -> bool:
    return client.get("/x").status_code == 200


def is_rejected(client: httpx.Client) -> bool:
    with pytest.raises(ConnectionFailed) as caught:
        client.get("/x")
    return caught.value.fault.name == "client_credentials_rejected"


def test_a_replaced_secret_is_refused_once(setting: Setting, clients: list[httpx.Client]) -> None:
    for number in range(3):
        setting.replace(f"new-{number}")
        assert [answers(client) for client in clients] == [True, True]
        assert setting.refused == number + 1


def test_a_client_that_missed_a_replacement_has_the_newest_secret(
    setting: Setting, clients: list[httpx.Client]
) -> None:
    first, second = clients
    setting.replace("new-1")
    assert answers(first)
    setting.replace("new-2")
    assert answers(second)


def test_a_secret_that_is_replaced_again_while_it_is_read_is_read_once_more(
    setting: Setting, clients: list[httpx.Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    def issue_later(api: Api, request: str) -> tuple[int, dict[str, Any]]:
        if setting.refused == 1:
            setting.replace("new-2")
        return issue(api, request)

    issue = Api._issue
    monkeypatch.setattr(Api, "_issue", issue_later)
    setting.replace("new-1")
    assert answers(clients[0])
    assert setting.refused == 2


def test_a_mistake_of_the_server_does_not_hide_a_later_replacement(
    setting: Setting, clients: list[httpx.Client]
) -> None:
    first, second = clients
    setting.take("none")
    assert is_rejected(first)
    setting.replace("new")
    assert answers(second)


def test_a_secret_that_the_server_replaces_first_is_found_as_soon_as_it_is_stored(
    setting: Setting, clients: list[httpx.Client]
) -> None:
    setting.take("new")
    assert [is_rejected(client) for client in clients] == [True, True]
    setting.write("new")
    assert [answers(client) for client in clients] == [True, True]


def test_a_secret_that_is_stored_first_is_not_read_while_the_old_one_is_good(
    setting: Setting, clients: list[httpx.Client]
) -> None:
    setting.write("new")
    assert [answers(client) for client in clients] == [True, True]
    setting.take("new")
    assert [answers(client) for client in clients] == [True, True]


def test_a_secret_that_was_read_too_early_is_tried_again_at_refresh(
    setting: Setting, connections: connform.Connections, clients: list[httpx.Client]
) -> None:
    setting.write("new")
    connections.refresh()
    assert is_rejected(clients[0])
    setting.take("new")
    assert is_rejected(clients[0])
    connections.refresh()
    assert answers(clients[0])
    with connections["first"].client() as another:
        assert answers(another)


def test_a_wrong_secret_is_tried_once_by_all_clients_of_a_connection(
    setting: Setting, connections: connform.Connections
) -> None:
    setting.take("another")
    for _ in range(5):
        with connections["first"].client() as client:
            assert is_rejected(client)
    assert setting.refused == 1
    setting.write("another")
    with connections["first"].client() as client:
        assert answers(client)


def test_a_public_client_that_is_rejected_is_left_alone_as_well(setting: Setting, tmp_path: Path) -> None:
    manifest = tmp_path / "connections.yaml"
    text = manifest.read_text().replace(
        "environment: private", "provider: http\n    check: {path: /x, expect: {body: {const: {}}}}"
    )
    at_server = "authorize_url: https://localhost/authorize"
    manifest.write_text(text.replace('client_secret: "file://client-secret"', at_server))
    with connform.load(manifest) as connections:
        for _ in range(3):
            with connections["first"].client() as client:
                assert is_rejected(client)
    assert setting.refused == 1
