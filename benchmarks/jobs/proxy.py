"""`connform proxy` beside nginx as a reverse proxy, both in front of the same TLS server on loopback."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.inputs.manifests import write_manifest
from benchmarks.kit.bench import Bench
from benchmarks.kit.endpoints import KEY_VARIABLE, SERVERS, certify, endpoint, endpoints
from benchmarks.kit.goals import Goal
from benchmarks.kit.measure import ENVIRONMENT, WrongAnswer, find
from benchmarks.kit.nginx import nginx
from benchmarks.kit.server import KEY


def proxy(bench: Bench) -> None:
    """One request through `connform proxy`, and 32 at once, beside nginx and beside none; all to the same TLS server."""
    certify(bench)
    ca_file = str(bench.folder / "client.pem")
    with endpoints(bench, SERVERS, delay_s=0) as ports, _connform(bench, ports[0]) as (port, path):
        targets = {
            "no proxy": {"port": ports[0], "path": "/", "headers": {"X-Api-Key": KEY.decode()}, "ca_file": ca_file},
            "connform": {"port": port, "path": f"{path}/", "headers": {}},
        }
        with nginx(bench, ports[0]) as nginx_port:
            if nginx_port:
                targets["nginx"] = {"port": nginx_port, "path": "/", "headers": {}}
            argv = [json.dumps(targets), str(bench.size(1_600, 64)), str(bench.rounds(9))]
            script = bench.script("proxy_client.py", *argv)
            done = subprocess.run(script, check=False, capture_output=True, text=True, env=ENVIRONMENT)
    if done.returncode:
        raise WrongAnswer(done.stderr[-600:])
    found = json.loads(done.stdout)
    lines = ["| at once | proxy | median | added | requests a second |", "|---|---|---|---|---|"]
    for at_once, rows in found.items():
        bare = rows["no proxy"]["median_us"]
        for name, one in rows.items():
            more = f"{one['median_us'] - bare:.0f} µs" if name != "no proxy" else ""
            lines.append(f"| {at_once} | {name} | {one['median_us']:.0f} µs | {more} | {one['rate']:,.0f} |")
    bench.tell(lines)
    medians = {name: one["median_us"] / 1000 for name, one in found["1"].items()}
    added = {name: each - medians["no proxy"] for name, each in medians.items()}
    peer = f"nginx: {added['nginx']:.2f} ms" if "nginx" in added else "none"
    bench.judge(Goal("latency that the proxy adds to the median request", 1.5, added["connform"], " ms", peer))


@contextmanager
def _connform(bench: Bench, upstream: int) -> Iterator[tuple[int, str]]:
    """Run the proxy, and yield its port and the path of its base URL."""
    manifest = bench.folder / "connections.yaml"
    write_manifest(manifest, [("acme", endpoint(upstream, bench.folder / "client.pem", "/"))])
    argv = [find("connform"), "proxy", "acme", "-f", str(manifest)]
    environment = {**ENVIRONMENT, KEY_VARIABLE: KEY.decode()}
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env=environment, cwd=bench.folder) as process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            if not (found := re.search(r"http://127\.0\.0\.1:(\d+)(/\S+)", line)):
                message = "the proxy did not start"
                raise WrongAnswer(message)
            yield int(found[1]), found[2]
        finally:
            process.terminate()
