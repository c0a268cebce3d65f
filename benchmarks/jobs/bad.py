"""Manifests with mistakes: what they cost, and that each is told, in every format."""

from __future__ import annotations

import json
import re

from benchmarks.inputs.manifests import write_connections
from benchmarks.inputs.mistakes import write_manifest_with_mistakes
from benchmarks.kit.bench import Bench
from benchmarks.kit.figures import ratio, table
from benchmarks.kit.goals import beside
from benchmarks.kit.measure import Job, Outcome, WrongAnswer, find, run, says

FINDINGS = {
    "text": r"error\[",
    "concise": r"error\[",
    "json": r'"severity": "error"',
    "jsonl": r'"severity": "error"',
    "github": r"::error ",
    "gitlab": r'"fingerprint"',
    "sarif": r'"ruleIndex"',
    "junit": r"error\[",
    "markdown": r"\| ❌ \|",
}
"""Format → what stands once for each finding."""
SHOWN_BY_GITHUB = 10


def bad(bench: Bench) -> None:
    """The same 10,000 with a mistake in every hundredth: time to the clean run, and a diagnostic for each at its line."""
    count = bench.size(10_000)
    clean, spoilt = bench.folder / "clean.yaml", bench.folder / "bad.yaml"
    write_connections(clean, count)
    planted = write_manifest_with_mistakes(spoilt, count, every=bench.size(100, 4))

    argv = [find("connform"), "validate", "-f", str(spoilt), "--format", "json"]
    outcome = run(Job("connform", argv, lambda outcome: outcome.exit_code == 1), bench.folder)
    told = [(one["line"], one["code"]) for one in json.loads(outcome.stdout)["diagnostics"]]
    if sorted(told) != sorted(planted):
        message = f"planted and not told: {sorted(planted - set(told))[:9]}; told: {len(told)} of {len(planted)}"
        raise WrongAnswer(message)

    jobs = [
        Job("clean", [*argv[:3], str(clean)], says(f"^{count} connections in 1 file: no errors")),
        Job("1 % bad", argv[:4], says(f"{count} connections in 1 file: {len(planted)} errors", 1)),
    ]
    figures = bench.interleave(jobs, 11)
    bench.tell(table(figures, "clean"))
    bench.tell([f"{len(told)} diagnostics for {len(planted)} mistakes, each with its code at its line."])
    bench.judge(beside("1 % bad, to the clean run", 1.2, figures, "1 % bad", "clean"))


def formats(bench: Bench) -> None:
    """The same 10,000 with 1 % bad, in every format."""
    count = bench.size(10_000)
    file = bench.folder / "bad.yaml"
    planted = len(write_manifest_with_mistakes(file, count, every=bench.size(100, 4)))

    def says_all(name: str) -> Job:
        expected = min(planted, SHOWN_BY_GITHUB) if name == "github" else planted

        def is_right(outcome: Outcome) -> bool:
            return outcome.exit_code == 1 and len(re.findall(FINDINGS[name], outcome.stdout)) == expected

        return Job(name, [find("connform"), "validate", str(file), "--format", name], is_right)

    figures = bench.interleave([says_all(name) for name in FINDINGS], 5)
    bench.tell(table(figures, "text"))
    slowest = max((name for name in FINDINGS if name != "text"), key=lambda name: ratio(figures, name, "text"))
    bench.judge(beside(f"1 % bad, the slowest format ({slowest}) to text", 1.1, figures, slowest, "text"))
