"""What a person sees who presses TAB: real shells on a pseudo-terminal."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

from tests.completion.test_values import MANIFEST
from tests.conftest import require_peer
from tests.end_to_end.running import COMMAND, run_program

PATIENCE_S = 30
SHELLS = {
    "bash": (["--norc", "--noprofile", "-i"], 'PS1="ready$ "; eval "$(connform completion bash)"'),
    "zsh": (["-f", "-i"], 'autoload -U compinit && compinit -u; PS1="ready$ "; eval "$(connform completion zsh)"'),
    "fish": (
        ["--no-config", "-i"],
        "function fish_prompt; echo -n 'ready$ '; end; connform completion fish | source",
    ),
}
"""Shell → its arguments without anybody's settings, and what a person has in theirs."""


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[pexpect.spawn[str]]:
    yield from started(request.param, tmp_path)


@pytest.fixture
def bash(tmp_path: Path) -> Iterator[pexpect.spawn[str]]:
    yield from started("bash", tmp_path)


def started(name: str, folder: Path) -> Iterator[pexpect.spawn[str]]:
    arguments, setting = SHELLS[name]
    program = require_peer(name)
    (folder / "connections.yaml").write_text(MANIFEST)
    environment = {
        "HOME": str(folder),
        "PATH": f"{Path(COMMAND).parent}:{os.environ['PATH']}",
        "TERM": "dumb",
        "LANG": "C.UTF-8",
        "INPUTRC": "/dev/null",
    }
    child: pexpect.spawn[str] = pexpect.spawn(
        program, arguments, cwd=str(folder), env=environment, encoding="utf-8", timeout=PATIENCE_S
    )
    child.sendline(setting)
    child.sendline("echo set-$((40 + 2)) up" if name != "fish" else "echo set-(math 40 + 2) up")
    child.expect("set-42 up")
    yield child
    child.close(force=True)


def test_a_unique_name_is_written_to_its_end(shell: pexpect.spawn[str]) -> None:
    shell.send("connform show acme-e\t")
    shell.expect("acme-eu")
    shell.send("\r")
    shell.expect(r"https://sandbox\.syngrafii\.eu/api/v1")


def test_several_names_are_shown(shell: pexpect.spawn[str]) -> None:
    shell.send("connform check -c acme-\t\t")
    for _ in range(2):
        shell.expect(r"acme-(us|eu)\b")


def test_a_verb_and_a_flag_are_completed(shell: pexpect.spawn[str]) -> None:
    shell.send("connform vali\t --no-inp\t -f connections.yaml\r")
    shell.expect("2 connections in 1 file: no errors")


def test_an_unknown_shell_is_refused_and_the_likeliest_named(tmp_path: Path) -> None:
    ended = run_program(COMMAND, "completion", "bsh", cwd=tmp_path)
    assert (ended.code, ended.out) == (64, "")
    assert "did you mean `bash`?" in ended.err


@pytest.mark.parametrize("line", ["connform show \t", "connform list --tag \t", "connform fmt $\t"])
def test_tab_puts_no_code_of_a_manifest_into_the_line(bash: pexpect.spawn[str], line: str, tmp_path: Path) -> None:
    code = "$(touch${IFS}made)"
    connection = (
        f'{{environment: sandbox, region: us, tags: ["{code}"], auth: {{method: api_key, api_key: "env://A"}}}}'
    )
    (tmp_path / "connections.yaml").write_text(f'version: 1\nconnections:\n  "{code}": {connection}\n')
    (tmp_path / f"{code}.yaml").touch()
    bash.send(f"{line}\r")
    bash.sendline("echo ended-$((40 + 3))")
    bash.expect("ended-43")
    assert not (tmp_path / "made").exists()
