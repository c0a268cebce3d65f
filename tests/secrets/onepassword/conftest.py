"""Fixtures: both stand-ins of 1Password, and `ask`, a read of one item in both of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from connform.secret import SecretReference
from connform.secrets.kit.interface import Outcome, StoreConfig
from connform.secrets.onepassword.backend import OP
from tests.end_to_end.conftest import Issuer
from tests.secrets.onepassword.stand_ins import Connect, Program

Ask: TypeAlias = Callable[[Mapping[str, Any], str], Outcome]
"""Reads a reference `op://acme/…` where this is the only item."""


@pytest.fixture
def connect(authority: Issuer, ca_file: Path) -> Iterator[Connect]:
    connect = Connect(authority, ca_file)
    yield connect
    connect.server.stop()


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    program = Program(tmp_path / "bin")
    monkeypatch.setenv("PATH", str(program.folder), prepend=":")
    return program


@pytest.fixture(params=["connect", "program"])
def ask(request: pytest.FixtureRequest, tmp_path: Path) -> Ask:
    stand_in = request.getfixturevalue(request.param)

    def read(item: Mapping[str, Any], text: str) -> Outcome:
        reference = SecretReference.parse(text)
        if isinstance(stand_in, Connect):
            stand_in.items = [dict(item)]
            store = stand_in.store
        else:
            stand_in.put(*reference.path.split("/")[:2], item)
            store = StoreConfig(tmp_path)
        opened = OP.open(store)
        (outcome,) = opened.read([reference])
        opened.close()
        return outcome

    return read
