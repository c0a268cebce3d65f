"""Checks that several processes share: every connection has its verdict, whatever happens to a process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PRELUDE = """
import os, signal, sys
from multiprocessing import active_children
from connform.engine.run.processes import fork_each

def work(share):
    for item in share:
        if item == die_at:
            os.kill(os.getpid(), signal.SIGKILL)
        yield item * 10

die_at = None
"""
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only on Linux do checks fork")


def ended(script: str) -> str:
    """Return what a script says, in a process of one thread."""
    done = subprocess.run(
        [sys.executable, "-c", PRELUDE + script], capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout.strip()


def test_every_item_is_worked_on_once() -> None:
    assert ended("print(sorted(fork_each(work, range(7), 3)))") == "[0, 10, 20, 30, 40, 50, 60]"


def test_what_a_killed_process_had_left_is_missing() -> None:
    assert ended("die_at = 5; print(sorted(fork_each(work, range(8), 2)))") == "[0, 10, 20, 30, 40, 60]"


def test_no_process_outlives_a_caller_that_stops_early() -> None:
    script = """
def endless(share):
    while True:
        yield from share

results = fork_each(endless, range(4), 2)
next(results)
results.close()
print(active_children())
"""
    assert ended(script) == "[]"


def test_a_process_with_other_threads_does_not_fork() -> None:
    script = """
from threading import Event, Thread
from connform.engine.run.processes import process_count
os.sched_getaffinity = lambda _: range(4)
print(process_count(199), process_count(250), process_count(10_000), end=" ")
Thread(target=Event().wait, daemon=True).start()
print(process_count(10_000))
"""
    assert ended(script) == "1 2 4 1"


def test_the_report_is_in_the_order_of_the_manifest(tmp_path: Path) -> None:
    entry = "{provider: http, base_url: 'https://127.0.0.1:9', check: {path: /me}, auth: {method: api_key, api_key: env://KEY}}"
    names = [f"customer-{number:03}" for number in range(220)]
    manifest = tmp_path / "connections.yaml"
    manifest.write_text("version: 1\nconnections:\n" + "".join(f"  {name}: {entry}\n" for name in names))
    script = f"""
from connform.engine.check import check
report = check([{str(manifest)!r}], processes=2)
print([one.name for one in report.connections], {{one.fault for one in report.connections}})
"""
    env = {**os.environ, "KEY": "synthetic"}
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True, env=env
    )
    assert done.stdout.strip() == f"{names} {{'tcp_refused'}}"
