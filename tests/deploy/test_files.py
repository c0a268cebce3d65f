"""The files of `deploy/`: each is what the program that reads it takes, and what connform is started with exists."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import require_peer
from tests.deploy.files import DEPLOY, KUBERNETES, RESOURCES, UNITS, commands, pods
from tests.end_to_end.running import run_here, run_program
from tests.pages.blocks import ROOT, blocks
from tests.pages.parsing import parse

PAGE = (ROOT / "docs/guides/containers.md").read_text("utf-8")
COMMANDS = [*commands()]
PODS = [*pods()]


def name(value: Any) -> str:
    return value.name if isinstance(value, Path) else ""


@pytest.mark.parametrize(("file", "arguments"), COMMANDS, ids=name)
def test_a_command_can_be_typed(
    file: Path, arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    parse(arguments, whole=True)


def test_every_way_to_run_it_has_a_command() -> None:
    assert {file.parent.name for file, _ in COMMANDS} == {"check", "monitor", "systemd", "cron"}


def test_no_file_names_a_registry() -> None:
    hosts = re.compile(
        r"\b(?:[a-z0-9-]+\.)+(?:io|com|org|net|dev|cloud)\b(?!/)|\b[\w.-]*(?:docker|ghcr|quay|pypi)[\w.-]*/"
    )
    labels = {"app.kubernetes.io", "kubernetes.io", "prometheus.io", "kustomize.config.k8s.io", "networking.k8s.io"}
    for file in DEPLOY.rglob("*"):
        if file.is_file():
            assert {host for host in hosts.findall(file.read_text("utf-8")) if host not in labels} == set(), file


# Kubernetes


@pytest.mark.parametrize("version", ["1.25", "1.37"])
def test_a_cluster_takes_the_manifests_and_those_of_the_page(version: str, tmp_path: Path) -> None:
    program, shown = require_peer("kubernetes-validate"), tmp_path / "shown.yaml"
    shown.write_text("".join(block.text for block in blocks(PAGE) if block.language == "yaml"))
    ended = run_program(program, "--strict", "--kubernetes-version", version, *RESOURCES, shown, cwd=DEPLOY)
    assert (ended.code, ended.out.count(" passed for ")) == (0, len(RESOURCES) + 3), ended.out + ended.err


@pytest.mark.parametrize(("file", "pod"), PODS, ids=name)
def test_a_pod_has_no_right_that_it_does_not_need(file: Path, pod: dict[str, Any]) -> None:
    (container,) = pod["containers"]
    assert pod["securityContext"] == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod["automountServiceAccountToken"] is False
    assert all(mount["readOnly"] for mount in container["volumeMounts"])
    assert "memory" in container["resources"]["limits"]
    secrets = {
        one["name"]: one.get("value", "") for one in container["env"] if "PASS" in one["name"] or "KEY" in one["name"]
    }
    assert all(not value or value.startswith("file:///run/secrets/") for value in secrets.values())


@pytest.mark.parametrize("folder", ["check", "monitor"])
def test_kustomize_builds_what_stands_in_the_files(folder: str) -> None:
    program = shutil.which("kubectl")
    if program is None:
        pytest.skip("kubectl is not installed, and that of Debian 12 is too old")
    ended = run_program(program, "kustomize", KUBERNETES / folder, cwd=DEPLOY)
    assert ended.code == 0, ended.err
    built = [*yaml.safe_load_all(ended.out)]
    files = [file for file in RESOURCES if file.parent.name in {"common", folder}]
    assert len(built) == len(files) + 1  # the ConfigMap
    assert {one["metadata"].get("namespace", "connform") for one in built} == {"connform"}
    assert "image: images.acme.example/connform:" in ended.out


def test_the_manifest_of_the_configmap_is_valid() -> None:
    ended = run_here("validate", cwd=KUBERNETES / "common")
    assert (ended.code, ended.out) == (0, "1 connection in 1 file: no errors\n")


# systemd


def test_systemd_understands_each_line_of_the_units(tmp_path: Path) -> None:
    units = tmp_path / "etc/systemd/system"
    shutil.copytree(DEPLOY / "systemd", units)
    shutil.copytree("/usr/lib/systemd/system", tmp_path / "usr/lib/systemd/system", symlinks=True)
    for program in ("opt/connform/bin/connform", "bin/kill"):
        (tmp_path / program).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / program).touch(0o755)
    names = [unit.name for unit in UNITS]
    ended = run_program(require_peer("systemd-analyze"), "verify", f"--root={tmp_path}", *names, cwd=tmp_path)
    assert (ended.code, ended.out, ended.err) == (0, "", "")


@pytest.mark.parametrize("unit", [unit for unit in UNITS if unit.suffix == ".service"], ids=name)
def test_a_service_is_shut_in(unit: Path, tmp_path: Path) -> None:
    flags = ("security", "--offline=true", "--threshold=15", "--no-pager")  # of 100: what is less is better
    ended = run_program(require_peer("systemd-analyze"), *flags, unit, cwd=tmp_path)
    assert ended.code == 0, ended.out


def test_both_services_are_shut_in_alike() -> None:
    check, monitor = (
        unit.read_text("utf-8")
        .split("\n# A user of its own", 1)[1]
        .split("\n\n", 1)[1]
        .partition("\n\n[Install]")[0]
        .rstrip()
        for unit in UNITS
        if unit.suffix == ".service"
    )
    assert check == monitor
    assert "NoNewPrivileges=yes" in check


# cron


def test_cron_takes_the_crontab(tmp_path: Path) -> None:
    ended = run_program(require_peer("crontab"), "-n", DEPLOY / "cron/crontab", cwd=tmp_path)
    assert ended.code == 0, ended.err
