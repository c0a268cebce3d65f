"""What is about clients: building them, and live checks of distinct TLS endpoints on loopback."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

from bench import Bench, says
from manifests import connection, name_of, write_manifest
from measure import ENVIRONMENT, Figures, Job, Outcome, WrongAnswer, find, goal, interleave, ratio, run, table
from server import DELAY_S, KEY

AT_ONCE = 100
SERVERS = 2
KEY_VARIABLE = "CONNFORM_BENCH_KEY"


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
    figures = interleave(jobs, bench.rounds(11), bench.folder)
    for one in figures.values():  # the time that counts is the one that the script took inside
        one.seconds = [json.loads(outcome.stdout)["seconds"] for outcome in one.outcomes]
    bench.tell(table(figures, "httpx"))
    bench.judge(goal("1,000 ready clients", figures["connform"].median_s, 0.2, " s"))


def _numbered(number: int, secret: int) -> dict[str, object]:
    return {**connection(number), "auth": {"method": "api_key", "api_key": f"env://CUSTOMER_{secret:05}_SECRET"}}


def overhead(bench: Bench) -> None:
    """One request through a ready client, against a bare `httpx` client on the same TLS server, in turns."""
    certify(bench)
    with endpoints(bench, SERVERS, delay_s=0) as ports:
        argv = [str(ports[0]), str(bench.folder / "client.pem"), str(bench.size(3_200)), str(bench.rounds(11))]
        done = subprocess.run(
            bench.script("overhead.py", *argv), check=True, capture_output=True, text=True, env=ENVIRONMENT
        )
    found = json.loads(done.stdout)
    rows = [
        f"| {at_once} | {one['connform']:.0f} µs | {one['httpx']:.0f} µs | {one['connform'] / one['httpx']:.2f} |"
        for at_once, one in found.items()
    ]
    bench.tell(["| at once | connform | httpx | ratio |", "|---|---|---|---|", *rows])
    for at_once, one in found.items():
        bench.judge(goal(f"one request, {at_once} at once, to bare httpx", one["connform"] / one["httpx"], 1.1))


def grants(bench: Bench) -> None:
    """10,000 OAuth connections whose access tokens have ended: which need a login, list them, check and renew each."""
    count = bench.size(10_000)
    manifest = bench.folder / "connections.yaml"
    server = subprocess.Popen(
        bench.script("grants.py", str(manifest), str(count)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
    )
    if not server.stdout or not (line := server.stdout.readline()):
        message = "the authorization server did not start"
        raise WrongAnswer(message)
    cost = json.loads(line)
    connform, ready = find("connform"), says(rf"{count} ready")
    check = [connform, "check", "-f", str(manifest)]
    jobs = [
        Job("list", [connform, "list", "-f", str(manifest)], says(f"{count} connections")),
        Job("login", [connform, "login", "-f", str(manifest)], ready),
        Job("check, a renewal each", check, ready, {"PORTAL_SECRET": "synthetic"}),
        Job("check again", check, ready, {"PORTAL_SECRET": "synthetic"}),
    ]
    found = {job.tool: run(job, bench.folder) for job in jobs}
    renewed = json.loads(server.communicate(timeout=60)[0])["token_calls"]
    bench.tell(
        [
            "| command | seconds | for each | peak memory |",
            "|---|---|---|---|",
            *(
                f"| {tool} | {one.seconds:.1f} | {one.seconds / count * 1000:.2f} ms | {one.peak_mb:.0f} MB |"
                for tool, one in found.items()
            ),
            "",
            f"Token calls: {renewed:,}. Each grant takes {cost['bytes']:.0f} bytes, and {cost['write_ms']:.1f} ms to write durably.",
        ]
    )
    if renewed != count:
        message = f"{count} grants took {renewed} token calls"
        raise WrongAnswer(message)
    each_ms = found["check, a renewal each"].seconds / count * 1000
    bench.judge(
        goal("list of 10,000 grants", found["list"].seconds, 2, " s"),
        goal("which of 10,000 grants need a login", found["login"].seconds, 2, " s"),
        goal("check of a grant, with a renewal", each_ms, 15, " ms"),
        goal("10,000 grants, memory", max(one.peak_mb for one in found.values()), 256, " MB"),
    )


def checks(bench: Bench) -> None:
    """1,000 and 5,000 TLS checks, 100 at once, each of an endpoint of its own that answers 20 ms late."""
    few, many = bench.size(1_000), bench.size(5_000)
    certify(bench)
    found: dict[int, dict[str, Figures]] = {}
    with endpoints(bench, many) as ports:
        for count, rounds in ((few, 9), (many, 5)):
            jobs = _jobs(bench, ports[:count])
            found[count] = interleave(jobs, bench.rounds(rounds), bench.folder)
            bench.tell([f"{count:,} checks, {AT_ONCE} at once, {DELAY_S * 1000:.0f} ms delay:"])
            bench.tell(table(found[count], "curl" if "curl" in found[count] else "httpx"))
    growth = found[many]["connform"].median_s / found[few]["connform"].median_s / (many / few)
    bench.judge(
        goal("1,000 TLS checks, to curl --parallel", ratio(found[few], "connform", "curl"), 1.8),
        goal("1,000 TLS checks, memory", found[few]["connform"].median_mb, 64, " MB"),
        goal("cost of one check at 5,000, to one at 1,000", growth, 1.1),
    )


def _jobs(bench: Bench, ports: list[int]) -> list[Job]:
    folder, count, key = bench.folder, len(ports), KEY.decode()
    manifest, urls, requests = (folder / f"{count}.{kind}" for kind in ("yaml", "txt", "curl"))
    ca_file = folder / "client.pem"
    write_manifest(manifest, ((name_of(number), _endpoint(port, ca_file)) for number, port in enumerate(ports)))
    urls.write_text("".join(f"https://127.0.0.1:{port}/me\n" for port in ports))
    requests.write_text("".join(f'url = "https://127.0.0.1:{port}/me"\noutput = "/dev/null"\n' for port in ports))
    check = [find("connform"), "check", "-f", str(manifest), "--parallelism", str(AT_ONCE)]
    jobs = [
        Job("connform", check, says(rf"(?m)^{count} connections in 1 file: {count} ready \("), {KEY_VARIABLE: key}),
        Job("httpx", bench.script("bare_httpx.py", str(urls), str(ca_file), key), says(f"^{{200: {count}}}$")),
    ]
    if tool := bench.peer("curl"):
        argv = [tool, "--silent", "--parallel", "--parallel-max", str(AT_ONCE), "--cacert", str(ca_file)]
        argv += ["--header", f"X-Api-Key: {key}", "--write-out", "%{http_code}\\n", "--config", str(requests)]

        def is_right(outcome: Outcome) -> bool:
            return outcome.exit_code == 0 and outcome.stdout.split() == ["200"] * count

        jobs.insert(1, Job("curl", argv, is_right))
    return jobs


def _endpoint(port: int, ca_file: Path) -> dict[str, object]:
    return {
        "provider": "http",
        "environment": "sandbox",
        "base_url": f"https://127.0.0.1:{port}",
        "check": {"path": "/me", "expect": {"body": {"type": "object"}}},
        "tls": {"ca_file": str(ca_file)},
        "auth": {"method": "api_key", "api_key": f"env://{KEY_VARIABLE}"},
    }


def certify(bench: Bench) -> None:
    """Write an authority, and a certificate of it for 127.0.0.1, into the folder."""
    argv = [sys.executable, "-m", "trustme", "-q", "-d", str(bench.folder), "-i", "127.0.0.1", "localhost"]
    subprocess.run(argv, check=True, env=ENVIRONMENT)


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
            message = f"the server can't open {count} ports: raise `ulimit -n`, or use --quick"
            raise WrongAnswer(message)
        yield list(chain.from_iterable(zip(*map(json.loads, lines), strict=True)))
    finally:
        ended = [server.communicate(timeout=30)[0] for server in servers]
    spent = [json.loads(text) for text in ended]
    cpu_ms = 1000 * sum(one["cpu_s"] for one in spent) / sum(one["answers"] for one in spent)
    bench.tell([f"The servers took {cpu_ms:.2f} ms of CPU for an answer, in {SERVERS} processes."])
