"""Turns a program and its arguments into what it printed: it has so much time and room, and leaves nothing running.

Layer 2; starts processes. A program that is run for a secret has no terminal, no input and no shell, a session of its own,
and the variables that it needs. What it says on its standard error may hold secrets: it is searched, never shown.
"""

from __future__ import annotations

import atexit
import os
import selectors
import signal
import subprocess
from contextlib import suppress
from enum import Enum
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Final, NamedTuple

from connform.environment import variable, variables
from connform.errors import SecretUnresolved
from connform.http.net import deadline
from connform.process_local import ProcessLocal
from connform.programs import absolute_parts, find_program

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MAX_OUTPUT_BYTES: Final = 1024 * 1024
"""No secret is larger."""
_MAX_STDERR_BYTES: Final = 64 * 1024
_CHUNK_BYTES: Final = 64 * 1024
_GRACE_S: Final = 0.3
"""Between SIGTERM and SIGKILL."""
_POLL_S: Final = 0.05
"""How often to look whether the program has ended while something else keeps its pipes open."""
_ORDINARY: Final = frozenset({"PATH", "HOME", "USER", "LOGNAME", "LANG", "TZ", "TMPDIR", "DBUS_SESSION_BUS_ADDRESS"})
_ORDINARY_PREFIXES: Final = ("LC_", "XDG_")

_running: Final = ProcessLocal(set["subprocess.Popen[bytes]"])
_starting: Final = ProcessLocal(Lock)
"""Held until a process that was started is among those that run."""
_START_WAIT_S: Final = 2.0
"""For which a command that is interrupted waits."""


class ProcessExit(Enum):
    """How a program ended."""

    EXITED = "exited"
    SIGNALED = "died of a signal"
    NOT_STARTED = "could not be started"
    TIMED_OUT = "was killed at its deadline"
    TOO_MUCH_OUTPUT = "was killed for what it printed"


class ProgramResult(NamedTuple):
    """What came of a program."""

    process_exit: ProcessExit
    """How it ended."""
    status: int
    """Its exit status; 0 where it didn't exit by itself."""
    summary: str
    """The same for people: `exited with status 3`. Nothing that it printed."""
    stdout: bytes = b""
    """What it printed, at most `MAX_OUTPUT_BYTES`."""
    stderr: bytes = b""
    """The beginning of its standard error."""

    @property
    def succeeded(self) -> bool:
        """Whether it did what it was asked to."""
        return self.process_exit is ProcessExit.EXITED and self.status == 0


def ordinary_variables(names: Sequence[str] = (), prefixes: Sequence[str] = ()) -> dict[str, str]:
    """Return the variables that every program gets, with more by name, or by how their names begin; no others."""
    chosen = {
        name: value
        for name, value in variables().items()
        if name in _ORDINARY or name in names or name.startswith((*_ORDINARY_PREFIXES, *prefixes))
    }
    return {**chosen, "PATH": absolute_parts(variable("PATH"))}


def require_program(name: str, to_install: str) -> str:
    """Return where a program lies.

    Raises:
        SecretUnresolved: `secret_backend_unavailable`, it is not on PATH.
    """
    found = find_program(name, variable("PATH"))
    if not found:
        raise SecretUnresolved("secret_backend_unavailable", f"the program {name} is not on PATH", to_install)
    return found


def require_exit(result: ProgramResult, name: str) -> None:
    """Accept a program that exited by itself, whatever its status.

    Raises:
        SecretUnresolved: `secret_malformed`, it printed too much; else `secret_backend_unavailable`.
    """
    if result.process_exit is ProcessExit.TOO_MUCH_OUTPUT:
        raise SecretUnresolved("secret_malformed", f"{name} {result.summary}", "name what holds the secret alone")
    if result.process_exit is not ProcessExit.EXITED:
        raise SecretUnresolved("secret_backend_unavailable", f"{name} {result.summary}")


def run(argv: Sequence[str], environment: Mapping[str, str], timeout_s: float) -> ProgramResult:
    """Return what came of a program; nothing that it started in its session goes on.

    Args:
        argv: the program's absolute path, and its arguments.
        environment: all variables that it gets.
        timeout_s: how long it may take; less, where a deadline around it ends earlier.
    """
    try:
        limit_s = deadline.allow(timeout_s) or timeout_s
        process = _start(argv, environment)
    except TimeoutError:
        return ProgramResult(ProcessExit.TIMED_OUT, 0, "was not started: the time was up")
    except OSError as error:
        return ProgramResult(ProcessExit.NOT_STARTED, 0, f"could not be started: {error.strerror}")
    outputs = _Outputs(process)
    try:
        ending = outputs.read_until(monotonic() + limit_s)
    finally:
        _terminate(process)
        outputs.close()
        _running.own.discard(process)
    if ending is ProcessExit.TIMED_OUT:
        return ProgramResult(ending, 0, f"did not end within {limit_s:.3g} s, and was killed")
    if ending is ProcessExit.TOO_MUCH_OUTPUT:
        return ProgramResult(ending, 0, "printed more than 1 MiB, and was killed")
    return _exited(process.returncode, bytes(outputs.stdout), bytes(outputs.stderr))


def _start(argv: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    with _starting.own:
        process = subprocess.Popen(  # noqa: S603  (no shell; the program is named by this user's settings)
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=os.sep,
            env=environment,
            start_new_session=True,
        )
        _running.own.add(process)
    return process


def _exited(code: int, output: bytes, complaints: bytes) -> ProgramResult:
    if code >= 0:
        return ProgramResult(ProcessExit.EXITED, code, f"exited with status {code}", output, complaints)
    name = f"signal {-code}"
    with suppress(ValueError):  # a real-time signal has no name
        name = signal.Signals(-code).name
    return ProgramResult(ProcessExit.SIGNALED, 0, f"died of {name}", b"", complaints)


class _Outputs:
    """Both outputs of a process."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.stdout = bytearray()
        self.stderr = bytearray()
        self._process = process
        self._pipes = [pipe for pipe in (process.stdout, process.stderr) if pipe is not None]  # both were asked for
        self._selector = selectors.DefaultSelector()
        for pipe, buffer in zip(self._pipes, (self.stdout, self.stderr), strict=True):
            self._selector.register(pipe, selectors.EVENT_READ, buffer)

    def read_until(self, ends_at: float) -> ProcessExit:
        """Return how the process ended, or why it has to; nobody waits for children of it that keep the pipes open."""
        while self._selector.get_map():
            has_ended = self._process.poll() is not None  # asked first: what it printed is in the pipes then
            left_s = ends_at - monotonic()
            ready = self._selector.select(0 if has_ended else max(0.0, min(left_s, _POLL_S)))
            for key, _ in ready:
                self._read(key)
            if len(self.stdout) > MAX_OUTPUT_BYTES:
                return ProcessExit.TOO_MUCH_OUTPUT
            if has_ended and (left_s <= 0 or not ready):
                return ProcessExit.EXITED
            if left_s <= 0:
                return ProcessExit.TIMED_OUT
        try:
            self._process.wait(max(0.0, ends_at - monotonic()))
        except subprocess.TimeoutExpired:
            return ProcessExit.TIMED_OUT
        return ProcessExit.EXITED

    def _read(self, key: selectors.SelectorKey) -> None:
        room = _CHUNK_BYTES if key.data is self.stdout else _MAX_STDERR_BYTES - len(self.stderr)
        chunk = os.read(key.fd, _CHUNK_BYTES)
        key.data.extend(chunk[:room])
        if not chunk:
            self._selector.unregister(key.fileobj)

    def close(self) -> None:
        """Let go of the pipes, whoever else holds them."""
        self._selector.close()
        for pipe in self._pipes:
            pipe.close()


def _terminate(process: subprocess.Popen[bytes]) -> None:
    """End a process and its group: asked first, killed then."""
    if process.poll() is None:
        _signal(process, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE_S)
    # A process that has just been waited for leaves its number to its group while that has members, and nobody has
    # taken the number of an empty one within an instant.
    _signal(process, signal.SIGKILL)
    with suppress(subprocess.TimeoutExpired):  # stuck in the kernel
        process.wait(_GRACE_S)


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):  # the group is empty, or all that is left of it has ended
        os.killpg(process.pid, number)


@atexit.register
def _kill_all() -> None:
    """End what still runs where the command is interrupted: its threads are not waited for, and start nothing any more."""
    _starting.own.acquire(timeout=_START_WAIT_S)
    for process in list(_running.own):
        _signal(process, signal.SIGKILL)
