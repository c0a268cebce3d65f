"""Says what is measured, and where: the commit, the machine, the versions of everything that runs."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from benchmarks.jobs.schema_tools import python_with
from benchmarks.kit.figures import shown
from benchmarks.kit.measure import ENVIRONMENT, Job, find, interleave, python_of_connform

ROOT = Path(__file__).parents[2]
VERSIONS = {
    "connform": ["connform", "--version"],
    "check-jsonschema": ["check-jsonschema", "--version"],
    "kubeconform": ["kubeconform", "-v"],
    "yamllint": ["yamllint", "--version"],
    "terraform": ["terraform", "version"],
    "curl": ["curl", "--version"],
    "nginx": ["nginx", "-v"],
}
"""Tool → the command that says its version."""


def about(folder: Path, starts: int) -> Iterator[str]:
    """Yield lines of Markdown; Python is started so often to see how long that takes."""
    changed = "with changes that are not committed" if _said("git", "status", "--porcelain") else "a clean tree"
    yield f"- Commit {_said('git', 'rev-parse', '--short=12', 'HEAD') or 'unknown'}, {changed}"
    yield f"- {os.cpu_count()} cores ({_processor()}), {platform.system()} {platform.release().partition('-')[0]}"
    bare = Job("python", [python_of_connform(), "-c", ""], lambda outcome: outcome.exit_code == 0)
    start = interleave([bare], starts, folder)["python"].median_s
    yield f"- Python {platform.python_version()}; it starts and ends in {shown(start)}"
    yield f"- {'; '.join(_versions())}"


def _versions() -> Iterator[str]:
    for tool, argv in VERSIONS.items():
        found = re.search(r"\d+(\.\d+)+\S*", _said(*argv)) if find(tool) else None
        yield f"{tool} {found[0].rstrip(',)') if found else 'is not installed'}"
    ajv = find("ajv")
    package = Path(ajv).resolve().parent.parent / "package.json"
    yield f"ajv-cli {json.loads(package.read_text())['version'] if ajv and package.exists() else 'is not installed'}"
    version = "import importlib.metadata, sys; print(importlib.metadata.version(sys.argv[1]))"
    python = python_with("jsonschema_rs", "yaml")
    yield f"jsonschema-rs {_said(python, '-c', version, 'jsonschema-rs') if python else 'is not installed'}"
    yield f"httpx {_said(python_of_connform(), '-c', version, 'httpx')}"


def _said(tool: str, *arguments: str) -> str:
    """Return what a command says, on either stream; nothing if there is no such command or it fails."""
    if not (path := find(tool)):
        return ""
    done = subprocess.run(
        [path, *arguments],
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
        env=ENVIRONMENT,
    )
    return "" if done.returncode else done.stdout.strip()


def _processor() -> str:
    file = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*: (.+)", file.read_text()) if file.exists() else None
    return found[1] if found else platform.machine()
