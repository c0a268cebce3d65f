"""What an earlier version recorded of connections of every kind, planned by this one.

`earlier/records.json` was recorded of `earlier/connections.yaml` before environments had classes, and is never made anew.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from connform.cli.main import main
from tests.state.recording import record, rewrite

EARLIER = Path(__file__).parent / "earlier"
RECORDS = json.loads((EARLIER / "records.json").read_text())


@pytest.fixture
def manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The manifest in a repository whose state has the records."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".git").mkdir()
    file = Path(shutil.copy(EARLIER / "connections.yaml", tmp_path))
    record(file)
    rewrite(file, {name: (one["specification"], one["digest"]) for name, one in RECORDS.items()})
    return file


def plan(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert main(["plan", "--format", "json"]) == 0
    report: dict[str, Any] = json.loads(capsys.readouterr().out)
    return report


def test_nothing_is_to_be_done(manifest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert manifest.exists()
    assert {one["name"]: one["action"] for one in plan(capsys)["connections"]} == dict.fromkeys(RECORDS, "none")


SECRETS = {
    "sign-sandbox": ("trial://SIGN", False),
    "sign-production": ("live://sign", True),
    "sign-private": ("own://secret/sign", True),
    "api-sandbox": ("trial://API", False),
    "api-private": ("own://secret/api", True),
    "api-of-none": ("shared://API", True),
}


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_is_exchanged_without_force_in_a_test_alone(
    name: str, manifest: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    secret, is_refused = SECRETS[name]
    text = manifest.read_text()
    assert text.count(secret) == 1
    manifest.write_text(text.replace(secret, f"{secret}2"))
    found = plan(capsys)
    assert [one["name"] for one in found["connections"] if one["action"] == "update"] == [name]
    assert bool(found["plan"]["refusals"]) is is_refused
