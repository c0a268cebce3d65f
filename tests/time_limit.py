"""A plug-in of pytest that ends a test that hangs: its report shows all stacks, and the processes that it started are killed.

pytest-timeout says when. A test that lets no signal through is ended some time later by pytest's faulthandler, with its worker.
"""

from __future__ import annotations

import signal
import sys
import threading
import traceback
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from time import time
from typing import Any

import psutil
import pytest

_AGAIN_S = 5.0
"""Until a test is interrupted once more that went on: a `with` block waits for what it has started."""
_RUNNING: list[str] = []
"""The phase of a test that can be interrupted; none while pytest makes a report, which an exception would end with its worker."""


def pytest_timeout_set_timer(item: Any, settings: Any) -> bool:
    """Watch one test, in place of pytest-timeout's own way, which kills no process and loses stacks in a parallel run."""
    began_at = time()

    def end(_number: int, _frame: object) -> None:
        if not _RUNNING:
            return
        phase = _RUNNING.pop()  # not to be interrupted itself
        stacks = _stacks()
        _kill_processes_since(began_at)
        _RUNNING.append(phase)
        pytest.fail(f"the test did not end within {settings.timeout:g} s; its threads were at\n{stacks}")

    def cancel() -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)

    item.cancel_timeout = cancel
    signal.signal(signal.SIGALRM, end)
    _RUNNING.clear()
    signal.setitimer(signal.ITIMER_REAL, settings.timeout, _AGAIN_S)
    return True


@contextmanager
def _interruptible(phase: str) -> Iterator[None]:
    _RUNNING.append(phase)
    try:
        yield
    finally:
        _RUNNING.clear()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup() -> Generator[None, object, object]:
    """Let the fixtures be interrupted."""
    with _interruptible("setup"):
        return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_call() -> Generator[None, object, object]:
    """Let the test be interrupted."""
    with _interruptible("call"):
        return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown() -> Generator[None, object, object]:
    """Let the end of the fixtures be interrupted."""
    with _interruptible("teardown"):
        return (yield)


def _stacks() -> str:
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    return "\n".join(
        f"{names.get(ident, 'a thread that Python has not started')}:\n{''.join(traceback.format_stack(frame))}"
        for ident, frame in sys._current_frames().items()
    )


def _kill_processes_since(moment: float) -> None:
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            if process.create_time() > moment - 1:  # it counts in whole ticks of a clock
                process.kill()
