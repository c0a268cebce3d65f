"""Signals that interrupt a command: the first lets it clean up, a second Ctrl-C ends it at once, and SIGTERM never cuts off what goes on."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

pytestmark = pytest.mark.usefixtures("default_signals")

PROGRAM = """\
import time
from connform.cli.interruption import INTERRUPTION

INTERRUPTION.watch()
try:
    print("works", flush=True)
    time.sleep(60)
except KeyboardInterrupt:
    print("cleans up", flush=True)
    while not INTERRUPTION.has_come or input() != "end":
        pass
    raise SystemExit(INTERRUPTION.exit_code) from None
"""
CASES = {
    "SIGINT, then SIGINT": ("SIGINT SIGINT", 130),
    "SIGTERM, then SIGINT": ("SIGTERM SIGINT", 143),
    "SIGINT, then SIGTERM": ("SIGINT SIGTERM", None),
    "SIGTERM twice": ("SIGTERM SIGTERM", None),
}


@pytest.mark.parametrize("case", CASES)
def test_only_a_second_ctrl_c_ends_at_once(case: str) -> None:
    signals, code = CASES[case]
    first, second = (signal.Signals[name] for name in signals.split())
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "works\n"
        process.send_signal(first)
        assert process.stdout.readline() == "cleans up\n"
        process.send_signal(second)
        out, err = process.communicate("end\n" if code is None else None, timeout=60)
    assert (process.returncode, out, err) == (code or 128 + first, "", "")
