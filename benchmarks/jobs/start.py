"""How long the shortest commands take."""

from __future__ import annotations

from benchmarks.inputs.manifests import write_connections
from benchmarks.jobs.validators import peers, validate
from benchmarks.kit.bench import Bench
from benchmarks.kit.figures import table
from benchmarks.kit.goals import beside
from benchmarks.kit.measure import Job, find, python_of_connform, says

BARE = "python -c ''"


def start(bench: Bench) -> None:
    """`--help` and `validate` of one small file, against Python doing nothing."""
    file = bench.folder / "small.yaml"
    write_connections(file, 1)
    jobs = [
        Job(BARE, [python_of_connform(), "-c", ""], lambda outcome: outcome.exit_code == 0),
        Job("connform --help", [find("connform"), "--help"], says("validate ")),
        validate(file, "^1 connection in 1 file: no errors", tool="connform validate"),
        *peers(bench, [file]),
    ]
    figures = bench.interleave(jobs, 11)
    bench.tell(table(figures, BARE))
    bench.judge(
        beside("`--help`, in starts of bare Python", 4, figures, "connform --help", BARE),
        beside("validate one file, in starts of bare Python", 6, figures, "connform validate", BARE),
        beside("validate one file, to check-jsonschema", 1 / 4, figures, "connform validate", "check-jsonschema"),
    )
