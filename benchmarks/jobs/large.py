"""Many connections in one file."""

from __future__ import annotations

from benchmarks.inputs.manifests import write_connections, write_manifest_with_providers
from benchmarks.inputs.terraform import write_terraform
from benchmarks.jobs.schema_tools import ONE_PROVIDER
from benchmarks.jobs.validators import GO_PEERS, peers, validate
from benchmarks.kit.bench import Bench
from benchmarks.kit.figures import table
from benchmarks.kit.goals import Goal, beside
from benchmarks.kit.measure import Job, run, says

DECLARING = "connform, 20 declared providers"


def large(bench: Bench) -> None:
    """10,000 connections in one file, against tools for schemas and Terraform."""
    count = bench.size(10_000)
    file = bench.folder / "large.yaml"
    write_connections(file, count)
    bench.tell([f"{count:,} connections, {file.stat().st_size / 1e6:.1f} MB."])
    declaring = bench.folder / "declaring.yaml"
    write_manifest_with_providers(declaring, count, providers=20)
    says_good = f"^{count} connections in 1 file: no errors"
    jobs = [
        validate(file, says_good),
        validate(declaring, says_good, tool=DECLARING),
        *peers(bench, [file], is_slow=True),
        *_terraform(bench, count),
    ]
    figures = bench.interleave(jobs, 5)
    bench.tell(table(figures, "connform"))
    bench.judge(
        beside("10,000 in one file, to kubeconform", 0.7, figures, "connform", *GO_PEERS),
        beside(
            "10,000 in one file, to kubeconform by the schema of one provider", 0.7, figures, "connform", ONE_PROVIDER
        ),
        beside("10,000 in one file, to check-jsonschema", 1 / 35, figures, "connform", "check-jsonschema"),
        beside("10,000 in one file, to terraform validate", 1 / 5, figures, "connform", "terraform validate"),
        beside("10,000 of 20 declared providers, to those of a built-in one", 1.05, figures, DECLARING, "connform"),
        Goal("10,000 in one file, memory", 80, figures["connform"].median_mb, " MB"),
    )


def _terraform(bench: Bench, count: int) -> list[Job]:
    tool = bench.peer("terraform")
    if not tool:
        return []
    module = bench.folder / "module"
    module.mkdir()
    write_terraform(module / "main.tf", count)
    environment = {"CHECKPOINT_DISABLE": "1"}
    argv = [tool, "validate", "-no-color"]
    proof = bench.folder / "proof"  # that it looks at the types at all
    proof.mkdir()
    write_terraform(proof / "main.tf", 1)
    wrong = (proof / "main.tf").read_text().replace('"total_s": 10', '"total_s": "soon"')
    (proof / "main.tf").write_text(wrong)
    run(Job("terraform", argv, lambda outcome: outcome.exit_code == 1, environment, proof), bench.folder)
    right = says("The configuration is valid")
    return [Job("terraform validate", argv, right, environment, module, is_slow=True)]
