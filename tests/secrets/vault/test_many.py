"""The number of requests to one OpenBao for many connections, counted in its audit log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from connform.engine.load.manifest import load_manifest
from connform.engine.run.secret_resolver import SecretResolver
from tests.canary import API_KEY
from tests.end_to_end.running import run
from tests.http.servers import Authority, Server, answer
from tests.repetitions import repeated
from tests.secrets.vault.openbao import OpenBao

CONNECTIONS = repeated(200, 1000)
SECRETS = CONNECTIONS // 2
MANIFEST = """\
version: 1
stores:
  corp-vault:
    type: vault
    address: {address}
    ca_file: "{ca_file}"
    auth: {{method: approle, role_id: {role_id}, secret_id: "env://SECRET_ID", mount: many}}
templates:
  acme:
    provider: http
    base_url: https://localhost:{port}
    tls: {{ca_file: api.pem}}
    check: {{path: /me, expect: {{body: {{const: {{}}}}}}}}
connections:
"""
CONNECTION = """\
  c{number}:
    extends: acme
    auth: {{method: api_key, api_key: "corp-vault://secret/many/{secret}#key"}}
"""


class Run(NamedTuple):
    """A manifest, and what opens its store."""

    file: Path
    secret_id: str
    api: Server


@pytest.fixture(scope="session")
def role(bao: OpenBao) -> tuple[str, str]:
    """The ids of an AppRole."""
    for number in range(SECRETS):
        bao.call("POST", f"secret/data/many/{number}", {"data": {"key": f"{API_KEY}-{number}"}})
    bao.call("POST", "sys/auth/many", {"type": "approle"})
    bao.call("POST", "auth/many/role/connform", {"token_policies": ["reader"]})
    role_id = bao.call("GET", "auth/many/role/connform/role-id")["data"]["role_id"]
    secret_id = bao.call("POST", "auth/many/role/connform/secret-id", {})["data"]["secret_id"]
    return role_id, secret_id


@pytest.fixture
def prepared(bao: OpenBao, role: tuple[str, str], tmp_path: Path) -> Iterator[Run]:
    authority = Authority()
    (tmp_path / "api.pem").write_bytes(authority.pem)
    with Server(answer(b"{}"), tls=authority.server("localhost")) as api:
        head = MANIFEST.format(address=bao.address, ca_file=bao.ca_file, role_id=role[0], port=api.port)
        connections = [CONNECTION.format(number=number, secret=number % SECRETS) for number in range(CONNECTIONS)]
        file = tmp_path / "connections.yaml"
        file.write_text(head + "".join(connections))
        yield Run(file, role[1], api)


def expected() -> Counter[str]:
    """Return what a run asks: one login, one look at the mount, each secret once, and good-bye."""
    once = ["auth/many/login", "auth/token/revoke-self", "mount"]
    return Counter(once + [f"secret/data/many/{number}" for number in range(SECRETS)])


def counted(asked: list[tuple[str, str]]) -> Counter[str]:
    mount = "sys/internal/ui/mounts/"
    return Counter("mount" if path.startswith(mount) else path for _, path in asked)


def test_a_run_of_many_connections_logs_in_once_and_reads_each_secret_once(
    bao: OpenBao, prepared: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_ID", prepared.secret_id)
    manifest = load_manifest([str(prepared.file)])
    before = set(bao.accessors())

    with bao.watched() as asked:
        stores = SecretResolver(manifest.stores)
        stores.prepare(manifest.values())
        found = {name: stores.secrets(one)["api_key"].reveal() for name, one in manifest.items()}
        versions = {name: stores.versions(one) for name, one in manifest.items()}
        stores.close()

    assert found == {f"c{number}": f"{API_KEY}-{number % SECRETS}" for number in range(CONNECTIONS)}
    assert versions == {f"c{number}": {"api_key": "1"} for number in range(CONNECTIONS)}
    assert counted(asked) == expected()
    assert set(bao.accessors()) <= before


def test_a_check_of_many_connections_logs_in_once_and_reads_each_secret_once(bao: OpenBao, prepared: Run) -> None:
    before = set(bao.accessors())
    with bao.watched() as asked:
        arguments = ("check", "-f", prepared.file, "--format", "json")
        ended = run(*arguments, cwd=prepared.file.parent, env={"SECRET_ID": prepared.secret_id})

    assert ended.code == 0
    assert ended.report["summary"]["ready"] == CONNECTIONS
    assert counted(asked) == expected()
    assert set(bao.accessors()) <= before
    sent = Counter(
        request.lower().partition(b"x-api-key: ")[2].partition(b"\r\n")[0] for request in prepared.api.requests
    )
    wanted = Counter(f"{API_KEY}-{number % SECRETS}".encode() for number in range(CONNECTIONS))
    assert sent == wanted


def test_a_rejected_login_is_one_attempt_for_all_connections(bao: OpenBao, prepared: Run) -> None:
    with bao.watched() as asked:
        arguments = ("check", "-f", prepared.file, "--format", "json")
        ended = run(*arguments, cwd=prepared.file.parent, env={"SECRET_ID": API_KEY})

    assert asked == [("update", "auth/many/login"), ("update", "sys/wrapping/lookup")]
    assert ended.code == 5
    assert ended.report["summary"]["failed"] == CONNECTIONS
    assert {one["class"] for one in ended.connections.values()} == {"secret_denied"}
    assert prepared.api.connections == 0
