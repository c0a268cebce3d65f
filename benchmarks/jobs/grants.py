"""Customers' grants, by the thousand."""

from __future__ import annotations

import json
import subprocess

from benchmarks.kit.bench import Bench
from benchmarks.kit.goals import Goal
from benchmarks.kit.measure import ENVIRONMENT, Job, WrongAnswer, find, run, says

RENEWED = ("customer-00*", "customer-01*")
"""The connections that are checked: 2,000 of them."""


def grants(bench: Bench) -> None:
    """10,000 OAuth connections whose access tokens have ended: which need a login, list them; check and renew 2,000 of them."""
    count = bench.size(10_000)
    renewed = min(count, 2_000)
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
    connform, f, secret = find("connform"), ["-f", str(manifest)], {"PORTAL_SECRET": "synthetic"}
    check, ready = [connform, "check", *f, *RENEWED[: 1 if bench.is_smoke else None]], says(rf"\b{renewed} ready \(")
    jobs = [
        (Job("list", [connform, "list", *f], says(f"{count} connections")), count),
        (Job("login", [connform, "login", *f], says(rf"\b{count} granted \(")), count),
        (Job("check, a renewal each", check, ready, secret), renewed),
        (Job("check again", check, ready, secret), renewed),
    ]
    try:
        found = {job.tool: (run(job, bench.folder), number) for job, number in jobs}
    finally:
        calls = json.loads(server.communicate(timeout=60)[0])["token_calls"]
    bench.tell(
        [
            "| command | grants | seconds | for each | peak memory |",
            "|---|---|---|---|---|",
            *(
                f"| {tool} | {number:,} | {one.seconds:.1f} | {one.seconds / number * 1000:.2f} ms | {one.peak_mb:.0f} MB |"
                for tool, (one, number) in found.items()
            ),
            "",
            f"Token calls: {calls:,}. Each grant takes {cost['bytes']:.0f} bytes, and {cost['write_ms']:.1f} ms to write durably.",
        ]
    )
    if calls != renewed:
        message = f"{renewed} grants took {calls} token calls"
        raise WrongAnswer(message)
    each_ms = found["check, a renewal each"][0].seconds / renewed * 1000
    bench.judge(
        Goal("`list` of 10,000 grants", 2, found["list"][0].seconds, " s"),
        Goal("which of 10,000 grants need a login", 2, found["login"][0].seconds, " s"),
        Goal("check of a grant, with a renewal", 15, each_ms, " ms"),
        Goal("commands with 10,000 grants, memory", 256, max(one.peak_mb for one, _ in found.values()), " MB"),
    )
