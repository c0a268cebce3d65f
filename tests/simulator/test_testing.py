"""The pytest plugin that users' own tests get."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.inner_pytest import pytest_command

USERS_TESTS = """
seen = []

def test_it_listens(connform_simulator):
    assert connform_simulator.address[0] == "127.0.0.1"
    seen.append(connform_simulator)

def test_each_test_has_its_own(connform_simulator):
    assert connform_simulator is not seen[0]
"""


def test_the_fixture_yields_a_started_simulator_to_each_test(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    (tmp_path / "test_users.py").write_text(USERS_TESTS)
    done = subprocess.run(
        pytest_command(
            tmp_path_factory, "-q", "-W", "error", "-p", "connform.testing", "--rootdir", tmp_path, tmp_path
        ),
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        env=os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
    )
    assert "2 passed" in done.stdout, done.stdout + done.stderr
