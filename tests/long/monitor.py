"""A monitor of many connections for minutes: `make long ARGS="monitor --connections 1000 --seconds 600"`.

`--replicas 1` (the default): one process. Its memory has to stay flat and at most 150 MB, and each connection has to be looked at once an
interval. `--replicas 2`: two processes share a PostgreSQL database, and one is killed in the middle: no connection misses more than one interval,
both never look at the same one, and the memory stays below 150 MB. Meanwhile a scraper reads the metrics, and somebody the page. Ends with 1 where something is wrong.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path

from tests.database.postgres import running_postgres
from tests.monitor.watching import Api, Monitor, manifest, serving

_MAX_MB = 150
_TOLERANCE = 0.25
"""Of an interval: a busy machine is late."""
_SCRAPE_S = 15
_PAGES_S = 60


def main() -> int:
    arguments = argparse.ArgumentParser(prog="monitor", description=__doc__)
    arguments.add_argument("--connections", type=int, default=1000)
    arguments.add_argument("--seconds", type=float, default=600.0)
    arguments.add_argument("--interval", type=float, default=60.0)
    arguments.add_argument("--replicas", type=int, choices=(1, 2), default=1)
    given = arguments.parse_args()
    names = [f"connection-{number}" for number in range(given.connections)]
    api = Api()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(serving(api, folder))
        (folder / "connections.yaml").write_text(manifest(server.port, names))
        state = ""
        if given.replicas > 1:
            state = stack.enter_context(running_postgres()).fresh()
        command = ["--interval", f"{given.interval:g}s"]
        replicas = [
            stack.enter_context(Monitor(folder, *command, log=f"log-{number}", state=state))
            for number in range(given.replicas)
        ]
        for replica in replicas:
            replica.until_ready()
        killed_at = 0.0
        began_at = time.monotonic()
        sizes: list[float] = []
        for second in range(int(given.seconds)):
            time.sleep(max(began_at + second - time.monotonic(), 0))
            if given.replicas > 1 and not killed_at and second >= given.seconds / 2:
                replicas.pop(0).process.kill()
                killed_at = time.monotonic()
            if second % _SCRAPE_S == 0:
                sizes.append(max(_megabytes(replica.process.pid) for replica in replicas))
                for replica in replicas:
                    assert replica.get("/metrics").status == 200
            if second % _PAGES_S == 0:
                assert {replicas[-1].get(page).status for page in ("/", "/report.json")} == {200}
                print(f"{second:4} s: {sizes[-1]:.1f} MB, {sum(map(len, api.looks.values()))} checks", flush=True)
        ended_at = time.monotonic()
        cpu_s = sum(_cpu_seconds(replica.process.pid) for replica in replicas)
        codes = [replica.end() for replica in replicas]
        print(
            *[line for replica in replicas for line in replica.log.splitlines() if ": ready" not in line][:20], sep="\n"
        )
    print(f"{cpu_s:.0f} s of CPU for {ended_at - began_at:.0f} s, of {len(replicas)} left", flush=True)
    return _judge(api, names, given.interval, sizes, codes, began_at, killed_at, ended_at)


def _judge(
    api: Api,
    names: list[str],
    interval_s: float,
    sizes: list[float],
    codes: list[int],
    began_at: float,
    killed_at: float,
    ended_at: float,
) -> int:
    longest = shortest_s = 0.0
    gaps = []
    for name in names:
        looks = [began_at, *(at for at in api.looks.get(name, []) if began_at <= at <= ended_at), ended_at]
        gaps += [(later - earlier, earlier) for earlier, later in pairwise(looks[1:-1])]
        longest = max(longest, *(later - earlier for earlier, later in pairwise(looks)))
    shortest_s = min(gap for gap, _ in gaps)
    allowed_s = interval_s * ((2 if killed_at else 1) + _TOLERANCE)
    twice = sum(gap < interval_s / 2 for gap, _ in gaps)
    counts = [len(api.looks.get(name, [])) for name in names]
    late = sizes[len(sizes) // 5 :]
    grown = late[-1] - late[0]
    print(f"{len(names)} connections, {sum(counts)} checks: {min(counts)} to {max(counts)} each")
    print(
        f"the longest time between two looks was {longest:.1f} s ({allowed_s:.1f} allowed), the shortest {shortest_s:.1f} s"
    )
    print(
        f"memory: {min(sizes):.1f} to {max(sizes):.1f} MB, {grown:+.1f} MB since a fifth of the time; exit codes {codes}"
    )
    has_grown = not killed_at and grown > 0.1 * late[0]  # who does the work of two has the results of both
    is_wrong = longest > allowed_s or twice or max(sizes) > _MAX_MB or has_grown or any(codes)
    return int(bool(is_wrong))


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _megabytes(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


if __name__ == "__main__":
    sys.exit(main())
