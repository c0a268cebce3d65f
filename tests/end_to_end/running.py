"""Runs the installed `connform` as a process of its own, in a clean environment, and says how it ended."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from connform.cli.main import main
from tests.canary import API_KEY, VARIABLE, assert_no_canary
from tests.end_to_end.forked import Forked

COMMAND = str(Path(sys.executable).with_name("connform"))
KEY_VARIABLE = "ACME_KEY"
"""The variable to which the manifests of these tests refer."""
KEY = {KEY_VARIABLE: API_KEY}
"""An environment in which the reference leads to the canary."""
PATIENCE_S = 100.0
AS_INSTALLED = {"PYTHONPATH": str(Path(__file__).parents[1] / "as_installed")}
"""Hides from a command what only the tests need."""
_OF_THE_INTERPRETER = ("LANG", "LC_", "PYTHON")
"""What variables begin with that a new interpreter reads."""


@dataclass(frozen=True)
class Run:
    """How a command ended."""

    code: int
    out: str
    err: str
    elapsed_s: float

    @cached_property
    def report(self) -> dict[str, Any]:
        """What `--format json` printed."""
        try:
            report: dict[str, Any] = json.loads(self.out)
        except ValueError:
            pytest.fail(f"exit code {self.code}, no JSON on standard output\n{self.out}\n{self.err}", pytrace=False)
        return report

    @property
    def connections(self) -> dict[str, dict[str, Any]]:
        """The connections of the report by name."""
        return {connection["name"]: connection for connection in self.report["connections"]}

    @property
    def connection(self) -> dict[str, Any]:
        """The only connection of the report."""
        (connection,) = self.connections.values()
        return connection


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment of a process that has nothing but what it is given."""
    kept = {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_") or name == VARIABLE}
    return {"PATH": os.environ.get("PATH", os.defpath), "HOME": "/nonexistent", **kept, **(extra or {})}


def command_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment of a command, from which what only the tests need is hidden."""
    paths = [*AS_INSTALLED.values(), *filter(None, [(extra or {}).get("PYTHONPATH")])]
    return environment({**(extra or {}), "PYTHONPATH": os.pathsep.join(paths)})


def run(
    *argv: str | Path,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    before: Sequence[str | Path] = (),
    stdin: str | None = None,
) -> Run:
    """Run `connform` to its end.

    Args:
        argv: its arguments.
        cwd: where.
        env: variables beyond the bare necessities.
        before: a command that runs it: `unshare`, or a script.
        stdin: what it can read.
    """
    started_at = time.monotonic()
    given = subprocess.DEVNULL if stdin is None else subprocess.PIPE
    with start(*argv, cwd=cwd, env=env, before=before, stdin=given) as process:
        return _ended(process, stdin, PATIENCE_S, started_at)


def start(
    *argv: str | Path,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    before: Sequence[str | Path] = (),
    stdin: int = subprocess.DEVNULL,
    stdout: int = subprocess.PIPE,
    stderr: int = subprocess.PIPE,
) -> subprocess.Popen[str]:
    """Begin `connform`, and return its process, whose streams are text: `run` and `subprocess.Popen` say what is given."""
    variables = command_environment(env)
    own_interpreter = any(name.startswith(_OF_THE_INTERPRETER) for name in variables.keys() - {"PYTHONPATH"})
    begin = subprocess.Popen if before or own_interpreter else Forked
    command = [*map(str, before), COMMAND, *map(str, argv)]
    return begin(command, cwd=cwd, env=variables, stdin=stdin, stdout=stdout, stderr=stderr, text=True)


def start_program(*argv: str | Path, env: Mapping[str, str], before: Sequence[str] = ()) -> subprocess.Popen[str]:
    """Begin a Python program that uses connform, all of whose streams are pipes of text.

    Args:
        argv: its file and its arguments.
        env: variables beyond the bare necessities.
        before: a command that runs it.
    """
    command = [*before, sys.executable, *map(str, argv)] if before else [*map(str, argv)]
    pipe = subprocess.PIPE
    return (subprocess.Popen if before else Forked)(
        command, env=command_environment(env), stdin=pipe, stdout=pipe, stderr=pipe, text=True
    )


def run_here(*argv: str | Path, cwd: Path, env: Mapping[str, str] | None = None, stdin: str | None = None) -> Run:
    """Run a command line in this process, to its end: a fifth of the cost of an interpreter, where nothing depends on one."""
    started_at = time.monotonic()
    wanted = environment(env)
    out, err = io.BytesIO(), io.BytesIO()
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryFile("w+") as given:
        given.write(stdin or "")
        given.seek(0)
        patch.chdir(cwd)
        for name in set(os.environ) - set(wanted):
            patch.delenv(name)
        for name, value in wanted.items():
            patch.setenv(name, value)
        streams = [io.TextIOWrapper(buffer, "utf-8", newline="", write_through=True) for buffer in (out, err)]
        for name, stream in zip(("stdin", "stdout", "stderr"), (given, *streams), strict=True):
            patch.setattr(sys, name, stream)
        code = main([str(argument) for argument in argv])
    assert_no_canary(out.getvalue(), err.getvalue(), where="the command")
    return Run(code, out.getvalue().decode(), err.getvalue().decode(), time.monotonic() - started_at)


def run_program(
    *argv: str | Path,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    stdin: str | None = None,
    limit_s: float = PATIENCE_S,
) -> Run:
    """Run any program to its end, which has to come within a limit."""
    started_at = time.monotonic()
    with subprocess.Popen(
        [str(argument) for argument in argv],
        cwd=cwd,
        env=environment(env),
        stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        return _ended(process, stdin, limit_s, started_at)


def _ended(process: subprocess.Popen[str], stdin: str | None, limit_s: float, started_at: float) -> Run:
    try:
        out, err = process.communicate(stdin, timeout=limit_s)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    return Run(process.returncode, out, err, time.monotonic() - started_at)


def manifest(**connections: Mapping[str, Any]) -> str:
    """Return a manifest; each connection is completed with what it needs besides what is given."""
    return json.dumps({"version": 1, "connections": {name: complete(given) for name, given in connections.items()}})


def complete(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return a connection with the provider's necessary keys; a private iinked Sign unless it says otherwise."""
    auth = {"method": "api_key", "api_key": f"env://{KEY_VARIABLE}"}
    if given.get("provider") == "http":
        check = {"path": "/me", "expect": {"body": {"required": ["id"]}}}
        return {"check": check, "auth": auth, **given}
    return {"environment": "private", "auth": auth, **given}


def offline() -> list[str]:
    """Return a command before which there is no network but loopback; skip where the machine does not permit it."""
    unshare, ip = shutil.which("unshare"), shutil.which("ip", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if unshare is None or ip is None:
        pytest.skip("unshare or ip is not installed")
    cut = [unshare, "--net", "--mount"] if os.geteuid() == 0 else [unshare, "--map-root-user", "--net", "--mount"]
    begin = [*cut, "sh", "-c", f'{ip} link set lo up && exec "$@"', "sh"]
    if subprocess.run([*begin, "true"], check=False, capture_output=True).returncode:
        pytest.skip("this machine permits no network namespaces")
    return begin
