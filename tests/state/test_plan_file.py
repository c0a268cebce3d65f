"""The file of a saved plan is read as a whole, within limits, and from nothing that could hold up a run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

GOOD = (
    'version: 1\nconnections:\n  a: {environment: sandbox, region: us, auth: {method: api_key, api_key: "env://K"}}\n'
)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("connections.yaml").write_text(GOOD)


def apply(plan: str) -> subprocess.CompletedProcess[str]:
    command = f"K=k exec '{sys.executable}' -m connform apply --plan {plan}"
    return subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    ("plan", "reason"),
    [
        ("/dev/zero", "it is a device"),
        ("pipe", "it is a named pipe"),
        (".", "it is a folder"),
        ("large", "it is larger than"),
        ("<(cat /dev/zero)", "it is larger than"),
        ("link", "leads out of its repository"),
    ],
)
def test_what_is_no_file_of_a_plan_is_refused_at_once(plan: str, reason: str) -> None:
    os.mkfifo("pipe")
    with open("large", "wb") as large:
        large.truncate(64 * 1024 * 1024 + 1)
    if plan == "link":
        Path(".git").mkdir()
        Path("link").symlink_to("/etc/passwd")
    refused = apply(plan)
    Path("large").unlink()
    assert refused.returncode == 1
    assert "error: can't read " in refused.stderr
    assert reason in refused.stderr


def test_a_plan_may_come_from_a_program() -> None:
    subprocess.run([sys.executable, "-m", "connform", "plan", "--out", "plan.json"], check=True, capture_output=True)
    done = apply("<(cat plan.json) --simulate")
    assert done.returncode == 0, done.stderr
