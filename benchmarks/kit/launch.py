"""Runs one command, and writes down its exit code, wall time and peak memory.

A process of its own, and a small one: on Linux a child's peak memory starts with that of the process that spawned it. The memory of a
command that starts others is that of all together, looked at five times a second: pages that several share count once.
"""

import json
import os
import signal
import sys
import time

PERIOD_S = 0.2


def processes(pid: int) -> list[int]:
    """Return a process and those that it has started (proc_pid_task_children(5)); one that has ended has none."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:  # noqa: PTH123  (as below)
            return [pid, *(one for child in file.read().split() for one in processes(int(child)))]
    except OSError:
        return [pid]


def proportional_kb(pid: int) -> int:
    """Return the memory of a process, of which a page that several use counts in part (`Pss` of proc_pid_smaps(5))."""
    try:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:  # noqa: PTH123  (as below)
            return next(int(line.split()[1]) for line in file if line.startswith("Pss:"))
    except (OSError, StopIteration):
        return 0


result, stdout, stderr, *argv = sys.argv[1:]
new = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
files = (
    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
    (os.POSIX_SPAWN_OPEN, 1, stdout, new, 0o600),
    (os.POSIX_SPAWN_OPEN, 2, stderr, new, 0o600),
)
together_kb = 0
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
started = time.perf_counter()
child = os.posix_spawn(argv[0], argv, os.environ, file_actions=files, setsigmask=())
while sys.platform == "linux" and not signal.sigtimedwait({signal.SIGCHLD}, PERIOD_S):
    running = processes(child)
    if len(running) > 1:
        together_kb = max(together_kb, sum(map(proportional_kb, running)))
_, status, usage = os.wait4(child, 0)
seconds = time.perf_counter() - started
peak_mb = usage.ru_maxrss / (1024 * 1024 if sys.platform == "darwin" else 1024)
with open(result, "w", encoding="ascii") as file:  # noqa: PTH123  (pathlib would double this process)
    peak_mb = max(peak_mb, together_kb / 1024)
    json.dump({"exit_code": os.waitstatus_to_exitcode(status), "seconds": seconds, "peak_mb": peak_mb}, file)
