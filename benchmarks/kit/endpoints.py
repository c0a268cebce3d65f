"""TLS endpoints on loopback, with a certificate of an authority of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

from benchmarks.inputs.manifests import name_of, write_manifest
from benchmarks.kit.bench import Bench
from benchmarks.kit.measure import ENVIRONMENT, Job, WrongAnswer, find, says
from benchmarks.kit.server import DELAY_S, KEY

AT_ONCE = 100
SERVERS = 2
KEY_VARIABLE = "CONNFORM_BENCH_KEY"


def certify(bench: Bench) -> Path:
    """Write an authority, and a certificate of it for 127.0.0.1, into the folder; return the authority's file."""
    argv = [sys.executable, "-m", "trustme", "-q", "-d", str(bench.folder), "-i", "127.0.0.1", "localhost"]
    subprocess.run(argv, check=True, env=ENVIRONMENT)
    return bench.folder / "client.pem"


@contextmanager
def endpoints(bench: Bench, count: int, delay_s: float = DELAY_S) -> Iterator[list[int]]:
    """Serve `count` ports from a few processes, which end with the block, or with this process."""
    script = [sys.executable, str(Path(__file__).with_name("server.py")), str(count // SERVERS)]
    argv = [*script, str(bench.folder / "server.pem"), str(bench.folder / "server.key"), str(delay_s)]
    servers = [
        subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT)
        for _ in range(SERVERS)
    ]
    try:
        lines = [server.stdout.readline() for server in servers if server.stdout]
        if not all(lines):
            message = f"the server can't open {count} ports: raise `ulimit -n`"
            raise WrongAnswer(message)
        yield list(chain.from_iterable(zip(*map(json.loads, lines), strict=True)))
    finally:
        ended = [server.communicate(timeout=30)[0] for server in servers]
    spent = [json.loads(text) for text in ended]
    cpu_ms = 1000 * sum(one["cpu_s"] for one in spent) / sum(one["answers"] for one in spent)
    bench.tell([f"The servers took {cpu_ms:.2f} ms of CPU for an answer, in {SERVERS} processes."])


def endpoint(port: int, ca_file: Path, path: str = "/me") -> dict[str, object]:
    """Return a connection to an endpoint, by the provider `http`."""
    return {
        "provider": "http",
        "environment": "sandbox",
        "base_url": f"https://127.0.0.1:{port}",
        "check": {"path": path, "expect": {"body": {"const": {}}}},
        "tls": {"ca_file": str(ca_file)},
        "auth": {"method": "api_key", "api_key": f"env://{KEY_VARIABLE}"},
    }


def check(ports: list[int], ca_file: Path, manifest: Path, tool: str = "connform") -> Job:
    """Write a manifest of one connection for each port, and return the job of checking it."""
    write_manifest(manifest, ((name_of(number), endpoint(port, ca_file)) for number, port in enumerate(ports)))
    argv = [find("connform"), "check", "-f", str(manifest), "--parallelism", str(AT_ONCE)]
    right = says(rf"(?m)^{len(ports)} connections in 1 file: {len(ports)} ready \(")
    return Job(tool, argv, right, {KEY_VARIABLE: KEY.decode()}, is_slow=len(ports) > 1000)
