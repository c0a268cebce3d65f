"""Checks that several processes share: every connection has its verdict, whatever happens to a process."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest

PRELUDE = """
import os, signal, sys
from multiprocessing import active_children
from connform.engine.run.processes import shared_with

def work(share):
    for item in share:
        if item == die_at:
            os.kill(os.getpid(), signal.SIGKILL)
        yield item * 10

def results(work, items, processes):
    found = []
    with shared_with(work, items, processes, found.append):
        pass
    return sorted(found)

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
    assert ended("print(results(work, range(7), 3))") == "[0, 10, 20, 30, 40, 50, 60]"


def test_what_a_killed_process_had_left_is_missing() -> None:
    assert ended("die_at = 5; print(results(work, range(8), 2))") == "[0, 10, 20, 30, 40, 60]"


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

print(results(cut, range(2), 1))
"""
    assert ended(script) == "[0]"


def test_a_process_never_waits_for_the_work_of_its_caller() -> None:
    script = """
reader, writer = os.pipe()
def large(share):
    yield bytes(1_000_000)
    os.write(writer, b"sent")

signal.alarm(20)
with shared_with(large, range(1), 1, lambda result: print(len(result))):
    print(os.read(reader, 4).decode())
"""
    assert sorted(ended(script).split()) == ["1000000", "sent"]


def test_a_process_that_raises_says_nothing_and_its_caller_does_the_rest() -> None:
    script = """
os.dup2(1, 2)
def raising(share):
    yield share[0]
    raise ValueError("canary")

print(results(raising, range(2), 1), results(lambda share: [lambda: 0], range(2), 1))
"""
    assert ended(script) == "[0] []"


def test_what_fails_with_a_result_is_raised_by_the_caller() -> None:
    script = """
try:
    with shared_with(work, [0, 1], 1, lambda result: 1 / result):
        pass
except ZeroDivisionError as error:
    print(error, active_children())
"""
    assert ended(script) == "division by zero []"


def test_fewer_processes_where_the_system_allows_no_more_files() -> None:
    script = """
import resource
used = len(os.listdir("/proc/self/fd"))
resource.setrlimit(resource.RLIMIT_NOFILE, (used + 10, used + 10))
print(0 < len(results(work, range(8), 8)) < 8)
"""
    assert ended(script) == "True"


def test_processes_end_after_their_parent_was_killed() -> None:
    script = """
def endless(share):
    while True:
        yield bytes(10_000)

reader, writer = os.pipe()
if not os.fork():
    with shared_with(endless, range(2), 2, lambda _: os.kill(os.getpid(), signal.SIGKILL)):
        pass
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
try:
    with shared_with(stopping, range(1), 1, int):
        os.waitid(os.P_ALL, 0, os.WSTOPPED)
        raise KeyboardInterrupt
except KeyboardInterrupt:
    print(active_children())
"""
    assert ended(script) == "[]"


def test_a_process_ignores_what_its_parent_ignores() -> None:
    script = """
signal.signal(signal.SIGHUP, signal.SIG_IGN)
def hanging_up(share):
    os.kill(os.getpid(), signal.SIGHUP)
    yield from share

print(results(hanging_up, range(2), 1))
"""
    assert ended(script) == "[0, 1]"


def test_no_process_outlives_an_interruption() -> None:
    script = """
def endless(share):
    while True:
        yield from share

try:
    with shared_with(endless, range(4), 2, int):
        raise KeyboardInterrupt
except KeyboardInterrupt:
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


def manifest_of(folder: Path, *ports: int) -> Path:
    """Write a manifest with 220 connections to ports of this machine, in turns."""
    names = [f"customer-{number:03}" for number in range(220)]
    at = "provider: http, base_url: 'https://127.0.0.1:%d'"
    rest = "check: {path: /me}, auth: {method: api_key, api_key: env://KEY}"
    entries = [f"  {name}: {{{at % ports[number % len(ports)]}, {rest}}}\n" for number, name in enumerate(names)]
    manifest = folder / "connections.yaml"
    manifest.write_text("version: 1\nconnections:\n" + "".join(entries))
    return manifest


def checking(script: str, folder: Path, *ports: int) -> str:
    """Return what a script says that knows the `path` of such a manifest."""
    env = {**os.environ, "KEY": "synthetic"}
    argv = [sys.executable, "-c", f"path = {str(manifest_of(folder, *ports))!r}\n{script}"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=True, env=env)
    return done.stdout.strip()


def test_the_report_is_in_the_order_of_the_manifest(tmp_path: Path) -> None:
    script = """
from connform.engine.check import check
report = check([path], processes=2)
names = [one.name for one in report.connections]
print(len(names), names == sorted(names), {one.fault for one in report.connections})
"""
    assert checking(script, tmp_path, 9) == "220 True {'tcp_refused'}"


def test_an_interruption_keeps_the_verdicts_of_other_processes_while_the_own_checks_wait(tmp_path: Path) -> None:
    script = """
import signal
from connform.engine.check import check
from connform.engine.run import processes
from connform.engine.run.processes import shared_with

received = []
def counted(work, items, processes, deliver):
    return shared_with(work, items, processes, lambda reports: (deliver(reports), received.extend(reports)))

def interrupt(*_):
    if len(received) == 110:
        signal.setitimer(signal.ITIMER_REAL, 0)
        raise KeyboardInterrupt

signal.signal(signal.SIGALRM, interrupt)
signal.setitimer(signal.ITIMER_REAL, 0.1, 0.1)
processes.shared_with = counted
report = check([path], processes=2, timeout_s=30)
print([str(one.verdict) for one in report.connections] == ["skipped", "unknown"] * 110, int(report.exit_code))
"""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert checking(script, tmp_path, silent.getsockname()[1], 9) == "True 130"


@pytest.mark.skipif(sys.platform == "linux" and len(os.sched_getaffinity(0)) < 2, reason="there is one core")
def test_processes_share_the_checks_where_a_terminal_shows_the_progress(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        path = manifest_of(tmp_path, silent.getsockname()[1], 9)
        argv = [sys.executable, "-m", "connform", "check", "-f", str(path), "--timeout", "50"]
        command = pexpect.spawn(argv[0], argv[1:], env={**os.environ, "KEY": "synthetic", "TERM": "xterm"}, timeout=50)
        command.expect("checking 110/220: waiting for customer-000, customer-002")
        children = Path(f"/proc/{command.pid}/task/{command.pid}/children").read_text().split()
        command.sendintr()
        command.expect("interrupted: 110 of 220 checked")
        command.expect(pexpect.EOF)
        command.close()
    assert (len(children), command.exitstatus) == (1, 130)
