"""Fixtures of the tests of sops: the program, and keys of age."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.conftest import require_peer
from tests.secrets.sops.encryption import Keys, program


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    folder = tmp_path_factory.mktemp("age")
    found: list[Path | str] = []
    for name in ("mine", "other"):
        file = folder / f"{name}.txt"
        subprocess.run([require_peer("age-keygen"), "-o", file], check=True, capture_output=True)
        (line,) = (line for line in file.read_text().splitlines() if "public key" in line)
        found += [file, line.split()[-1]]
    mine, my_recipient, other, other_recipient = found
    return Keys(Path(mine), str(my_recipient), Path(other), str(other_recipient))


@pytest.fixture(autouse=True)
def sops(monkeypatch: pytest.MonkeyPatch) -> str:
    """The program, on PATH, without a key."""
    found = program()
    monkeypatch.setenv("PATH", os.pathsep.join([os.path.dirname(found), os.environ["PATH"]]))
    return found


@pytest.fixture
def has_key(sops: str, keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOPS_AGE_KEY_FILE", str(keys.mine))
