"""The job of `connform validate`, and the same job for its peers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.inputs.manifests import connection, name_of, write_manifest
from benchmarks.jobs.schema_tools import ajv, by_rust, check_jsonschema, kubeconform, yamllint
from benchmarks.kit.bench import Bench
from benchmarks.kit.measure import Job, Outcome, find, run, says

GO_PEERS = ("kubeconform", "jsonschema-rs")
"""The second stands in where the first isn't installed."""
TOOLS: tuple[tuple[Callable[[Bench, Sequence[Path]], list[Job]], str, str], ...] = (
    (check_jsonschema, "mistake.yaml", "prodution"),
    (ajv, "mistake.yaml", "environment"),
    (yamllint, "twice.yaml", "duplication"),
    (kubeconform, "mistake.yaml", "statusInvalid"),
    (by_rust, "mistake.yaml", "0 valid"),
)
"""Each with a file that it must refuse, and what it says of it."""


def validate(path: Path, pattern: str, exit_code: int = 0, *, tool: str = "connform") -> Job:
    """Return the job of connform: a file or a folder."""
    return Job(tool, [find("connform"), "validate", str(path)], says(pattern, exit_code))


def peers(bench: Bench, files: Sequence[Path], *, is_slow: bool = False) -> list[Job]:
    """Return the job of every peer that is installed.

    Raises:
        WrongAnswer: a peer accepts a file that has a mistake: it does not do the job.
    """
    bad = bench.folder / "bad"
    bad.mkdir()
    mistake = connection(0) | {"environment": "prodution"}
    write_manifest(bad / "mistake.yaml", [(name_of(0), mistake)])
    write_manifest(bad / "twice.yaml", [(name_of(0), connection(0))] * 2)
    jobs = []
    for make, file, says_of_it in TOOLS:
        if found := make(bench, files):
            for job in make(bench, [bad / file]):
                run(replace(job, is_right=_refuses(says_of_it)), bench.folder)
        jobs += [replace(job, is_slow=job.is_slow or is_slow) for job in found]
    return jobs


def _refuses(text: str) -> Callable[[Outcome], bool]:
    return lambda outcome: outcome.exit_code == 1 and text in outcome.stdout + outcome.stderr
