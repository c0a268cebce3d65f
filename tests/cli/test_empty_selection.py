"""A selection that leaves nothing is no success, whatever verb it is for: nothing was looked at."""

from __future__ import annotations

from pathlib import Path

import pytest

from connform.cli.main import main

MANIFEST = """\
version: 1
connections:
  acme: {environment: sandbox, region: us, tags: [ci], auth: {method: api_key, api_key: env://KEY}}
"""
VERBS = ("validate", "list", "check", "plan", "apply --yes", "secrets check", "graph", "login", "state list")


@pytest.fixture(autouse=True)
def manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "connections.yaml").write_text(MANIFEST)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("flags", ["--tag nosuch", "--exclude nosuch --exclude *", "-c nosuch"])
def test_an_unknown_name_or_tag_is_an_error_unless_it_is_allowed(
    verb: str, flags: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*verb.split(), *flags.split()]) == 64
    assert "nosuch" in capsys.readouterr().err
    assert main([*verb.split(), *flags.split(), "--allow-empty"]) == 0


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb != "state list"])
def test_names_and_tags_that_exclude_each_other_are_an_error(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*verb.split(), "--tag", "ci", "--exclude", "a*"]) == 64
    assert "the selection leaves no connection" in capsys.readouterr().err


def test_recorded_state_can_t_be_compared_with_a_commit(capsys: pytest.CaptureFixture[str]) -> None:
    """The flag chose nothing, and everything was listed."""
    assert main(["state", "list", "--changed-since", "HEAD"]) == 64
    assert "doesn't take --changed-since" in capsys.readouterr().err


def test_a_shard_may_be_empty(capsys: pytest.CaptureFixture[str]) -> None:
    codes = [main(["plan", "--tag", "ci", "--shard", f"{number}/3"]) for number in (1, 2, 3)]
    assert codes == [0, 0, 0]
    assert capsys.readouterr().out.count("no connections in 1 file") == 2


def test_a_saved_plan_that_may_be_empty_can_be_applied() -> None:
    """What it chooses was agreed on when it was made."""
    assert main(["plan", "--tag", "nosuch", "--allow-empty", "--out", "plan.json"]) == 0
    assert main(["apply", "--plan", "plan.json"]) == 0


def test_errors_of_a_manifest_are_said_before_an_unknown_tag(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """One of them may hide the connection that has it."""
    (tmp_path / "connections.yaml").write_text(MANIFEST.replace("acme:", "acme: null\n  other:").replace("[ci]", "[]"))
    assert main(["validate", "--tag", "ci"]) == 1
    assert "wrong-type" in capsys.readouterr().out
