"""The rehearsal of a fresh machine: no secret, no network, nothing written; and the simulator for one's own tests."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import connform
from connform.simulator import Simulator
from tests.end_to_end.running import COMMAND, environment, manifest, offline, run, run_program
from tests.inner_pytest import pytest_command

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "connections.yaml.example"
NAMES = [
    "sandbox-us",
    "sandbox-eu",
    "production-us",
    "production-ca",
    "production-eu",
    "acme-private",
    "source-code",
    "on-call",
    "metrics",
    "customer-globex",
]


def listing(*folders: Path) -> set[tuple[str, int]]:
    """Return every file below the folders with the time of its last change."""
    return {(str(path), path.lstat().st_mtime_ns) for folder in folders for path in folder.rglob("*")}


@pytest.mark.parametrize("cut_off", [False, True], ids=["networked", "offline"])
@pytest.mark.parametrize("verb", ["apply", "check"])
def test_the_example_is_ready_without_secrets_and_without_a_network(verb: str, cut_off: bool, tmp_path: Path) -> None:
    folders = {name: tmp_path / name for name in ("work", "home", "scratch")}
    for folder in folders.values():
        folder.mkdir()
    file = folders["work"] / "connections.yaml"
    file.write_bytes(EXAMPLE.read_bytes())
    before = listing(*folders.values())

    env = {"HOME": str(folders["home"]), "TMPDIR": str(folders["scratch"])}
    prefix: Sequence[str] = offline() if cut_off else ()
    ended = run(verb, "--simulate", "--format", "json", cwd=folders["work"], env=env, before=prefix)

    assert ended.code == 0, ended.err
    assert ended.err == ""
    assert list(ended.connections) == NAMES
    assert {connection["verdict"] for connection in ended.connections.values()} == {"ready"}
    assert ended.report["simulated"]
    assert ended.report["command"] == verb
    assert listing(*folders.values()) == before, "a file was written"


def test_the_text_says_that_it_was_a_rehearsal(tmp_path: Path) -> None:
    ended = run("apply", "--simulate", "-f", EXAMPLE, cwd=tmp_path)
    assert ended.code == 0
    assert "10 connections in 1 file: 10 ready" in ended.out
    assert "simulated" in ended.out.splitlines()[-1]


def test_a_request_to_the_simulator(tmp_path: Path) -> None:
    body = '{"take": 1, "skip": 0}'
    ended = run(
        "request", "--simulate", "-f", EXAMPLE, "sandbox-us", "POST", "/packages/list", "--json", body, cwd=tmp_path
    )
    assert ended.code == 0
    assert ended.report.keys() == {"items", "total", "take", "skip"}


def test_an_oauth_connection_says_live_that_a_login_is_missing(tmp_path: Path) -> None:
    env = {"IINKED_PORTAL_SECRET": "synthetic"}
    ended = run("check", "-c", "customer-globex", "-f", EXAMPLE, "--format", "json", cwd=tmp_path, env=env)
    assert (ended.code, ended.connection["class"], ended.connection["stage"]) == (4, "login_required", "auth")
    assert "connform login" in ended.connection["hint"]
    assert {stage["status"] for stage in ended.connection["stages"] if stage["name"] in {"dns", "tcp"}} == {"skipped"}


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_the_simulator_alone_serves_until_it_is_told_to_end(ending: signal.Signals, tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with subprocess.Popen(
        [COMMAND, "simulator"],
        cwd=tmp_path,
        env=environment({"TMPDIR": str(scratch), "PYTHONUNBUFFERED": "1"}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout
            printed = list(iter(process.stdout.readline, "connform check\n"))
            told = dict(line.split("  ", 1) for line in printed if re.match(r"\w[\w ]*  ", line))
            file = tmp_path / "connections.yaml"
            base_url = told["address"].strip() + "/api/v1"
            file.write_text(manifest(local={"base_url": base_url, "tls": {"ca_file": told["CA file"].strip()}}))
            ended = run("check", "-f", file, cwd=tmp_path, env={"ACME_KEY": told["API key"].strip()})
            assert ended.code == 0, ended.out
            wrong = run("check", "-f", file, cwd=tmp_path, env={"ACME_KEY": "wrong"})
            assert wrong.code == 4, wrong.out
        finally:
            process.send_signal(ending)
            out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (0, "", "")
    assert list(scratch.iterdir()) == [], "a file was left behind"


def test_a_program_uses_the_simulator_in_place_of_the_real_hosts() -> None:
    with Simulator() as simulator, connform.connect("production-ca", EXAMPLE, simulator=simulator) as client:
        answer = client.post("/packages/list", json={"take": 1, "skip": 0})
        assert answer.status_code == 200
        assert str(answer.url) == "https://sign.syngrafii.ca/api/v1/packages/list"
        (seen,) = simulator.requests
        assert (seen.method, seen.host, seen.path) == ("POST", "sign.syngrafii.ca", "/api/v1/packages/list")


USERS_TESTS = """
import connform
import pytest

def test_our_code_lists_packages(connform_simulator):
    with connform.connect("sandbox-us", "connections.yaml", simulator=connform_simulator) as client:
        answer = client.post("/packages/list", json={"take": 1, "skip": 0})
    assert answer.json()["total"] == 3
    assert connform_simulator.requests[-1].path == "/api/v1/packages/list"

def test_our_code_survives_an_outage(connform_simulator):
    connform_simulator.fail("sandbox.syngrafii.com", "server_unavailable")
    with connform.connect("sandbox-us", "connections.yaml", simulator=connform_simulator) as client:
        assert client.post("/packages/list", json={}).status_code == 503
"""


def test_the_fixture_is_there_in_a_users_own_tests(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """As installed: pytest finds it by its entry point."""
    (tmp_path / "test_users.py").write_text(USERS_TESTS)
    (tmp_path / "connections.yaml").write_bytes(EXAMPLE.read_bytes())
    env = {"PYTHONDONTWRITEBYTECODE": "1", "HOME": os.environ["HOME"]}
    command = pytest_command(tmp_path_factory, "-q", "-W", "error", "--rootdir", tmp_path, tmp_path)
    ended = run_program(*command, cwd=tmp_path, env=env)
    assert "2 passed" in ended.out, ended


def test_the_simulator_answers_what_a_check_of_another_api_expects(tmp_path: Path) -> None:
    schema = {
        "required": ["ok", "users"],
        "properties": {"ok": {"const": True}, "users": {"minItems": 1, "items": {"pattern": "^U[0-9]{8}$"}}},
    }
    refused = {"body": {"required": ["ok"], "properties": {"ok": {"const": False}}}}
    checks: dict[str, dict[str, Any]] = {
        "schema": {"path": "/auth.test", "method": "POST", "expect": {"body": schema}, "reject": refused},
        "text": {"path": "/ping?long=1", "expect": {"text": "pong"}},
        "empty": {"path": "/none", "method": "HEAD", "expect": {"status": [204], "empty": True}},
        "anything": {"path": "/me", "expect_status": 201},
    }
    settings = {
        name: {"provider": "http", "base_url": "https://a.example/v1", "check": check} for name, check in checks.items()
    }
    (tmp_path / "connections.yaml").write_text(manifest(**settings))
    ended = run("check", "--simulate", "--format", "json", cwd=tmp_path)
    assert {name: one["message"] for name, one in ended.connections.items()} == dict.fromkeys(checks, "")
    assert {one["verdict"] for one in ended.connections.values()} == {"ready"}
