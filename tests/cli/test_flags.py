"""Flags stand before and after the verb: lists concatenate, and of single values the later wins."""

from __future__ import annotations

from pathlib import Path

import pytest

from connform.cli.options import Options
from connform.engine.run.progress import SILENT
from connform.engine.run.state_location import StateLocation
from tests.cli.conftest import Connform, FakeEngine
from tests.reporters.samples import SAMPLES

LISTS = ["-f", "a", "-c", "b*", "--exclude", "c", "--tag", "d", "--policy", "e"]


@pytest.mark.parametrize("verb", ["check", "apply", "list"])
def test_lists_concatenate(connform: Connform, engine: FakeEngine, verb: str) -> None:
    more = [value.upper() if not value.startswith("-") else value for value in LISTS]
    assert connform(*LISTS, verb, *more).code == 0
    (files, selection, policies), _ = engine.calls[0]
    assert files == ("a", "A")
    assert selection.names == ("b*", "B*")
    assert selection.exclude == ("c", "C")
    assert selection.tags == ("d", "D")
    assert policies == ("e", "E")


@pytest.mark.parametrize("verb", ["check", "apply", "list"])
def test_names_by_position_are_those_of_c(connform: Connform, engine: FakeEngine, verb: str) -> None:
    assert connform("-c", "a", verb, "-c", "b*", "c", "d*").code == 0
    assert engine.calls[0][0][1].names == ("a", "b*", "c", "d*")


@pytest.mark.parametrize(
    ("variable", "argv", "policies"),
    [
        ("a:b/c", ["check"], ("a", "b/c")),
        ("a", ["--policy", "x", "check"], ("x",)),
        ("a", ["check", "--policy", "y"], ("y",)),
        ("a", ["--policy", "x", "check", "--policy", "y"], ("x", "y")),
        ("", ["check"], ()),
    ],
)
def test_a_flag_replaces_its_variable(
    connform: Connform,
    engine: FakeEngine,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    argv: list[str],
    policies: tuple[str, ...],
) -> None:
    monkeypatch.setenv("CONNFORM_POLICY", variable)
    monkeypatch.setenv("CONNFORM_PARALLELISM", "7")
    assert connform(*argv).code == 0
    (_, _, given), named = engine.calls[0]
    assert (given, named["parallelism"]) == (policies, 7)


@pytest.mark.parametrize(("value", "said"), [("many", "expected an integer"), ("0", "takes a number above zero")])
def test_a_wrong_variable_is_named(
    connform: Connform, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch, value: str, said: str
) -> None:
    monkeypatch.setenv("CONNFORM_PARALLELISM", value)
    run = connform("check")
    assert (run.code, engine.calls) == (64, [])
    assert "CONNFORM_PARALLELISM" in run.err
    assert said in run.err


def test_chdir_is_as_if_started_there(
    connform: Connform, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Also for flags before it, whose paths are looked at only then."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a" / "b").mkdir(parents=True)
    assert connform("--output", "b/report", "-C", "a", "check").code == 0
    assert (tmp_path / "a" / "b" / "report").exists()
    assert Path.cwd() == tmp_path / "a"


@pytest.mark.parametrize("argv", [["-f", "x", "list"], ["list", "-f", "x"]])
def test_one_place_is_enough(connform: Connform, engine: FakeEngine, argv: list[str]) -> None:
    connform(*argv)
    assert engine.calls[0][0][0] == ("x",)


@pytest.mark.parametrize("verb", ["check", "apply"])
def test_flags_of_verbs_with_a_network(connform: Connform, engine: FakeEngine, verb: str) -> None:
    network = ("simulate", "parallelism", "timeout_s", "progress", "state")
    connform(verb)
    connform(
        verb, "--simulate", "--parallelism", "7", "--timeout", "2.5", "--state", "sqlite:///x", "--state-key", "env://K"
    )
    default, given = ({key: named[key] for key in network} for _, named in engine.calls)
    assert default == {
        "simulate": False,
        "parallelism": 100,
        "timeout_s": None,
        "progress": SILENT,
        "state": StateLocation(),
    }
    assert given == {
        "simulate": True,
        "parallelism": 7,
        "timeout_s": 2.5,
        "progress": SILENT,
        "state": StateLocation("sqlite:///x", "env://K"),
    }


def test_the_format_after_the_verb_wins(connform: Connform, engine: FakeEngine) -> None:
    engine.result = SAMPLES["check-ready"]
    assert connform("--format", "text", "check", "--format", "json").out.startswith("{")
    assert connform("--format", "json", "check").out.startswith("{")
    assert not connform("--format", "json", "check", "--format", "text").out.startswith("{")


def test_the_output_after_the_verb_wins(connform: Connform, engine: FakeEngine, tmp_path: Path) -> None:
    run = connform("--output", f"{tmp_path}/before", "check", "--output", f"{tmp_path}/after")
    assert (run.code, run.out) == (0, "")
    assert [file.name for file in tmp_path.iterdir()] == ["after"]


def test_the_commit_after_the_verb_wins(connform: Connform, engine: FakeEngine) -> None:
    connform("--changed-since", "main", "list", "--changed-since", "-x")
    connform("--changed-since", "main", "list")
    connform("list")
    assert [selection.changed_since for (_, selection, _), _ in engine.calls] == ["-x", "main", ""]


def test_an_empty_commit_is_an_unset_variable(connform: Connform, engine: FakeEngine) -> None:
    run = connform("list", "--changed-since", "")
    assert (run.code, engine.calls) == (64, [])
    assert "--changed-since takes a commit" in run.err


@pytest.mark.parametrize("argv", [["-q", "check"], ["check", "-q"], ["-v", "check", "-q"]])
def test_quiet(connform: Connform, engine: FakeEngine, argv: list[str]) -> None:
    engine.result = SAMPLES["check-ready"]
    assert connform(*argv).out == ""


@pytest.mark.parametrize("argv", [["show", "x", "--origin"], ["show", "x", "-v"], ["-v", "show", "x"]])
def test_origin(connform: Connform, engine: FakeEngine, argv: list[str]) -> None:
    engine.result = SAMPLES["show"]
    assert "template portal" in connform(*argv).out
    assert "template portal" not in connform("show", "x").out


def test_verbosity() -> None:
    assert [Options(quiet=quiet, verbose=2).verbosity for quiet in (True, False)] == [-1, 2]
