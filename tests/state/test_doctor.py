"""`connform doctor` looks at a state database on a server, and at the key that its machines share."""

from __future__ import annotations

from pathlib import Path

import pytest

from connform.database import open_grants
from connform.secret import Secret
from tests.database.conftest import grant, keep
from tests.end_to_end.running import Run, run_here

KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
MANIFEST = """\
version: 1
connections:
  customer:
    environment: private
    base_url: https://localhost:1/sign
    auth: {method: oauth2, client_id: acme-portal, client_secret: env://PORTAL_SECRET, redirect_uri: https://localhost/auth, token_url: https://login.acme.example/connect/token}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "connections.yaml").write_text(MANIFEST)
    return tmp_path


def doctor(folder: Path, url: str, *flags: str, key: str = KEY) -> Run:
    environment = {"STATE_KEY": key, "CONNFORM_STATE": url}
    return run_here("doctor", "--format", "json", "--timeout", "5", *flags, cwd=folder, env=environment)


def states(run: Run) -> dict[str, str]:
    return {one["name"]: one["message"] for one in run.report["findings"] if one["section"] == "state"}


def test_a_server_is_asked_for_its_tables_and_the_shared_key(folder: Path, database: str) -> None:
    fresh = states(doctor(folder, database, "--state-key", "env://STATE_KEY"))
    assert "none yet" in fresh["database"]
    assert (fresh["key"], fresh["customer"][:11]) == ("env://STATE_KEY: present", "no customer")
    store = open_grants(database, folder, lambda: Secret(KEY))
    keep(store, grant())
    store.close()
    used = states(doctor(folder, database, "--state-key", "env://STATE_KEY"))
    assert "tables of version" in used["database"]
    assert used["key"] == "env://STATE_KEY: present and fits the grants"
    other = states(doctor(folder, database, "--state-key", "env://STATE_KEY", key=KEY.swapcase()))
    assert "made with another key" in other["key"]


def test_a_server_without_a_shared_key_is_a_problem(folder: Path, database: str) -> None:
    assert "a server keeps grants" in states(doctor(folder, database))["key"]


def test_offline_no_server_is_asked(folder: Path) -> None:
    assert states(doctor(folder, "postgresql://me@db.example/state", "--offline")) == {
        "database": "it is on a server: not asked (--offline)"
    }
