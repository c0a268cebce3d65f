"""A test that hangs is ended and reported, and so is every test after it."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.inner_pytest import pytest_command

ROOT = Path(__file__).parents[1]
CONFTEST = """\
import sys
import time
import pytest

pytest_plugins = ["tests.time_limit"]

def pytest_configure():
    sys.modules["tests.time_limit"]._AGAIN_S = 0.05

@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_makereport():
    time.sleep(0.2)  # a report with long tracebacks, on a busy machine
    return (yield)
"""
TESTS = """\
import subprocess, time
import pytest

@pytest.fixture
def slow():
    time.sleep(30)

def test_in_a_fixture(slow): ...

def test_in_a_sleep():
    time.sleep(30)

def test_beside_a_process():
    subprocess.run(["sleep", "30"])

def test_in_a_block_that_waits_once_more():
    try:
        time.sleep(30)
    finally:
        time.sleep(30)

def test_that_passes(): ...
"""


def test_what_hangs_is_reported_and_what_comes_next_is_run(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_hanging.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\ntimeout = 0.3\n")
    ran = subprocess.run(
        pytest_command(tmp_path_factory, "-n0"),
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert re.search("3 failed, 1 passed, 1 error in", ran.stdout), ran.stdout + ran.stderr
    assert len(re.findall(r"E +Failed: the test did not end within 0.3 s; its threads were at", ran.stdout)) >= 4
    assert 'subprocess.run(["sleep", "30"])' in ran.stdout
