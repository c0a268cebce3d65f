"""One manifest with a connection of every provider: validated, planned, rehearsed, shown, drawn, and completed in an editor."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from connform.engine.load.manifest_schemas import manifest_schema
from tests.catalog.manifest import NAMES, manifest
from tests.editors.language_server import LanguageServer
from tests.end_to_end.running import Run, run_here


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("everything")
    (made / "connections.yaml").write_text(manifest(usual_only=True))
    return made


def names(ended: Run) -> set[str]:
    return {one["name"] for one in ended.report["connections"]}


def test_it_is_valid_and_laid_out(folder: Path) -> None:
    validated = run_here("validate", cwd=folder)
    assert (validated.code, validated.out) == (0, f"{len(NAMES)} connections in 1 file: no errors\n")
    assert run_here("fmt", "--check", cwd=folder).code == 0


def test_a_plan_adds_each_and_says_where_each_secret_goes(folder: Path) -> None:
    planned = run_here("plan", "--format", "json", "--detailed-exitcode", cwd=folder)
    assert planned.code == 2
    changes = {one["name"]: one for one in planned.report["connections"]}
    assert set(changes) == set(NAMES)


def test_a_rehearsal_has_every_connection_ready(folder: Path) -> None:
    applied = run_here("apply", "--simulate", "--format", "json", cwd=folder)
    assert applied.code == 0
    assert {one["name"] for one in applied.report["connections"] if one["verdict"] == "ready"} == set(NAMES)


def test_each_is_listed_and_shown_with_its_root(folder: Path) -> None:
    assert names(run_here("list", "--format", "json", cwd=folder)) == set(NAMES)
    for name in NAMES[::8]:
        shown = run_here("show", name, "--format", "json", cwd=folder)
        assert shown.code == 0
        assert shown.connection["base_url"].startswith("https://")


def test_each_is_in_the_graph(folder: Path) -> None:
    drawn = run_here("graph", cwd=folder)
    assert drawn.code == 0
    assert [name for name in NAMES if name not in drawn.out] == []


def test_an_editor_offers_every_provider_and_what_one_needs(tmp_path: Path) -> None:
    (tmp_path / "connections.schema.json").write_text(json.dumps(manifest_schema()), "utf-8")
    file = tmp_path / "connections.yaml"
    head = "# yaml-language-server: $schema=./connections.schema.json\nversion: 1\nconnections:\n  a:\n    provider: "
    with LanguageServer() as server:
        file.write_text(f"{head}\n")
        server.open(file)
        assert set(server.complete(file, 5, 15)) >= {*NAMES}
        file = tmp_path / "datadog.yaml"
        file.write_text(f"{head}datadog\n    region: \n    auth:\n      method: \n")
        server.open(file)
        assert set(server.complete(file, 6, 13)) >= {"us1", "eu1"}
        assert set(server.complete(file, 8, 15)) == {"keys"}
