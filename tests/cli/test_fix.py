"""`connform validate --fix`: mends files, says so, then validates them as any other."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest

from tests.cli.conftest import Connform

TEMPLATES = "version: 1\ntemplates:\n  portal: {environment: Sandbox, region: US}  # shared\nconnections: {}\n"
CONNECTIONS = """\
version: 1
connections:
  one: {extends: portal, auth: {method: api-key, api_key: "${ACME_KEY}"}}
  two: {extends: portals, auth: {method: api_key, api_key: env://ACME_KEY}}
"""
MENDED = """\
connections/a.yaml:3:25: mended Sandbox → sandbox
connections/a.yaml:3:42: mended US → us
mended 2 in connections/a.yaml
connections/b.yaml:3:41: mended api-key → api_key
connections/b.yaml:3:60: mended ${ACME_KEY} → env://ACME_KEY
mended 2 in connections/b.yaml
"""
DIFF = """\
--- connections/a.yaml
+++ connections/a.yaml
@@ -1,4 +1,4 @@
 version: 1
 templates:
-  portal: {environment: Sandbox, region: US}  # shared
+  portal: {environment: sandbox, region: us}  # shared
 connections: {}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "connections").mkdir()
    (tmp_path / "connections" / "a.yaml").write_text(TEMPLATES)
    (tmp_path / "connections" / "b.yaml").write_text(CONNECTIONS)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "connections"


def test_what_is_certain_is_mended_and_the_rest_reported(connform: Connform, folder: Path) -> None:
    run = connform("validate", "--fix", "--format", "json")
    assert run.err == MENDED
    assert (folder / "a.yaml").read_text() == TEMPLATES.replace("Sandbox", "sandbox").replace("US", "us")
    mended = CONNECTIONS.replace("api-key", "api_key").replace("${ACME_KEY}", "env://ACME_KEY")
    assert (folder / "b.yaml").read_text() == mended
    left = json.loads(run.out)
    assert [(one["code"], one["hint"]) for one in left["diagnostics"]] == [
        ("unknown-template", "did you mean `portal`?")
    ]
    assert run.code == 1


def test_a_diff_shows_what_would_be_mended_and_writes_nothing(connform: Connform, folder: Path) -> None:
    run = connform("validate", "--fix", "--diff")
    assert (folder / "a.yaml").read_text() == TEMPLATES
    assert run.out.startswith(f"{DIFF}--- connections/b.yaml\n")
    assert run.err == MENDED.replace("mended", "would mend")
    assert run.code == 1
    assert "give both" in connform("validate", "--diff").err


def test_a_report_says_what_can_be_mended(connform: Connform, folder: Path) -> None:
    assert connform("validate").out.endswith("4 errors\n3 of 4 can be mended: `connform validate --fix`\n")
    assert "mended" not in connform("validate", "--fix").out


def test_a_second_run_mends_nothing_and_says_nothing(connform: Connform, folder: Path) -> None:
    connform("validate", "--fix", "-q")
    before = [(file.read_bytes(), file.stat().st_mtime_ns) for file in sorted(folder.iterdir())]
    assert connform("validate", "--fix").err == ""
    assert [(file.read_bytes(), file.stat().st_mtime_ns) for file in sorted(folder.iterdir())] == before


def test_quiet_mends_without_a_word(connform: Connform, folder: Path) -> None:
    assert connform("validate", "--fix", "--quiet").err == ""
    assert "us" in (folder / "a.yaml").read_text()


def test_without_the_flag_nothing_is_written(connform: Connform, folder: Path) -> None:
    connform("validate")
    assert (folder / "b.yaml").read_text() == CONNECTIONS


def test_modes_and_links_stay(connform: Connform, folder: Path) -> None:
    (folder / "a.yaml").rename(folder.parent / "elsewhere.yaml")
    (folder / "a.yaml").symlink_to("../elsewhere.yaml")
    (folder.parent / "elsewhere.yaml").chmod(0o640)
    connform("validate", "--fix")
    assert (folder / "a.yaml").is_symlink()
    assert os.stat(folder.parent / "elsewhere.yaml").st_mode & 0o777 == 0o640
    assert "us" in (folder.parent / "elsewhere.yaml").read_text()
    assert sorted(os.listdir(folder)) == ["a.yaml", "b.yaml"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["-f", "-"], "--fix writes files, and `-` is none"),
        (["-"], "--fix writes files, and `-` is none"),
        (["-c", "one"], "--fix mends whole files"),
        (["--exclude", "one"], "--fix mends whole files"),
        (["--tag", "x"], "--fix mends whole files"),
        (["--changed-since", "main"], "--fix mends whole files"),
    ],
)
def test_what_is_no_whole_file_is_not_mended(connform: Connform, folder: Path, more: list[str], said: str) -> None:
    run = connform("validate", "--fix", *more)
    assert (run.code, run.out) == (64, "")
    assert said in run.err
    assert (folder / "b.yaml").read_text() == CONNECTIONS


def test_a_file_that_cannot_be_written_is_a_usage_error(
    connform: Connform, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(name: str, content: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("connform.engine.fix.replace_content", full)  # root, who runs tests, may write everything
    run = connform("validate", "--fix")
    assert (run.code, run.out) == (64, "")
    assert run.err.startswith("error: can't write connections/a.yaml: No space left on device\n")
    assert (folder / "a.yaml").read_text() == TEMPLATES


def test_only_the_named_files_are_mended(connform: Connform, folder: Path) -> None:
    run = connform("validate", "--fix", "connections/b.yaml")
    assert "unknown-template" in run.out
    assert (folder / "a.yaml").read_text() == TEMPLATES
