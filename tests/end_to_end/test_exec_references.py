"""`exec://` in a manifest: `validate` runs nothing, a check runs what the policy allows, an interrupt leaves nothing behind."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

from connform.secrets.exec.policy import POLICY_VARIABLE
from tests.canary import API_KEY
from tests.conftest import Plant
from tests.end_to_end.running import manifest, run, start
from tests.secrets.processes import assert_gone

ACME = {"instance": "acme", "auth": {"method": "api_key", "api_key": "exec://acme"}}


def allow(tmp_path: Path, script: str) -> dict[str, str]:
    """Write a manifest and the policy for it; return the environment that names the policy."""
    policy = tmp_path / "policy.json"
    policy.write_text(json.dumps({"version": 1, "commands": {"acme": {"argv": ["/bin/sh", "-c", script]}}}))
    policy.chmod(0o600)
    (tmp_path / "connections.yaml").write_text(manifest(acme=ACME))
    return {POLICY_VARIABLE: str(policy)}


def test_validate_runs_nothing(tmp_path: Path) -> None:
    env = allow(tmp_path, f"touch {tmp_path}/ran; exit 3")
    assert run("validate", cwd=tmp_path, env=env).code == 0
    assert run("list", cwd=tmp_path, env=env).code == 0
    assert not (tmp_path / "ran").exists()
    assert run("check", cwd=tmp_path, env=env).code == 5
    assert (tmp_path / "ran").exists()


def test_a_check_names_the_fault_and_nothing_that_was_printed(tmp_path: Path, plant: Plant) -> None:
    env = allow(tmp_path, f"echo {API_KEY}; echo {API_KEY} >&2; exit 3")
    plant("policy.json")
    done = run("check", "--format", "json", cwd=tmp_path, env=env)  # what it prints is searched for the canary
    assert done.code == 5
    assert done.connection["class"] == "exec_failed"
    assert done.connection["message"] == "the command exited with status 3 (exec://acme)"


def test_an_interrupt_leaves_no_command_behind(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    env = allow(tmp_path, f"sleep 1000 & echo $$ $! >{pids}; wait")
    with start("check", "--timeout", "60", cwd=tmp_path, env=env) as process:
        while not (pids.exists() and pids.read_text().endswith("\n")) and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (130, "")
    assert "interrupted: 0 of 1 checked" in out
    assert_gone(pids, 2)
