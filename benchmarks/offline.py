"""What needs no network: start-up, many files, many connections, mistakes, hostile files."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from bench import Bench, says
from manifests import (
    connection,
    name_of,
    write_manifest,
    write_manifest_with_mistakes,
    write_manifest_with_providers,
    write_terraform,
)
from measure import Job, Outcome, WrongAnswer, find, goal, interleave, ratio, run, shown, table


def validate(path: Path, pattern: str, exit_code: int = 0, *, tool: str = "connform") -> Job:
    return Job(tool, [find("connform"), "validate", str(path)], says(pattern, exit_code))


def check_jsonschema(bench: Bench, files: Sequence[Path]) -> list[Job]:
    tool = bench.peer("check-jsonschema")
    argv = [tool, "--schemafile", str(bench.schema), *map(str, files)]
    return [Job("check-jsonschema", argv, says("^ok"))] if tool else []


def ajv(bench: Bench, files: Sequence[Path]) -> list[Job]:
    tool = bench.peer("ajv")
    options = ["validate", "--spec=draft2020", "--strict=false", "-s", str(bench.schema)]
    argv = [tool, *options, *(part for file in files for part in ("-d", str(file)))]

    def is_right(outcome: Outcome) -> bool:
        return outcome.exit_code == 0 and outcome.stdout.count(" valid\n") == len(files)

    return [Job("ajv", argv, is_right)] if tool else []


def yamllint(bench: Bench, files: Sequence[Path]) -> list[Job]:
    """A reader of YAML that tells places too; it looks for a key that stands twice, and knows no schema."""
    tool = bench.peer("yamllint")
    argv = [tool, "-d", "{rules: {key-duplicates: enable}}", *map(str, files)]
    return [Job("yamllint", argv, lambda outcome: outcome.exit_code == 0 and not outcome.stdout)] if tool else []


def start(bench: Bench) -> None:
    """`--help` and `validate` of one small file, against Python doing nothing."""
    file = bench.folder / "small.yaml"
    write_manifest(file, [("sandbox-us", connection(1))])
    jobs = [
        Job("python -c ''", [sys.executable, "-c", ""], lambda outcome: outcome.exit_code == 0),
        Job("connform --help", [find("connform"), "--help"], says("validate ")),
        validate(file, "^1 connection in 1 file: no errors", tool="connform validate"),
        *check_jsonschema(bench, [file]),
        *ajv(bench, [file]),
        *yamllint(bench, [file]),
    ]
    bench.no_peer("kubeconform")
    figures = interleave(jobs, bench.rounds(21), bench.folder)
    bench.tell(table(figures, "python -c ''"))
    bench.judge(
        goal("`--help`, in starts of bare Python", ratio(figures, "connform --help", "python -c ''"), 4.5),
        goal("validate one file, in starts of bare Python", ratio(figures, "connform validate", "python -c ''"), 7),
        goal("validate one file, to check-jsonschema", ratio(figures, "connform validate", "check-jsonschema"), 1 / 3),
    )


def files(bench: Bench) -> None:
    """1,000 files of one connection each, in one run."""
    count = bench.size(1_000)
    folder = bench.folder / "files"
    folder.mkdir()
    paths = [folder / f"{name_of(number)}.yaml" for number in range(count)]
    for number, path in enumerate(paths):
        write_manifest(path, [(name_of(number), connection(number))])
    jobs = [
        validate(folder, f"^{count} connections in {count} files: no errors"),
        *check_jsonschema(bench, paths),
        *ajv(bench, paths),
        *yamllint(bench, paths),
    ]
    bench.no_peer("kubeconform")
    figures = interleave(jobs, bench.rounds(9), bench.folder)
    bench.tell(table(figures, "connform"))
    bench.judge(goal("1,000 files, to check-jsonschema", ratio(figures, "connform", "check-jsonschema"), 1 / 10))


def large(bench: Bench) -> None:
    """10,000 connections in one file, against JSON Schema tools and Terraform."""
    count = bench.size(10_000)
    file = bench.folder / "large.yaml"
    write_manifest(file, ((name_of(number), connection(number)) for number in range(count)))
    bench.tell([f"{count:,} connections, {file.stat().st_size / 1e6:.1f} MB."])
    declaring = bench.folder / "declaring.yaml"
    write_manifest_with_providers(declaring, count, providers=20)
    says_good = f"^{count} connections in 1 file: no errors"
    jobs = [
        validate(file, says_good),
        validate(declaring, says_good, tool="connform, 20 declared providers"),
        *check_jsonschema(bench, [file]),
        *ajv(bench, [file]),
        *yamllint(bench, [file]),
        *_terraform(bench, count),
    ]
    bench.no_peer("kubeconform")
    figures = interleave(jobs, bench.rounds(5), bench.folder)
    bench.tell(table(figures, "connform"))
    bench.judge(
        goal("10,000 in one file, to check-jsonschema", ratio(figures, "connform", "check-jsonschema"), 1 / 20),
        goal("10,000 in one file, to terraform validate", ratio(figures, "connform", "terraform validate"), 1 / 5),
        goal("10,000 of 20 declared providers", ratio(figures, "connform, 20 declared providers", "connform"), 1.05),
        goal("10,000 in one file, memory", figures["connform"].median_mb, 118, " MB"),
    )


def plan(bench: Bench) -> None:
    """The same 10,000 connections against their recorded state: nothing recorded, everything recorded, everything changed; queries; a rehearsal."""
    count = bench.size(10_000)
    file = bench.folder / "connections.yaml"
    write_manifest(file, ((name_of(number), connection(number)) for number in range(count)))
    connform, f = find("connform"), ["-f", str(file)]
    new = says(f"{count} connections in 1 file: {count} to create")
    jobs = [validate(file, f"^{count} connections in 1 file: no errors"), Job("plan, new", [connform, "plan", *f], new)]
    fresh = interleave(jobs, bench.rounds(5), bench.folder)
    cost = json.loads(subprocess.run(bench.script("states.py", str(file)), check=True, capture_output=True).stdout)
    one = name_of(count // 2)
    jobs = [
        jobs[0],
        Job("plan, no changes", [connform, "plan", *f], says(f"{count} connections in 1 file: no changes")),
        Job("state list", [connform, "state", "list", *f], says(one)),
        Job("state show", [connform, "state", "show", one, *f], says("certificate ends")),
        Job("state history", [connform, "state", "history", one, *f], says(one)),
    ]
    figures = interleave(jobs, bench.rounds(5), bench.folder)
    write_manifest(
        file, ((name_of(number), connection(number) | {"owner": "else@acme.example"}) for number in range(count))
    )
    other = says(f"{count} connections in 1 file: {count} to update")
    changed = interleave(
        [jobs[0], Job("plan, all changed", [connform, "plan", *f], other)], bench.rounds(5), bench.folder
    )
    rehearsed = run(Job("apply", [connform, "apply", "--simulate", *f], says(f"{count} ready")), bench.folder)
    for each in (fresh, figures, changed):
        bench.tell(table(each, "connform"))
    rate = f"{count / rehearsed.seconds:.0f} connections a second, {rehearsed.peak_mb:.0f} MB"
    bench.tell(
        [
            f"`apply --simulate` took {rehearsed.seconds:.1f} s: {rate}.",
            f"A record takes {cost['bytes']:.0f} bytes with one attempt, {cost['write_ms']:.2f} ms to write, a hundred at once.",
        ]
    )
    bench.judge(
        goal("plan of 10,000 new connections, to validate", ratio(fresh, "plan, new", "connform"), 2),
        goal("plan of 10,000 recorded connections, to validate", ratio(figures, "plan, no changes", "connform"), 2),
        goal("plan of 10,000 changed connections, to validate", ratio(changed, "plan, all changed", "connform"), 2),
        *(
            goal(f"{query} of 10,000 recorded connections", figures[query].median_s * 1000, 100, " ms")
            for query in ("state show", "state history", "state list")
        ),
    )


def _terraform(bench: Bench, count: int) -> list[Job]:
    tool = bench.peer("terraform")
    if not tool:
        return []
    module = bench.folder / "module"
    module.mkdir()
    write_terraform(module / "main.tf", count)
    right = says("The configuration is valid")
    job = Job("terraform validate", [tool, "validate", "-no-color"], right, {"CHECKPOINT_DISABLE": "1"}, module)
    proof = bench.folder / "proof"  # that it looks at the types at all
    proof.mkdir()
    write_terraform(proof / "main.tf", 1)
    wrong = (proof / "main.tf").read_text().replace('"total_s": 10', '"total_s": "soon"')
    (proof / "main.tf").write_text(wrong)
    run(Job("terraform", job.argv, lambda outcome: outcome.exit_code == 1, job.environment, proof), bench.folder)
    return [job]


def bad(bench: Bench) -> None:
    """The same 10,000 with a mistake in every hundredth: time to the clean run, and a diagnostic for each at its line."""
    count = bench.size(10_000)
    clean, spoilt = bench.folder / "clean.yaml", bench.folder / "bad.yaml"
    write_manifest(clean, ((name_of(number), connection(number)) for number in range(count)))
    planted = write_manifest_with_mistakes(spoilt, count, every=100)

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
    figures = interleave(jobs, bench.rounds(15), bench.folder)
    bench.tell(table(figures, "clean"))
    bench.tell([f"{len(told)} diagnostics for {len(planted)} mistakes, each with its code at its line."])
    bench.judge(goal("1 % bad, to the clean run", ratio(figures, "1 % bad", "clean"), 1.25))


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


def formats(bench: Bench) -> None:
    """The same 10,000 with 1 % bad, in every format."""
    count = bench.size(10_000)
    file = bench.folder / "bad.yaml"
    planted = len(write_manifest_with_mistakes(file, count, every=100))

    def says_all(name: str) -> Job:
        expected = min(planted, SHOWN_BY_GITHUB) if name == "github" else planted

        def is_right(outcome: Outcome) -> bool:
            return outcome.exit_code == 1 and len(re.findall(FINDINGS[name], outcome.stdout)) == expected

        return Job(name, [find("connform"), "validate", str(file), "--format", name], is_right)

    figures = interleave([says_all(name) for name in FINDINGS], bench.rounds(9), bench.folder)
    bench.tell(table(figures, "text"))
    slowest = max(ratio(figures, name, "text") or 0 for name in FINDINGS)
    bench.judge(goal("1 % bad, the slowest format to text", slowest, 1.1))


def hostile(bench: Bench) -> None:
    """Files made to hurt: how long the refusal takes after start-up, and that the command survives."""
    small = bench.folder / "small.yaml"
    write_manifest(small, [("sandbox-us", connection(1))])
    levels = "\n".join(f"  l{level}: &l{level} [{', '.join([f'*l{level - 1}'] * 10)}]" for level in range(1, 12))
    texts = {
        "aliases that would make 10^12 nodes": f"version: 1\nbomb:\n  l0: &l0 [a]\n{levels}\n",
        "200,000 open brackets": "version: 1\nconnections: " + "[" * 200_000,
        "20,000 nested mappings": "".join(f"{' ' * depth}k:\n" for depth in range(2_000)) + "{k: " * 18_000,
        "20,000 spaces in one line": f"version: 1\nconnections: a{' ' * 20_000}b\n",
        "a scalar of 10 MB": f"version: 1\nconnections: {'a' * 10_000_000}\n",
        "a scalar of 7 MB, in a file just small enough": f"version: 1\nconnections: {'a' * 7_000_000}\n",
    }
    paths = {}
    for number, (what, text) in enumerate(texts.items()):
        paths[what] = bench.folder / f"hostile-{number}.yaml"
        paths[what].write_text(text)
    script = bench.script("refusals.py", str(small), *map(str, paths.values()))
    inside = interleave([Job("refusals", script, says("^{"))], bench.rounds(5), bench.folder)["refusals"]
    rounds = [json.loads(outcome.stdout) for outcome in inside.outcomes]
    lines = ["| file | refused as | in the process | whole command |", "|---|---|---|---|"]
    for what, path in paths.items():
        codes = {code for one in rounds for code in one[str(path)]["codes"]}
        if not codes:
            message = f"{what} was accepted"
            raise WrongAnswer(message)
        seconds = sorted(one[str(path)]["seconds"] for one in rounds)[len(rounds) // 2]
        command = interleave([validate(path, "error", 1)], bench.rounds(3), bench.folder)["connform"]
        bench.judge(goal(f"refusing {what}", seconds * 1000, 50, " ms"))
        lines.append(f"| {what} | {', '.join(sorted(codes))} | {shown(seconds)} | {shown(command.median_s)} |")
    bench.tell(lines)
