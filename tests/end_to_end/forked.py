"""Starts a command as a child of `command_server.py`, of which each process of the tests starts one, with its first command."""

from __future__ import annotations

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from select import select
from typing import Any

_PROGRAM = Path(__file__).with_name("command_server.py")
_HIDING = Path(__file__).parents[1] / "as_installed"
_SERVERS: list[tuple[subprocess.Popen[bytes], socket.socket]] = []


class Forked(subprocess.Popen[str]):
    """A command that the server forks for; all else is as `subprocess.Popen` has it, which is told here how to begin and to wait."""

    _answers: socket.SocketIO

    def _execute_child(self, args: list[str | Path], *given: Any) -> None:
        cwd, env, *_ = given[4:]
        pipes = given[9:15]
        request = {
            "argv": [*map(str, args)],
            "cwd": os.fspath(cwd or os.getcwd()),
            "env": dict(env),
            "ignored": [number for number in signal.valid_signals() if signal.getsignal(number) is signal.SIG_IGN],
        }
        streams = [number if pipe == -1 else pipe for number, pipe in enumerate((pipes[0], pipes[3], pipes[5]))]
        ours, theirs = socket.socketpair()
        with ours, theirs:
            socket.send_fds(_control(), [b"\0"], [theirs.fileno(), *streams])
            ours.sendall(json.dumps(request).encode() + b"\n")
            self._answers = ours.makefile("rb", buffering=0)
        self.pid = int(self._answers.readline())
        self._child_created = True
        self._close_pipe_fds(*pipes)  # type: ignore[attr-defined]

    def _wait(self, timeout: float | None) -> int:
        if self.returncode is None and not select([self._answers], [], [], timeout)[0]:
            assert timeout is not None
            raise subprocess.TimeoutExpired(self.args, timeout)
        with self._waitpid_lock:  # type: ignore[attr-defined]
            if self.returncode is None:
                self.returncode = int(self._answers.readline())
                self._answers.close()
        return self.returncode

    def _internal_poll(self, **_: Any) -> int | None:
        try:
            return self._wait(0)
        except subprocess.TimeoutExpired:
            return None


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


@atexit.register
def _end() -> None:
    """End the server with the process of the tests: it ends when its socket is closed."""
    for server, control in _SERVERS:
        control.close()
        server.wait()
    _SERVERS.clear()
