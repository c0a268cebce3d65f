"""Ignore comments and policies: what a team demands itself can be ignored where it is a warning. Cases: `broken/ignore-*`."""

from __future__ import annotations

from pathlib import Path

import pytest

from connform.engine.validate import validate

MANIFEST = """\
version: 1
connections:
  acme:  # connform: ignore[owner-missing]
    environment: sandbox
    region: us
    auth: {method: api_key, api_key: env://ACME_KEY}
"""
POLICY = """\
version: 1
policies:
  owner-missing:
    message: every connection has an owner
    severity: SEVERITY
    schema: {required: [owner]}
"""


@pytest.mark.parametrize(
    ("severity", "said"),
    [
        ("warning", []),
        ("error", ["owner-missing", "unused-ignore"]),
    ],
)
def test_a_policy_is_ignored_where_it_is_a_warning(tmp_path: Path, severity: str, said: list[str]) -> None:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "owner.yaml").write_text(POLICY.replace("SEVERITY", severity))
    (tmp_path / "connections.yaml").write_text(MANIFEST)
    report = validate([str(tmp_path / "connections.yaml")])
    assert [one.code for one in report.diagnostics] == said


def test_without_the_policy_its_ignore_is_unused(tmp_path: Path) -> None:
    (tmp_path / "connections.yaml").write_text(MANIFEST)
    report = validate([str(tmp_path / "connections.yaml")])
    (one,) = report.diagnostics
    assert (one.code, one.detail) == ("unused-ignore", "no diagnostic of this run has that code: remove it")
    assert (one.span.line, one.span.column, one.span.end_column) == (3, 29, 42)


def test_an_ignore_counts_in_its_own_file_only(tmp_path: Path) -> None:
    unused = "version: 1\ntemplates:\n  t: {region: us}\n"
    (tmp_path / "a.yaml").write_text(
        unused.replace("}", "}  # connform: ignore[unused-template]") + "connections: {}\n"
    )
    (tmp_path / "b.yaml").write_text(
        unused.replace("t:", "u:") + MANIFEST.partition("\n")[2].replace("owner-missing", "x")
    )
    said = [(one.code, one.span.line) for one in validate([str(tmp_path)]).diagnostics]
    assert said == [("unused-template", 3), ("unused-ignore", 5)]


def test_another_file_of_the_run_with_an_error_leaves_known_codes_open(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(MANIFEST.replace("owner-missing", "unused-template, nonsense"))
    (tmp_path / "b.yaml").write_text("version: 1\nconnections: []\n")
    report = validate([str(tmp_path)])
    assert [(one.code, one.detail) for one in report.diagnostics] == [
        ("unused-ignore", "no diagnostic of this run has that code: remove it"),
        ("wrong-type", "a mapping (`key: value` lines) belongs here"),
    ]
