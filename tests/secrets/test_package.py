"""A backend of a separate package, found by its entry point, passes the suite and is used like a built-in one."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.canary import API_KEY
from tests.conftest import Plant, require_library
from tests.end_to_end.running import run
from tests.inner_pytest import pytest_command

PACKAGE = Path(__file__).with_name("letterbox")
MANIFEST = """\
version: 1
stores:
  post: {type: letterbox, folder: letters}
connections:
  acme:
    environment: private
    instance: acme
    auth: {method: api_key, api_key: "post://portal"}
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the package is installed, as `pip install` does it."""
    require_library("hatchling")
    source, target = tmp_path_factory.mktemp("source") / "letterbox", tmp_path_factory.mktemp("installed")
    shutil.copytree(PACKAGE, source)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
    subprocess.run([*pip, "--no-deps", "--no-build-isolation", "--target", str(target), str(source)], check=True)
    return target


def test_it_passes_the_suite(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    argv = pytest_command(tmp_path_factory, "-q", "--rootdir", PACKAGE, "suite.py")
    environment = {**os.environ, "PYTHONPATH": str(installed), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(argv, env=environment, cwd=PACKAGE, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed is not None
    assert int(passed[1]) >= 15, done.stdout


def test_it_is_listed_and_read_like_any_other(installed: Path, tmp_path: Path, plant: Plant) -> None:
    environment = {"PYTHONPATH": str(installed)}
    listed = run("secrets", "backends", cwd=tmp_path, env=environment)
    assert re.search(r"^letterbox +letterbox://NAME +acme-letterbox +-$", listed.out, re.MULTILINE)
    (tmp_path / "connections.yaml").write_text(MANIFEST)
    (tmp_path / "letters").mkdir()
    plant(tmp_path / "letters" / "portal.000001", API_KEY)
    found = run("secrets", "check", "--format", "json", cwd=tmp_path, env=environment)
    (secret,) = found.connection["secrets"]
    assert (found.code, secret["version"], secret["backend"], secret["store"]) == (0, "000001", "letterbox", "post")
