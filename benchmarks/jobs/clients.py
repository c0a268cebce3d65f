"""Ready clients: building them, and what they add to a request."""

from __future__ import annotations

import json
import subprocess

from benchmarks.inputs.manifests import connection, name_of, write_manifest
from benchmarks.kit.bench import Bench
from benchmarks.kit.endpoints import SERVERS, certify, endpoints
from benchmarks.kit.figures import table
from benchmarks.kit.goals import Goal
from benchmarks.kit.measure import ENVIRONMENT, Job, Outcome, WrongAnswer


def clients(bench: Bench) -> None:
    """1,000 ready clients in one process, against bare `httpx.Client` with one TLS context."""
    count = bench.size(1_000)
    manifest = bench.folder / "clients.yaml"
    by_key = [number for number in range(9 * count) if number // 3 % 3 == 0][:count]  # those with an API key
    write_manifest(manifest, ((name_of(number), _numbered(number, at)) for at, number in enumerate(by_key)))

    def is_right(outcome: Outcome) -> bool:
        found = json.loads(outcome.stdout or "{}")
        return outcome.exit_code == 0 and found["clients"] == found["distinct"] == count

    jobs = [
        Job(who, bench.script("clients.py", who, str(manifest), str(count)), is_right) for who in ("connform", "httpx")
    ]
    figures = bench.interleave(jobs, 11)
    for one in figures.values():  # the time that counts is the one that the script took inside
        one.seconds = [json.loads(stdout)["seconds"] for stdout in one.stdouts]
    bench.tell(table(figures, "httpx"))
    bench.judge(Goal("1,000 ready clients", 0.2, figures["connform"].median_s, " s"))


def _numbered(number: int, secret: int) -> dict[str, object]:
    return {**connection(number), "auth": {"method": "api_key", "api_key": f"env://CUSTOMER_{secret:05}_SECRET"}}


def overhead(bench: Bench) -> None:
    """One request through a ready client, against a bare `httpx` client on the same TLS server, in turns."""
    ca_file = certify(bench)
    with endpoints(bench, SERVERS, delay_s=0) as ports:
        argv = [str(ports[0]), str(ca_file), str(bench.size(1_600, 64)), str(bench.rounds(11))]
        script = bench.script("overhead.py", *argv)
        done = subprocess.run(script, check=False, capture_output=True, text=True, env=ENVIRONMENT)
    if done.returncode:
        raise WrongAnswer(done.stderr[-600:])
    found = json.loads(done.stdout)
    rows = [
        f"| {at_once} | {one['connform']:.0f} µs | {one['httpx']:.0f} µs | {one['ratio']:.2f} |"
        for at_once, one in found.items()
    ]
    bench.tell(["| at once | connform | httpx | ratio |", "|---|---|---|---|", *rows])
    for at_once, one in found.items():
        peer = f"httpx: {one['httpx']:.0f} µs (connform: {one['connform']:.0f} µs)"
        bench.judge(Goal(f"a ready client's request, {at_once} at once, to bare httpx", 1.05, one["ratio"], peer=peer))
