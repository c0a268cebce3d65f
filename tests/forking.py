"""Runs work in a forked child, and waits for what comes of it: never for ever.

with forked(work) as child:
    child.result()  # what `work` returned, or an error of the test
"""

from __future__ import annotations

import faulthandler
import gc
import logging
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import threading
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from types import CellType, FunctionType, MethodType, ModuleType
from typing import Any, NamedTuple

import pytest

PATIENCE_S = 30
"""A child that takes longer hangs; it says where, and ends."""
_LOCKS = (type(threading.Lock()), type(threading.RLock()))
_CONTAINERS = (dict, list, tuple, set, deque, partial, CellType, MethodType)
_PACKAGES = {"connform", "httpx", "httpcore", "http", "anyio"}


class Child(NamedTuple):
    """A process that was forked."""

    pid: int
    """Its number."""
    said: Connection
    """Where its result comes from."""

    def result(self) -> Any:
        """Return what its work returned; the test fails where that raised, or hangs."""
        if not self.said.poll(PATIENCE_S + 5):
            pytest.fail(f"a forked child hangs, and can't even say where; the kernel says:\n{self._kernel_state()}")
        try:
            is_well, value = self.said.recv()
        except EOFError:
            pytest.fail("a forked child hung, or died: see its traceback")
        if not is_well:
            pytest.fail(f"in a forked child: {value}")
        return value

    def _kernel_state(self) -> str:
        """Return what the kernel, and a debugger where there is one, know of the child."""
        files = [Path(f"/proc/{self.pid}/{name}") for name in ("wchan", "syscall", "status")]
        known = [f"{file.name}: {file.read_text()}" for file in files if file.exists()]
        if debugger := shutil.which("gdb"):
            command = [debugger, "-p", str(self.pid), "-batch", "-ex", "thread apply all bt"]
            known.append(subprocess.run(command, capture_output=True, text=True, check=False).stdout)
        return "\n".join(known)


@contextmanager
def unmeasured() -> Iterator[None]:
    """Measure no coverage: a child can inherit a lock of its tracer's, and on Python 3.11 a thread that it traces may fail to start."""
    coverage = sys.modules.get("coverage")
    measuring = coverage and coverage.Coverage.current()
    if measuring:
        measuring.stop()
    try:
        yield
    finally:
        if measuring:
            measuring.start()


@contextmanager
def forked(work: Callable[[], object]) -> Iterator[Child]:
    """Fork a child that does `work`, and end it with the block."""
    said, says = multiprocessing.Pipe(duplex=False)
    with unmeasured(), warnings.catch_warnings():  # Python 3.12 and later warn of what is tested
        warnings.filterwarnings("ignore", ".*use of fork", DeprecationWarning)
        pid = os.fork()
        if pid == 0:
            _work(work, says)
    says.close()
    try:
        yield Child(pid, said)
    finally:
        said.close()
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


@contextmanager
def all_locks_held(*roots: object) -> Iterator[int]:
    """Hold in a thread every lock that the objects reach, as threads may at any moment of theirs; yield how many there are."""
    locks = list(_locks(roots))
    are_held, is_over = threading.Event(), threading.Event()

    def hold() -> None:
        for lock in locks:
            lock.acquire()
        are_held.set()
        is_over.wait(60)
        for lock in locks:
            lock.release()

    holder = threading.Thread(target=hold)
    holder.start()
    try:
        assert are_held.wait(20)
        yield len(locks)
    finally:
        is_over.set()
        holder.join()


def _locks(roots: Iterable[object]) -> Iterator[Any]:
    """Yield the locks that may be taken: not those of threads and of what is done, which nobody takes again."""
    seen: set[int] = set()
    waiting = list(roots)
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, _LOCKS):
            yield one
        elif isinstance(one, _CONTAINERS) or type(one).__module__.partition(".")[0] in _PACKAGES:
            waiting += gc.get_referents(one)
        elif isinstance(one, FunctionType):
            waiting += one.__closure__ or ()
        elif isinstance(one, ModuleType) and one in roots:
            waiting += [value for value in vars(one).values() if not isinstance(value, type | ModuleType)]


def _work(work: Callable[[], object], says: Connection) -> None:
    try:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        faulthandler.register(signal.SIGALRM, chain=True)  # it says where it hangs, and ends
        signal.alarm(PATIENCE_S)
        logging.disable()  # Python frees the locks of handlers in a child, and not those of the files that they write to
        says.send((True, work()))
    except BaseException as error:  # noqa: BLE001  (the parent judges)
        says.send((False, f"{type(error).__name__}: {error}"))
    finally:
        signal.pause()  # the test ends it: what its parent shares with it is not to end earlier
        os._exit(1)
