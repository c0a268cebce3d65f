"""Tools that do a part of what `connform validate` does: by the schema that connform writes, without rules beyond it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from benchmarks.inputs.resources import write_resources, write_schemas
from benchmarks.kit.bench import Bench
from benchmarks.kit.measure import Job, Outcome, says

ONE_PROVIDER = "kubeconform, one provider"


def check_jsonschema(bench: Bench, files: Sequence[Path]) -> list[Job]:
    tool = bench.peer("check-jsonschema")
    argv = [tool, "--schemafile", str(bench.schema), *map(str, files)]
    return [Job("check-jsonschema", argv, says("^ok"), is_slow=len(files) > 1)] if tool else []


def ajv(bench: Bench, files: Sequence[Path]) -> list[Job]:
    """It compiles the schema first, which takes it most of its time."""
    tool = bench.peer("ajv")
    options = ["validate", "--spec=draft7", "--strict=false", "-s", str(bench.schema)]
    argv = [tool, *options, *(part for file in files for part in ("-d", str(file)))]

    def is_right(outcome: Outcome) -> bool:
        return outcome.exit_code == 0 and outcome.stdout.count(" valid\n") == len(files)

    return [Job("ajv", argv, is_right, is_slow=True)] if tool else []


def yamllint(bench: Bench, files: Sequence[Path]) -> list[Job]:
    """A reader of YAML that tells places too; it looks for a key that stands twice, and knows no schema."""
    tool = bench.peer("yamllint")
    argv = [tool, "-d", "{rules: {key-duplicates: enable}}", *map(str, files)]
    return [Job("yamllint", argv, lambda outcome: outcome.exit_code == 0 and not outcome.stdout)] if tool else []


def kubeconform(bench: Bench, files: Sequence[Path]) -> list[Job]:
    """By the whole schema, and by what that says of the one provider that the connections have."""
    tool = bench.peer("kubeconform")
    if not tool:
        return []
    write_schemas(bench.schema, bench.folder)
    resources = bench.folder / f"resources-{len(files)}"
    written = write_resources(files, resources)
    what = str(resources if len(files) > 1 else written[0])

    def is_right(outcome: Outcome) -> bool:
        good = {"valid": len(files), "invalid": 0, "errors": 0, "skipped": 0}
        return outcome.exit_code == 0 and json.loads(outcome.stdout)["summary"] == good

    def by(schema: str) -> list[str]:
        location = str(bench.folder / schema / "{{ .ResourceKind }}.json")
        return [tool, "-summary", "-output", "json", "-schema-location", location, what]

    return [Job("kubeconform", by("whole"), is_right), Job(ONE_PROVIDER, by("one"), is_right)]


def by_rust(bench: Bench, files: Sequence[Path]) -> list[Job]:
    """A script of PyYAML's C loader and jsonschema-rs, with the first Python that has both."""
    python = python_with("jsonschema_rs", "yaml")
    if not python:
        bench.missing.add("jsonschema-rs is not installed (for no python3 of the PATH)")
        return []
    argv = bench.script("judge_by_schema.py", str(bench.schema), *map(str, files), python=python)
    return [Job("jsonschema-rs", argv, says(f"^{len(files)} valid"))]


def python_with(*modules: str) -> str:
    """Return the first interpreter of the PATH that has these modules; empty if none has."""
    probe = ["-c", f"import {','.join(modules)}"]
    for folder in os.get_exec_path():
        python = shutil.which("python3", path=folder)
        if python and not subprocess.run([python, *probe], check=False, capture_output=True).returncode:
            return python
    return ""
