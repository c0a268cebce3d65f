"""A usage error is 64, helps, and never repeats a value that may be a secret."""

from __future__ import annotations

import gc
import re
from importlib import import_module

import pytest

from connform.cli import VERBS
from connform.reporters import FORMATS
from tests.canary import API_KEY
from tests.cli.conftest import Connform, FakeEngine

COMMON_FLAGS = {
    *("-f", "--file", "-c", "--connection", "--exclude", "--tag", "--changed-since", "--allow-empty", "--policy"),
    *(
        "--format",
        "--output",
        "--no-color",
        "--no-input",
        "-q",
        "--quiet",
        "-v",
        "--verbose",
        "--debug",
        "--debug-plugins",
    ),
}
WRONG = {
    "unknown command": [API_KEY],
    "extra argument": ["list", API_KEY],
    "extra argument of show": ["show", "x", API_KEY],
    "unknown option": ["check", f"--api-key={API_KEY}"],
    "wrong number": ["check", "--parallelism", API_KEY],
    "wrong float": ["check", "--timeout", API_KEY],
    "wrong format": ["check", "--format", API_KEY],
    "value for a flag": ["check", f"--simulate={API_KEY}"],
    "json": ["request", "x", "POST", "/", "--json", f"{{{API_KEY}"],
    "data": ["request", "x", "POST", "/", "--data", API_KEY],
    "header": ["request", "x", "GET", "/", "-H", API_KEY],
    "schema": ["schema", API_KEY],
    "output": ["validate", "--output", f"/nowhere/{API_KEY}"],
}


@pytest.mark.parametrize("wrong", WRONG)
def test_no_usage_error_repeats_a_value(connform: Connform, engine: FakeEngine, wrong: str) -> None:
    run = connform(*WRONG[wrong])
    assert (run.code, run.out) == (64, "")
    assert run.err.startswith("error: ")
    assert "hint: " in run.err
    assert API_KEY not in run.err
    assert not engine.calls


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["chek"], "did you mean `check`?"),
        (["check", "--simulat"], "`--simulate`"),
        (["check", "--format", "jsn"], "did you mean `json`?"),
        (["check", "--parallelism", "0"], "--parallelism takes a number above zero"),
        (["check", "--timeout", "nan"], "--timeout takes a number above zero"),
        (["check", "--timeout", "soon"], "invalid value for --timeout: expected float"),
        (["show"], "missing: 'NAME'"),
        (["check", "--timeout"], "requires an argument"),
        (["check", "--format", "text", "--format", "json"], "only one format can go to standard output"),
        (["check", "--format", "json="], "FORMAT=FILE"),
        (["request", "x", "GET", "/", "--json", "{}", "--data", "-"], "exclude each other"),
        (["request", "x", "GET", "/", "--data", "@/nowhere"], "No such file or directory"),
        (["schema", "reprot"], "did you mean `report`?"),
        (["list", "envs/prod"], "`-f PATH` names a manifest or a folder"),
        (["secrets", "check", "envs/prod"], "`-f PATH` names a manifest or a folder"),
    ],
)
def test_a_usage_error_helps(connform: Connform, engine: FakeEngine, argv: list[str], said: str) -> None:
    run = connform(*argv)
    assert run.code == 64
    assert said in run.err
    assert not engine.calls


@pytest.mark.parametrize("argv", [[], ["-f", "x"], ["--no-color"]])
def test_without_a_verb_the_help_is_an_error(connform: Connform, argv: list[str]) -> None:
    run = connform(*argv)
    assert (run.code, run.out) == (64, "")
    assert run.err.startswith("Usage: connform")


@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_lists_every_verb_in_order(connform: Connform, flag: str) -> None:
    run = connform(flag)
    lines = run.out[run.out.index("Commands:") :].splitlines()[1:]
    assert run.code == 0
    assert [line.split(maxsplit=1) for line in lines] == [[verb, text] for verb, (_, text) in VERBS.items()]


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_describes_itself_as_its_table_does_and_takes_the_common_flags(connform: Connform, verb: str) -> None:
    command = import_module(VERBS[verb][0]).command
    assert (command.help or "").splitlines()[0] == VERBS[verb][1]
    assert {flag for option in command.params for flag in option.opts} >= COMMON_FLAGS
    run = connform(verb, "--help")
    assert run.code == 0
    assert "Flags of every command: `connform --help`." in run.out
    assert "--changed-since" not in run.out


def test_the_common_flags_are_described_once(connform: Connform) -> None:
    lines = connform("--help").out.splitlines()
    assert all(sum(f"{flag} " in f"{line} " for line in lines) == 1 for flag in COMMON_FLAGS if flag.startswith("--"))


def test_help_names_every_format(connform: Connform) -> None:
    words = re.findall(r"\w+", connform("--help").out)
    assert set(FORMATS) <= set(words)


def test_version(connform: Connform) -> None:
    assert connform("--version").out == connform("version").out
    assert "Python" in connform("version", "-v").out
    assert '"Python"' in connform("version", "--format", "json").out


def test_the_collector_is_off(connform: Connform) -> None:
    connform("--help")
    assert not gc.isenabled()


def test_a_wrong_value_of_a_variable_names_the_variable(connform: Connform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONNFORM_DEBUG", API_KEY)
    run = connform("list")
    assert (run.code, run.err.splitlines()[0]) == (
        64,
        "error: invalid value for --debug or CONNFORM_DEBUG: expected boolean",
    )
