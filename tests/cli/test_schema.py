"""`connform schema`: what `make schema` writes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from connform.reporters.schemas import REPORT_SCHEMA, SCHEMAS
from tests.cli.conftest import Connform

MANIFEST = {"title": "Verbindungen – é", "b": 1, "a": 2}


@pytest.fixture(autouse=True)
def schemas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SCHEMAS, "connections", lambda: MANIFEST)


def test_the_manifests_schema_is_the_default(connform: Connform) -> None:
    assert connform("schema").out == connform("schema", "connections").out
    assert json.loads(connform("schema").out) == MANIFEST
    assert json.loads(connform("schema", "report").out) == REPORT_SCHEMA


def test_write_writes_every_schema_in_composed_order(connform: Connform, tmp_path: Path) -> None:
    run = connform("schema", "--write", str(tmp_path / "a" / "schema"))
    assert (run.code, run.out) == (0, "")
    files = {file.name: file.read_bytes().decode() for file in (tmp_path / "a" / "schema").iterdir()}
    assert set(files) == {f"{name}.schema.json" for name in SCHEMAS}
    assert files["connections.schema.json"] == '{\n  "title": "Verbindungen – é",\n  "b": 1,\n  "a": 2\n}\n'


def test_a_folder_that_cannot_be_made_is_a_usage_error(connform: Connform, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert connform("schema", "--write", str(tmp_path / "file" / "schema")).code == 64
