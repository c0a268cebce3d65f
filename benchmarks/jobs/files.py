"""Many small files."""

from __future__ import annotations

from benchmarks.inputs.manifests import connection, name_of, write_manifest
from benchmarks.jobs.schema_tools import ONE_PROVIDER
from benchmarks.jobs.validators import GO_PEERS, peers, validate
from benchmarks.kit.bench import Bench
from benchmarks.kit.figures import table
from benchmarks.kit.goals import beside


def files(bench: Bench) -> None:
    """1,000 files of one connection each, in one run."""
    count = bench.size(1_000)
    folder = bench.folder / "files"
    folder.mkdir()
    paths = [folder / f"{name_of(number)}.yaml" for number in range(count)]
    for number, path in enumerate(paths):
        write_manifest(path, [(name_of(number), connection(number))])
    jobs = [validate(folder, f"^{count} connections in {count} files: no errors"), *peers(bench, paths)]
    figures = bench.interleave(jobs, 7)
    bench.tell(table(figures, "connform"))
    bench.judge(
        beside("1,000 files, to kubeconform", 1, figures, "connform", *GO_PEERS),
        beside("1,000 files, to kubeconform by the schema of one provider", 1, figures, "connform", ONE_PROVIDER),
        beside("1,000 files, to check-jsonschema", 1 / 10, figures, "connform", "check-jsonschema"),
    )
