"""The files of `deploy/`, and what they run."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.pages.blocks import ROOT, connform_in

DEPLOY = ROOT / "deploy"
KUBERNETES = DEPLOY / "kubernetes"
UNITS = sorted((DEPLOY / "systemd").iterdir())
RESOURCES = sorted(
    file for file in KUBERNETES.rglob("*.yaml") if file.name not in {"kustomization.yaml", "connections.yaml"}
)
"""The files that say what a cluster shall hold."""


def pods() -> Iterator[tuple[Path, dict[str, Any]]]:
    """Return the specification of each pod, with its file."""
    for file in RESOURCES:
        for document in yaml.safe_load_all(file.read_text("utf-8")):
            spec = document.get("spec", {})
            template = spec.get("jobTemplate", {}).get("spec", spec).get("template")
            if template:
                yield file, template["spec"]


def commands() -> Iterator[tuple[Path, list[str]]]:
    """Return the arguments of each `connform` that a file of `deploy/` runs."""
    for file, pod in pods():
        for container in pod["containers"]:
            yield file, container["args"]
    for unit in UNITS:
        for line in re.findall(r"^ExecStart=\S*/connform (.*)$", unit.read_text("utf-8"), re.MULTILINE):
            yield unit, shlex.split(line)
    for file in (DEPLOY / "cron").iterdir():
        for line in file.read_text("utf-8").splitlines():
            if not line.startswith("#"):
                yield from ((file, [*found]) for found in connform_in(line))
