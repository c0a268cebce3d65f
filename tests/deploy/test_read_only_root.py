"""connform as a container runs it: a read-only root, a user without a name, no HOME, no network but loopback."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.read_only_root import REPOSITORY, USER

IMAGE = os.environ.get("CONNFORM_TEST_IMAGE")
"""The root of an image whose connform is tried in place of this interpreter's: `tests/long/image.py`."""


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """How each command ended, by its name."""
    namespaces = ["unshare", "--mount", "--net"]
    if (
        shutil.which("unshare") is None
        or subprocess.run([*namespaces, "true"], check=False, capture_output=True).returncode
    ):
        pytest.skip("needs the right to make namespaces (`unshare`, root)")
    program = ["/opt/connform/bin/connform", IMAGE] if IMAGE else [str(Path(sys.executable).with_name("connform"))]
    folder = str(tmp_path_factory.mktemp("container"))
    argv = [*namespaces, sys.executable, "-m", "tests.deploy.inside", folder, *program]
    run = subprocess.run(argv, cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=55)
    assert run.returncode == 0, run.stderr
    found: dict[str, Any] = json.loads(run.stdout)
    return found


def test_the_root_is_read_only_and_its_user_has_no_name(ended: dict[str, Any]) -> None:
    assert ended["id"]["out"] == f"{USER}\n"
    assert ended["write"]["err"].count("Read-only file system") == 3


@pytest.mark.parametrize("name", ["check", "record", "apply"])
def test_it_works_on_a_read_only_root_as_any_user_without_home(ended: dict[str, Any], name: str) -> None:
    assert ended[name]["code"] == 0, ended[name]
    assert json.loads(ended[name]["out"])["summary"]["ready"] == 1


def test_a_monitor_serves_and_ends_well(ended: dict[str, Any]) -> None:
    monitor = ended["monitor"]
    assert (monitor["code"], monitor["livez"], monitor["readyz"]) == (0, "ok\n", "ok\n"), monitor
    assert "credential" in monitor["refusal"]
    assert json.loads(monitor["report"])["summary"]["ready"] == 1


def test_a_monitor_goes_on_without_a_state_and_says_so(ended: dict[str, Any]) -> None:
    monitor = ended["monitor beside the manifest"]
    assert (monitor["code"], monitor["livez"], monitor["readyz"]) == (0, "ok\n", "not ok\n"), monitor
    assert "/srv/.connform: Read-only file system" in monitor["err"]


def test_a_configmap_with_a_new_version_is_the_same_manifest(ended: dict[str, Any]) -> None:
    assert ended["plan of a mount that was replaced"]["code"] == 0, ended


@pytest.mark.parametrize("name", ["record beside the manifest", "apply beside the manifest"])
def test_a_state_that_can_not_be_written_is_named(ended: dict[str, Any], name: str) -> None:
    assert ended[name]["code"] == 5, ended[name]
    assert ended[name]["err"].startswith("error[store_unwritable]: ")
    assert "/srv/.connform: Read-only file system" in ended[name]["err"]


@pytest.mark.skipif(bool(IMAGE), reason="the image has no simulator")
def test_a_simulation_says_that_it_needs_a_folder_for_temporary_files(ended: dict[str, Any]) -> None:
    assert ended["simulate"]["code"] == 1
    assert "error: no folder for temporary files can be written: name one in TMPDIR" in ended["simulate"]["err"]
