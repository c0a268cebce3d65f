"""Fixtures of the Vault tests: one OpenBao with two KV mounts of each version, and a token that may read most of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import require_peer
from tests.secrets.vault.openbao import OpenBao

READER = """
path "secret/data/*" { capabilities = ["read"] }
path "secret/data/forbidden" { capabilities = ["deny"] }
path "old/*" { capabilities = ["read"] }
path "old/forbidden" { capabilities = ["deny"] }
path "team/deep/kv/data/*" { capabilities = ["read"] }
"""


@pytest.fixture(scope="session")
def bao(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenBao]:
    with OpenBao(require_peer("bao"), tmp_path_factory.mktemp("openbao")) as server:
        server.initialise()
        for mount, version in (("secret", 2), ("team/deep/kv", 2), ("old", 1)):
            server.mount(mount, version)
        server.call("PUT", "sys/policies/acl/reader", {"policy": READER})
        for path, body in (("secret/data/forbidden", {"data": {"k": "v"}}), ("old/forbidden", {"k": "v"})):
            server.call("POST", path, body)
        yield server


@pytest.fixture(scope="session")
def reader(bao: OpenBao) -> str:
    """A token that may read."""
    return bao.token("reader")


@pytest.fixture
def untouched(tmp_path: Path) -> Iterator[OpenBao]:
    """A server that nobody has set up."""
    folder = tmp_path / "untouched"
    folder.mkdir()
    with OpenBao(require_peer("bao"), folder) as server:
        yield server
