"""Live checks of distinct TLS endpoints."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from benchmarks.kit.bench import Bench
from benchmarks.kit.endpoints import AT_ONCE, certify, check, endpoints
from benchmarks.kit.figures import Figures, table
from benchmarks.kit.goals import Goal, beside
from benchmarks.kit.measure import Job, Outcome, says
from benchmarks.kit.server import DELAY_S, KEY


def checks(bench: Bench) -> None:
    """1,000 and 5,000 TLS checks, 100 at once, each of an endpoint of its own that answers 20 ms late."""
    few, many = bench.size(1_000), bench.size(5_000, 40)
    ca_file = certify(bench)
    found: dict[int, dict[str, Figures]] = {}
    with endpoints(bench, many) as ports:
        for count, rounds in ((few, 11), (many, 3)):
            jobs = _jobs(bench, ports[:count], ca_file)
            found[count] = bench.interleave(jobs, rounds)
            bench.tell([f"{count:,} checks, {AT_ONCE} at once, {DELAY_S * 1000:.0f} ms delay:"])
            bench.tell(table(found[count], "curl" if "curl" in found[count] else "httpx"))
    of_few, of_many = found[few], found[many]
    growth = of_many["connform"].median_s / of_few["connform"].median_s / (many / few)
    bench.judge(
        beside("1,000 TLS checks, to curl --parallel", 1.25, of_few, "connform", "curl"),
        beside("1,000 TLS checks, to bare httpx", 0.7, of_few, "connform", "httpx"),
        Goal("1,000 TLS checks, memory", 60, of_few["connform"].median_mb, " MB"),
        Goal("5,000 TLS checks, memory", 100, of_many["connform"].median_mb, " MB"),
        Goal("cost of one check at 5,000, to one at 1,000", 1.1, growth),
    )


def _jobs(bench: Bench, ports: list[int], ca_file: Path) -> list[Job]:
    folder, count, key = bench.folder, len(ports), KEY.decode()
    urls, requests = folder / f"{count}.txt", folder / f"{count}.curl"
    urls.write_text("".join(f"https://127.0.0.1:{port}/me\n" for port in ports))
    requests.write_text("".join(f'url = "https://127.0.0.1:{port}/me"\noutput = "/dev/null"\n' for port in ports))
    connform = check(ports, ca_file, folder / f"{count}.yaml")
    httpx = bench.script("bare_httpx.py", str(urls), str(ca_file), key)
    jobs = [connform, replace(connform, tool="httpx", argv=httpx, is_right=says(f"^{{200: {count}}}$"))]
    if tool := bench.peer("curl"):
        argv = [tool, "--silent", "--parallel", "--parallel-max", str(AT_ONCE), "--cacert", str(ca_file)]
        argv += ["--header", f"X-Api-Key: {key}", "--write-out", "%{http_code}\\n", "--config", str(requests)]

        def is_right(outcome: Outcome) -> bool:
            return outcome.exit_code == 0 and outcome.stdout.split() == ["200"] * count

        jobs.insert(1, replace(connform, tool="curl", argv=argv, is_right=is_right))
    return jobs
