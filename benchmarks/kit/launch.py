"""Runs one command, and writes down its exit code, wall time and peak memory.

A process of its own, and a small one: on Linux a child's peak memory starts with that of the process that spawned it.
"""

import json
import os
import sys
import time

result, stdout, stderr, *argv = sys.argv[1:]
new = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
files = (
    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
    (os.POSIX_SPAWN_OPEN, 1, stdout, new, 0o600),
    (os.POSIX_SPAWN_OPEN, 2, stderr, new, 0o600),
)
started = time.perf_counter()
child = os.posix_spawn(argv[0], argv, os.environ, file_actions=files)
_, status, usage = os.wait4(child, 0)
seconds = time.perf_counter() - started
peak_mb = usage.ru_maxrss / (1024 * 1024 if sys.platform == "darwin" else 1024)
with open(result, "w", encoding="ascii") as file:  # noqa: PTH123  (pathlib would double this process)
    json.dump({"exit_code": os.waitstatus_to_exitcode(status), "seconds": seconds, "peak_mb": peak_mb}, file)
