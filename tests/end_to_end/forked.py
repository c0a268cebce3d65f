"""Runs a command as a child of `command_server.py`, of which each process of the tests starts one, with its first command."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from tests.canary import assert_no_canary

_PROGRAM = Path(__file__).with_name("command_server.py")
_HIDING = Path(__file__).parents[1] / "as_installed"
_SERVERS: list[tuple[subprocess.Popen[bytes], socket.socket]] = []


def forked(
    argv: Sequence[str], cwd: str, environment: Mapping[str, str], stdin: str, limit_s: float
) -> tuple[int, str, str]:
    """Run a command to its end, which has to come within a limit, and return its exit code and its outputs."""
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        given.write(stdin.encode())
        given.seek(0)
        request = json.dumps({"argv": argv, "cwd": cwd, "env": dict(environment)})
        code = _run(request, (given, out, err), limit_s)
        outputs = _written(out), _written(err)
    assert_no_canary(*outputs, where="the command")
    return code, *outputs


def _written(file: BinaryIO) -> str:
    file.seek(0)
    return file.read().decode()


def _run(request: str, streams: Sequence[BinaryIO], limit_s: float) -> int:
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            descriptors = [theirs.fileno(), *(stream.fileno() for stream in streams)]
            socket.send_fds(_control(), [b"\0"], descriptors)
        ours.settimeout(limit_s)
        with ours.makefile("rw", encoding="utf-8") as answers:
            answers.write(f"{request}\n")
            answers.flush()
            pid = int(answers.readline())
            try:
                return int(answers.readline())
            except TimeoutError:
                os.kill(pid, signal.SIGKILL)
                raise


def _control() -> socket.socket:
    """Return the socket of a server that lives: a test that hangs is ended with all processes that it started."""
    if not _SERVERS or _SERVERS[0][0].poll() is not None:
        ours, theirs = socket.socketpair()
        # The variables of coverage, but nothing of the test that happens to be the first.
        kept = {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}
        with theirs:
            server = subprocess.Popen(
                [sys.executable, _PROGRAM, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env=kept | {"PYTHONPATH": str(_HIDING), "PATH": os.defpath},
            )
        _SERVERS[:] = [(server, ours)]
    return _SERVERS[0][1]
