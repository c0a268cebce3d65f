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
from importlib import import_module, invalidate_caches
from pkgutil import walk_packages
from runpy import run_path
from typing import Any, NoReturn

import connform
from connform.cli.main import main

_LIBRARIES = ("asyncio", "cryptography.x509", "httpx", "importlib.metadata", "jsonschema", "sqlite3", "ssl")
"""What commands import when they need it."""


def _import_all() -> None:
    for name in _LIBRARIES:
        import_module(name)
    for module in walk_packages(connform.__path__, "connform."):
        if not module.name.startswith("connform.testing") and not module.name.endswith("__main__"):
            import_module(module.name)


def _serve(control: socket.socket) -> None:
    """Fork for each message, until the other end is closed."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the processes that keep commands
    while descriptors := socket.recv_fds(control, 1, 4)[1]:
        if not os.fork():
            control.close()
            _keep(*descriptors)
        for descriptor in descriptors:
            os.close(descriptor)


def _keep(client: int, *streams: int) -> NoReturn:
    """Fork once more for the command; tell the client its process id, then how it ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with open(client, "r+b", buffering=0) as answers:
        request = json.loads(answers.readline())
        pid = os.fork()
        if pid:
            for stream in streams:
                os.close(stream)
            answers.write(b"%d\n" % pid)
            answers.write(b"%d\n" % os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
            os._exit(0)
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
