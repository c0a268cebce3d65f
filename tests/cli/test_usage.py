"""A usage error is 64, helps, and never repeats a value that may be a secret."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import pexpect
import pytest

from tests.canary import API_KEY
from tests.cli.conftest import Connform, FakeEngine
from tests.end_to_end.running import COMMAND

WRONG = {
    "unknown command": [API_KEY],
    "extra argument": ["version", API_KEY],
    "path for a name": ["list", f"./{API_KEY}"],
    "wrong choice": ["graph", "--format", API_KEY],
    "page": ["help", API_KEY],
    "subcommand": ["help", "state", API_KEY],
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
        (["check", "--timeout", "soon"], "invalid value for --timeout: expected a number"),
        (["check", "--parallelism", "soon"], "invalid value for --parallelism: expected an integer"),
        (["show"], "missing: NAME\nhint: for example: `connform show customer-globex`"),
        (["exec"], "missing: NAME... -- COMMAND\nhint: for example: `connform exec sandbox-us -- ./import.sh`"),
        (["exec", "sandbox-us"], "connform exec sandbox-us -- ./"),
        (["request", "sandbox-us"], "missing: METHOD\nhint: for example: `connform request sandbox-us POST"),
        (["token", "a", "b"], "unexpected extra argument\nhint: for example: `connform token customer-globex"),
        (["state", "mv", "a"], "an old name and a new one"),
        (["state", "copy"], "`state copy` takes a target"),
        (["state", "copy", "one", "--to", "sqlite:///x"], "`state copy` takes no names"),
        (["state", "list", "--to", "sqlite:///x"], "`state list` takes no option of `state copy`"),
        (["state", "copy", "--to", "sqlite:///x", "--new-key", "env://K"], "no option of `state rotate-key`"),
        (["state", "copy", "--to", "postgresql://me:it@db/x"], "--to holds a password"),
        (
            ["state"],
            "missing: {list|show|history|rm|mv|export|copy|rotate-key}\nhint: for example: `connform state list`",
        ),
        (["state", "lst"], "expected list or show or"),
        (["graph", "--format", "json"], "invalid value for --format: expected mermaid or dot or svg"),
        (["--format", "json", "graph"], "--format of `connform graph` stands behind the command"),
        (["plan", "--simulate"], "`connform plan` doesn't take --simulate\nhint: it is an option of check, monitor"),
        (["version", "--tag", "x"], "`connform version` doesn't take --tag"),
        (["--tag", "x", "version"], "`connform version` doesn't take --tag"),
        (["completion", "bash", "--format", "json"], "`connform completion` doesn't take --format"),
        (["schema", "--tag", "z"], "`connform schema` doesn't take --tag"),
        (["explain", "--format", "sarif"], "--format takes text or json here"),
        (["--format", "sarif", "explain"], "--format takes text or json here"),
        (["init", "--tag", "x"], "`connform init` doesn't take --tag"),
        (["fmt", "-c", "x"], "`connform fmt` doesn't take -c"),
        (["check", "-C", "x"], "-C stands before the command\nhint: connform -C FOLDER COMMAND"),
        (["-C", "/nowhere", "check"], "-C: can't change into /nowhere: No such file or directory"),
        (["check", "--color", "sometimes"], "invalid value for --color: expected auto or always or never"),
        (["frobnicate"], "unknown command\nhint: the commands are init, validate,"),
        (["help", "rotatoin"], "did you mean `rotation`?"),
        (["help", "xyz"], "no command and no page of the manual has that name\nhint: `connform help` lists them"),
        (["help", "state", "lst"], "`connform state` has no such subcommand\nhint: did you mean `list`?"),
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


def test_no_word_of_an_error_is_broken_by_the_edge_of_a_terminal(tmp_path: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "TERM": "dumb", "LANG": "C.UTF-8"}
    with pexpect.spawn(COMMAND, ["frobnicate"], env=environment, encoding="utf-8", timeout=30) as terminal:
        terminal.expect(pexpect.EOF)
    lines = str(terminal.before).splitlines()
    assert len(lines) > 3
    assert max(map(len, lines)) <= 80


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
        "error: invalid value for CONNFORM_DEBUG: expected a boolean",
    )
