"""`connform secrets`: which references lead to a secret, and never what it is."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from connform.reporters import FORMATS
from connform.secrets import BACKENDS
from tests.canary import API_KEY
from tests.conftest import Plant
from tests.end_to_end.running import run

MANIFEST = """\
version: 1
stores:
  mounted: {type: file, path: secrets}
connections:
  good:
    environment: private
    instance: good
    auth: {method: api_key, api_key: "mounted://key"}
  half:
    environment: private
    instance: half
    auth:
      method: oauth2
      client_id: acme
      client_secret: env://ACME_SECRAT
      redirect_uri: https://localhost/auth
  none:
    environment: private
    instance: none
    auth: {method: api_key, api_key: "mounted://missing"}
"""


@pytest.fixture
def folder(tmp_path: Path, plant: Plant) -> Path:
    (tmp_path / "connections.yaml").write_text(MANIFEST)
    key = plant("secrets/key", API_KEY)
    os.utime(key, (1_700_000_000, 1_700_000_000))
    return tmp_path


def test_every_reference_is_told_from_where_and_since_when(folder: Path) -> None:
    found = run("secrets", "check", "--format", "json", cwd=folder, env={"ACME_SECRET": "x"})
    assert found.code == 5
    told = found.connections
    (good,) = told["good"]["secrets"]
    assert (good["key"], good["reference"], good["store"], good["backend"]) == (
        *("api_key", "mounted://key", "mounted", "file"),
    )
    assert (good["version"], good["since"]) == ("2023-11-14T22:13:20+00:00",) * 2
    assert [told[name]["verdict"] for name in ("good", "half", "none")] == ["ready", "failed", "failed"]
    (half,) = told["half"]["secrets"]
    assert (half["class"], half["hint"]) == ("secret_not_found", "did you mean `ACME_SECRET`?")
    assert (half["line"], half["column"]) == (15, 22)


def test_only_what_is_chosen_is_read(folder: Path) -> None:
    assert run("secrets", "check", "-c", "good", cwd=folder).code == 0
    assert "mounted://missing" not in run("secrets", "check", "-c", "good", cwd=folder).out


@pytest.mark.parametrize("form", FORMATS)
def test_no_format_shows_a_secret(folder: Path, form: str) -> None:
    """What a run prints is searched for the canary, whatever a test is about."""
    found = run("secrets", "check", "-v", "--format", form, cwd=folder)
    assert found.code == 5
    assert found.out


def test_every_backend_is_listed_with_what_it_needs(tmp_path: Path) -> None:
    listed = run("secrets", "backends", cwd=tmp_path, env={"PATH": str(tmp_path)})
    assert listed.code == 0
    lines = {line.split()[0]: line for line in listed.out.splitlines()[1:]}
    assert lines.keys() == set(BACKENDS)
    assert re.search(r"connform +the program op$", lines["op"])
    assert re.search(r"connform +-$", lines["env"])
