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

def nothing(share):
    return []

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
    assert ended("print(sorted(fork_each(work, work, range(7), 3)))") == "[0, 10, 20, 30, 40, 50, 60]"


def test_what_a_killed_process_had_left_is_missing() -> None:
    assert ended("die_at = 5; print(sorted(fork_each(work, work, range(8), 2)))") == "[0, 10, 20, 30, 40, 60]"


def test_what_a_process_had_left_that_was_killed_while_it_sent_is_missing() -> None:
    script = """
import struct
def cut(share):
    yield share[0]
    for fd in range(3, 20):
        try:
            os.write(fd, struct.pack("!i", 100) + b"half")
        except OSError:
            pass
    os.kill(os.getpid(), signal.SIGKILL)

print(list(fork_each(cut, nothing, range(4), 2)))
"""
    assert ended(script) == "[1]"


def test_a_process_never_waits_for_the_work_of_its_caller() -> None:
    script = """
reader, writer = os.pipe()
def large(share):
    yield bytes(1_000_000)
    os.write(writer, b"sent")

def until_sent(share):
    signal.alarm(20)
    yield os.read(reader, 4)

print(*map(len, fork_each(large, until_sent, range(2), 2)))
"""
    assert ended(script) == "4 1000000"


def test_a_process_that_raises_says_nothing_and_its_caller_does_the_rest() -> None:
    script = """
os.dup2(1, 2)
def raising(share):
    yield share[0]
    raise ValueError("canary")

print(sorted(fork_each(raising, work, range(4), 2)), sorted(fork_each(lambda share: [lambda: 0], work, range(4), 2)))
"""
    assert ended(script) == "[0, 1, 20] [0, 20]"


def test_fewer_processes_where_the_system_allows_no_more_files() -> None:
    script = """
import resource
used = len(os.listdir("/proc/self/fd"))
resource.setrlimit(resource.RLIMIT_NOFILE, (used + 10, used + 10))
print(0 < len(list(fork_each(work, nothing, range(8), 8))) < 7)
"""
    assert ended(script) == "True"


def test_processes_end_after_their_parent_was_killed() -> None:
    script = """
def endless(share):
    while True:
        yield bytes(10_000)

reader, writer = os.pipe()
if not os.fork():
    results = fork_each(endless, nothing, range(3), 3)
    next(results)
    os.kill(os.getpid(), signal.SIGKILL)
os.close(writer)
signal.alarm(20)
print(os.read(reader, 1))  # the end of the file: no process has it open
"""
    assert ended(script) == "b''"


def test_a_process_that_is_stopped_ends_with_its_caller() -> None:
    script = """
def stopping(share):
    yield 1
    os.kill(os.getpid(), signal.SIGSTOP)

signal.alarm(20)
results = fork_each(stopping, nothing, range(2), 2)
next(results)
os.waitid(os.P_ALL, 0, os.WSTOPPED)
results.close()
print(active_children())
"""
    assert ended(script) == "[]"


def test_a_process_ignores_what_its_parent_ignores() -> None:
    script = """
signal.signal(signal.SIGHUP, signal.SIG_IGN)
def hanging_up(share):
    os.kill(os.getpid(), signal.SIGHUP)
    yield from share

print(list(fork_each(hanging_up, nothing, range(4), 2)))
"""
    assert ended(script) == "[1, 3]"


def test_no_process_outlives_a_caller_that_stops_early() -> None:
    script = """
def endless(share):
    while True:
        yield from share

results = fork_each(endless, nothing, range(4), 2)
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


def test_a_worker_of_a_pool_does_not_fork() -> None:
    script = """
from multiprocessing import get_context
from connform.engine.run.processes import process_count
os.sched_getaffinity = lambda _: range(4)
with get_context("fork").Pool(1) as pool:
    print(pool.apply(process_count, (10_000,)))
"""
    assert ended(script) == "1"


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
