"""A runner of programs that print secrets, with limits of time and output; it ends what a program leaves running.

Layer 2; starts processes. A program has no terminal, no input and no shell, a session of its own, and only the variables that
it needs. Its standard error may hold secrets: backends search it for known words, and never show it.
"""

from __future__ import annotations

import atexit
import os
import selectors
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from enum import Enum
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import Final, NamedTuple

from connform.debug_log import SECRETS
from connform.environment import variable, variables
from connform.errors import SecretUnresolved, StoreFailed
from connform.http.net import deadline
from connform.process_local import ProcessLocal
from connform.programs import absolute_parts, find_program

MAX_OUTPUT_BYTES = 1024 * 1024
"""A program that prints more is killed."""
_MAX_STDERR_BYTES = 64 * 1024
_CHUNK_BYTES = 64 * 1024
_GRACE_S = 0.3
"""Between SIGTERM and SIGKILL."""
_POLL_S = 0.05
"""How often to check whether the program has exited, while a child of it holds its pipes open."""
_ORDINARY = frozenset({"PATH", "HOME", "USER", "LOGNAME", "LANG", "TZ", "TMPDIR", "DBUS_SESSION_BUS_ADDRESS"})
_ORDINARY_PREFIXES = ("LC_", "XDG_")
NETWORK_VARIABLES = (
    *("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY", "https_proxy", "http_proxy", "all_proxy", "no_proxy"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR"),
)
"""The variables by which a program finds the proxy and the certificates to trust; for those that use the network."""

_running: Final = ProcessLocal(set["subprocess.Popen[bytes]"])
_starting: Final = ProcessLocal(Lock)
"""Held while a process is started and added to `_running`."""
_START_WAIT_S = 2.0
"""How long `_kill_all` waits for a process that is just being started."""


class ProcessExit(Enum):
    """How a program ended."""

    EXITED = "exited"
    SIGNALED = "died of a signal"
    NOT_STARTED = "could not be started"
    TIMED_OUT = "was killed at its deadline"
    TOO_MUCH_OUTPUT = "was killed for what it printed"


class ProgramResult(NamedTuple):
    """How a program ended, and what it printed."""

    process_exit: ProcessExit
    """How it ended."""
    status: int
    """Its exit status; 0 if it didn't exit by itself."""
    summary: str
    """How it ended, in words for messages: `exited with status 3`. Nothing that it printed."""
    stdout: bytes = b""
    """Its standard output; empty unless it exited by itself."""
    stderr: bytes = b""
    """The first 64 KiB of its standard error."""

    @property
    def succeeded(self) -> bool:
        """Whether it exited with status 0."""
        return self.process_exit is ProcessExit.EXITED and self.status == 0


def ordinary_variables(names: Sequence[str] = (), prefixes: Sequence[str] = ()) -> dict[str, str]:
    """Return the variables that every program gets, and those with the given names or prefixes."""
    chosen = {
        name: value
        for name, value in variables().items()
        if name in _ORDINARY or name in names or name.startswith((*_ORDINARY_PREFIXES, *prefixes))
    }
    return {**chosen, "PATH": absolute_parts(variable("PATH"))}


def require_program(name: str, to_install: str) -> str:
    """Return the path of a program.

    Raises:
        SecretUnresolved: `secret_backend_unavailable`, it is not on PATH.
    """
    found = find_program(name, variable("PATH"))
    if not found:
        raise SecretUnresolved("secret_backend_unavailable", f"the program {name} is not on PATH", to_install)
    return found


def require_exit(result: ProgramResult, name: str) -> None:
    """Raise unless a program exited by itself; any status will do.

    Raises:
        SecretUnresolved: `secret_malformed`, it printed too much; `secret_backend_unavailable`, any other end; `StoreFailed` if it took
            too long.
    """
    if result.process_exit is ProcessExit.TOO_MUCH_OUTPUT:
        raise SecretUnresolved("secret_malformed", f"{name} {result.summary}", "name what holds the secret alone")
    if result.process_exit is ProcessExit.TIMED_OUT:
        raise StoreFailed(f"{name} {result.summary}")
    if result.process_exit is not ProcessExit.EXITED:
        raise SecretUnresolved("secret_backend_unavailable", f"{name} {result.summary}")


def run(argv: Sequence[str], environment: Mapping[str, str], timeout_s: float) -> ProgramResult:
    """Run a program as `_run` does, and write to the log that it ran; not its arguments, which may hold a secret."""
    began_at = monotonic()
    result = _run(argv, environment, timeout_s)
    SECRETS.write("the program %s %s (%.1f ms)", argv[0], result.summary, (monotonic() - began_at) * 1000)
    return result


def _run(argv: Sequence[str], environment: Mapping[str, str], timeout_s: float) -> ProgramResult:
    """Run a program, and return how it ended. Then its session is killed: all children that made none of their own.

    Args:
        argv: the program's absolute path, and its arguments.
        environment: all variables that it gets.
        timeout_s: how long it may take; less if the current deadline ends earlier.
    """
    try:
        limit_s = deadline.allow(timeout_s) or timeout_s
        process = _start(argv, environment)
    except TimeoutError:
        return ProgramResult(ProcessExit.TIMED_OUT, 0, "was not started: the time was up")
    except OSError as error:
        return ProgramResult(ProcessExit.NOT_STARTED, 0, f"could not be started: {error.strerror}")
    except ValueError:  # a zero byte, or what the system's encoding can't express
        return ProgramResult(ProcessExit.NOT_STARTED, 0, "could not be started: an argument or variable is no text")
    outputs = _Outputs(process)
    try:
        process_exit = outputs.read_until(monotonic() + limit_s)
    finally:
        _terminate(process)
        outputs.close()
        _running.own.discard(process)
    if process_exit is ProcessExit.TIMED_OUT:
        return ProgramResult(process_exit, 0, f"did not end within {limit_s:.3g} s, and was killed")
    if process_exit is ProcessExit.TOO_MUCH_OUTPUT:
        return ProgramResult(process_exit, 0, "printed more than 1 MiB, and was killed")
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


def _exited(code: int, stdout: bytes, stderr: bytes) -> ProgramResult:
    if code >= 0:
        return ProgramResult(ProcessExit.EXITED, code, f"exited with status {code}", stdout, stderr)
    name = f"signal {-code}"
    with suppress(ValueError):  # a real-time signal has no name
        name = signal.Signals(-code).name
    return ProgramResult(ProcessExit.SIGNALED, 0, f"died of {name}", b"", stderr)


class _Outputs:
    """Reads standard output and standard error of a process."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.stdout = bytearray()
        self.stderr = bytearray()
        self._process = process
        self._pipes = [pipe for pipe in (process.stdout, process.stderr) if pipe is not None]  # both are pipes
        self._selector = selectors.DefaultSelector()
        for pipe, buffer in zip(self._pipes, (self.stdout, self.stderr), strict=True):
            self._selector.register(pipe, selectors.EVENT_READ, buffer)

    def read_until(self, ends_at: float) -> ProcessExit:
        """Read until the process exits, and return that it did, or why it must be killed.

        Once it has exited, children of it that hold the pipes open are not waited for.
        """
        while self._selector.get_map():
            has_ended = self._process.poll() is not None  # checked first: then the pipes hold all that it printed
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
        """Close the pipes, even if children of the process still hold them."""
        self._selector.close()
        for pipe in self._pipes:
            pipe.close()


def _terminate(process: subprocess.Popen[bytes]) -> None:
    """End a process and its session: SIGTERM, a short wait, SIGKILL."""
    if process.poll() is None:
        _signal(process, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE_S)
    # The process may have been waited for. Its number stays reserved while its group or session has members; if they have
    # none, it's very unlikely that another process got the number in so short a time.
    _signal(process, signal.SIGKILL)
    with suppress(subprocess.TimeoutExpired):  # stuck in the kernel
        process.wait(_GRACE_S)


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):  # no process of the group is alive
        os.killpg(process.pid, number)
    for member in _members(process.pid):
        with suppress(ProcessLookupError, PermissionError):
            os.kill(member, number)


def _members(session: int) -> Iterator[int]:
    """Yield the processes of a session, where /proc lists processes: a shell's jobs have groups of their own."""
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(ProcessLookupError):
            if os.getsid(int(entry.name)) == session:
                yield int(entry.name)


@atexit.register
def _kill_all() -> None:
    """Kill the programs that still run when connform exits. The lock is not released: no thread starts another one."""
    _starting.own.acquire(timeout=_START_WAIT_S)
    for process in list(_running.own):
        _signal(process, signal.SIGKILL)
