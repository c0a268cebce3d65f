"""Stores that sops and pass read, from the manifest to the command that gets the key."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from connform.secrets.exec.policy import POLICY_VARIABLE
from tests.canary import API_KEY
from tests.conftest import require_peer
from tests.end_to_end.running import run
from tests.secrets import gnupg
from tests.secrets.exec.test_exec import write_policy
from tests.secrets.sops.encryption import encrypt, program

MANIFEST = """\
version: 1
stores:
  files: {{type: sops, path: secrets.enc.yaml, age_key: "{age_key}"}}
  entries: {{type: pass, path: store}}
  commands: {{type: exec, timeout_s: 5}}
connections:
  acme:
    environment: private
    instance: acme
    auth: {{method: api_key, api_key: "{reference}"}}
"""
COMPARE = ("--", "sh", "-c", 'test "$ACME_API_KEY" = "$EXPECTED"')


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an age key, an encrypted file, and a home of gpg with a password store."""
    folder = tmp_path_factory.mktemp("prepared")
    made = subprocess.run([require_peer("age-keygen"), "-o", folder / "age.txt"], check=True, capture_output=True)
    encrypt(
        folder / "secrets.enc.yaml", f"portal:\n  key: {API_KEY}\n".encode(), "--age", made.stderr.decode().split()[-1]
    )
    (folder / "store").mkdir()
    return folder


def run_exec(folder: Path, reference: str, age_key: str = "file://age.txt", **env: str) -> tuple[int, str]:
    (folder / "connections.yaml").write_text(MANIFEST.format(reference=reference, age_key=age_key))
    programs = os.pathsep.join([os.path.dirname(program()), os.environ["PATH"]])
    done = run("exec", "acme", *COMPARE, cwd=folder, env={"PATH": programs, "EXPECTED": API_KEY, **env})
    return done.code, done.err


@pytest.mark.parametrize("reference", ["files://portal/key", "files://portal#key"])
def test_a_value_of_an_encrypted_file_reaches_the_command(reference: str, prepared: Path) -> None:
    assert run_exec(prepared, reference) == (0, "")


def test_the_key_of_a_store_that_is_missing_is_said_of_the_store(prepared: Path) -> None:
    code, said = run_exec(prepared, "files://portal/key", age_key="env://AGE_KEY")
    assert code == 5
    assert "the store files can't be opened: environment variable AGE_KEY is not set" in said


def test_an_entry_of_a_password_store_reaches_the_command(
    prepared: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    require_peer("pass")
    with gnupg.keys(tmp_path_factory.mktemp("gnupg")) as home:
        entry = prepared / "store" / "acme.gpg"
        entry.write_bytes(gnupg.gpg(home, "--trust-model", "always", "-e", "-r", gnupg.OPEN, given=API_KEY.encode()))
        assert run_exec(prepared, "entries://acme", GNUPGHOME=str(home)) == (0, "")


def test_what_a_command_prints_reaches_the_other(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("policy")
    policy = write_policy(folder, {"acme": {"argv": ["/bin/sh", "-c", f"echo {API_KEY}"]}})
    assert run_exec(prepared, "commands://acme", **{POLICY_VARIABLE: str(policy)}) == (0, "")
