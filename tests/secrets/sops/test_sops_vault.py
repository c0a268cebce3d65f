"""The backend `sops` and Vault: sops sends a token to VAULT_ADDR only, not to the address in an encrypted file."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.canary import API_KEY, assert_no_canary
from tests.conftest import require_peer
from tests.http.servers import Connection, Server, head
from tests.secrets.fetching import failure, fetch
from tests.secrets.sops.encryption import program


def vault(connection: Connection) -> None:
    """Refuse whatever is asked."""
    while connection.read_request():
        body = b'{"errors": ["permission denied"]}'
        connection.send(head(403, [f"Content-Length: {len(body)}", "Content-Type: application/json"]) + body)


@pytest.fixture
def named_by_file() -> Iterator[Server]:
    with Server(vault) as server:
        yield server


@pytest.fixture
def named_by_user() -> Iterator[Server]:
    with Server(vault) as server:
        yield server


@pytest.fixture(autouse=True)
def on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.pathsep.join([os.path.dirname(program()), os.environ["PATH"]]))


def address(server: Server) -> str:
    return f"http://127.0.0.1:{server.port}"


def _json(content: dict[str, Any]) -> str:
    return json.dumps(content)


def _hidden(content: dict[str, Any]) -> str:
    """Write it so that a search for words finds nothing: YAML reads the same."""
    return json.dumps(content).replace("vault_address", "vault\\u005faddress")


@pytest.fixture
def encrypted(tmp_path: Path, named_by_file: Server) -> Callable[[Callable[[dict[str, Any]], str], str], Path]:
    """Write a file of which one key lies in the Vault of a stranger."""

    def write(layout: Callable[[dict[str, Any]], str], name: str) -> Path:
        identity = tmp_path / "age.txt"
        subprocess.run([require_peer("age-keygen"), "-o", identity], check=True, capture_output=True)
        (recipient,) = (line.split()[-1] for line in identity.read_text().splitlines() if "public key" in line)
        (tmp_path / "plain.json").write_text(json.dumps({"a": "value"}))
        argv = [program(), "encrypt", "--age", recipient, str(tmp_path / "plain.json")]
        content = json.loads(subprocess.run(argv, check=True, capture_output=True).stdout)
        key = {"engine_path": "transit", "key_name": "k", "created_at": "2026-01-01T00:00:00Z", "enc": "vault:v1:x"}
        content["sops"]["hc_vault"] = [{"vault_address": address(named_by_file), **key}]
        (tmp_path / name).write_text(layout(content))
        return identity

    return write


@pytest.mark.parametrize(("layout", "name"), [(_json, "f.json"), (_hidden, "f.yaml")])
@pytest.mark.parametrize("token_in", ["the environment", "the home"])
def test_no_token_goes_where_only_the_file_says(
    encrypted: Callable[..., Path],
    named_by_file: Server,
    tmp_path: Path,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    layout: Callable[[dict[str, Any]], str],
    name: str,
    token_in: str,
) -> None:
    encrypted(layout, name)
    if token_in == "the home":
        (home / ".vault-token").write_text(API_KEY)
    else:
        monkeypatch.setenv("VAULT_TOKEN", API_KEY)
    refused = failure("sops", tmp_path, f"sops://{name}#a")
    (home / ".vault-token").unlink(missing_ok=True)
    assert refused.fault.name == "secret_denied"
    assert ("VAULT_ADDR" in refused.hint) == (layout is _json)
    assert_no_canary(refused.message, refused.hint)
    assert named_by_file.connections == 0


def test_a_token_goes_where_this_user_says(
    encrypted: Callable[..., Path],
    named_by_file: Server,
    named_by_user: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    encrypted(_json, "f.json")
    monkeypatch.setenv("VAULT_TOKEN", API_KEY)
    monkeypatch.setenv("VAULT_ADDR", address(named_by_user))
    failure("sops", tmp_path, "sops://f.json#a")
    assert named_by_file.connections == 0
    (asked,) = named_by_user.requests
    assert asked.startswith(b"PUT /v1/transit/decrypt/k ")
    assert f"X-Vault-Token: {API_KEY}".encode() in asked


def test_a_file_with_a_key_in_vault_is_opened_by_another_key(
    encrypted: Callable[..., Path], named_by_file: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOPS_AGE_KEY_FILE", str(encrypted(_json, "f.json")))
    monkeypatch.setenv("VAULT_TOKEN", API_KEY)
    assert fetch("sops", tmp_path, "sops://f.json#a") == ["value"]
    assert named_by_file.connections == 0
