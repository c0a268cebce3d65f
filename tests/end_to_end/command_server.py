"""A process that has imported connform, and forks for each command, or program that uses it, that a test runs: it spares the imports.

    python command_server.py DESCRIPTOR     of a socket that brings, for each command, a socket and the three standard streams

Each command is a process of its own: its streams, directory, environment, signals and end are real. What it has in common
with the others is the start of the interpreter and what is imported here.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module, invalidate_caches
from io import FileIO
from pkgutil import walk_packages
from runpy import run_path
from typing import Any, NoReturn

import connform
from connform.cli.main import main

_LIBRARIES = ("asyncio", "cryptography.x509", "httpx", "importlib.metadata", "jsonschema", "sqlite3", "ssl")
"""What commands import when they need it."""
_CLIENTS: dict[int, FileIO] = {}
"""Who is to be told how each process that runs ends."""


def _import_all() -> None:
    for name in _LIBRARIES:
        import_module(name)
    for module in walk_packages(connform.__path__, "connform."):
        if not module.name.startswith("connform.testing") and not module.name.endswith("__main__"):
            import_module(module.name)


def _serve(control: socket.socket) -> None:
    """Fork for each message, until the other end is closed."""
    signal.signal(signal.SIGCHLD, _tell_ends)
    while descriptors := socket.recv_fds(control, 1, 4)[1]:
        client, *streams = descriptors
        answers = open(client, "r+b", buffering=0)  # noqa: SIM115  (`_tell_ends` closes it)
        request = json.loads(answers.readline())
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})  # until it is noted who is to be told
        pid = os.fork()
        _CLIENTS[pid] = answers
        if pid == 0:
            control.close()
            _run(request, streams)
        answers.write(b"%d\n" % pid)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
        for stream in streams:
            os.close(stream)


def _tell_ends(*_: object) -> None:
    """Tell those who began commands that have ended how they did. One call may interrupt another: each takes other processes."""
    with suppress(ChildProcessError):  # none is left
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            pid, status = ended
            with _CLIENTS.pop(pid) as answers, suppress(OSError):  # a test need not wait for what it began
                answers.write(b"%d\n" % os.waitstatus_to_exitcode(status))


def _run(request: dict[str, Any], streams: Sequence[int]) -> NoReturn:
    """Be the command from here on."""
    for answers in _CLIENTS.values():
        answers.close()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
    _become(request, streams)
    _end(_run_program() if sys.argv[0].endswith(".py") else main())


def _run_program() -> int:
    run_path(sys.argv[0], run_name="__main__")
    return 0


def _become(request: dict[str, Any], streams: Sequence[int]) -> None:
    """Make this process what a new interpreter would be that runs the command."""
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])
    time.tzset()
    for ending in (signal.SIGHUP, signal.SIGTERM):
        signal.signal(ending, signal.SIG_IGN if ending in request["ignored"] else signal.SIG_DFL)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    sys.argv = request["argv"]
    sys.path[:1] = [os.path.dirname(sys.argv[0]), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    invalidate_caches()


def _end(code: int) -> NoReturn:
    """End as the interpreter does, but for giving back what is imported: two thirds of the cost of a short command."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)


if __name__ == "__main__":
    _import_all()
    with socket.socket(fileno=int(sys.argv[1])) as taken:
        _serve(taken)
