"""The pytest plugin that users' own tests get."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

import connform
from connform.engine.run.context import simulating, simulation
from connform.simulator import Simulator
from tests.conftest import require_library
from tests.inner_pytest import pytest_command

MANIFEST = """
version: 1
connections:
  keyed: {environment: sandbox, region: us, auth: {method: api_key, api_key: env://NO_SUCH_KEY}}
  granted:
    environment: sandbox
    region: eu
    auth:
      method: oauth2
      client_id: acme
      client_secret: env://NO_SUCH_KEY
      redirect_uri: https://acme.example/callback
"""
PROGRAM = """
import asyncio
from concurrent.futures import ThreadPoolExecutor

import connform

LOADED = connform.load("connections.yaml")
PAGE = {"url": "/packages/list", "json": {"take": 1, "skip": 0}}

def connected(name):
    with connform.connect(name, "connections.yaml") as client:
        return client.post(**PAGE).status_code

def loaded(name):
    with connform.load("connections.yaml")[name].client() as client:
        return client.post(**PAGE).status_code

def loaded_early(name):
    with LOADED[name].client() as client:
        return client.post(**PAGE).status_code

def in_a_thread(name):
    with ThreadPoolExecutor() as pool:
        return pool.submit(connected, name).result()

def in_a_task(name):
    async def ask():
        async with await LOADED[name].build_async_client() as client:
            return (await client.post(**PAGE)).status_code
    return asyncio.run(ask())

ALL = [connected, loaded, loaded_early, in_a_thread, in_a_task]

def check():
    return connform.check("connections.yaml").exit_code

def apply():
    return connform.apply("connections.yaml").exit_code
"""
USERS_TESTS = """
import os
import connform
import program
import pytest
from connform.simulator import Simulator

seen = []

@pytest.fixture
def outage(connform_simulator):
    connform_simulator.fail("sandbox.syngrafii.com", "server_error")

def test_each_test_has_its_own(connform_simulator):
    assert connform_simulator.address[0] == "127.0.0.1"
    seen.append(connform_simulator)

def test_it_is_another_one(connform_simulator):
    assert connform_simulator not in seen

@pytest.mark.parametrize("name", ["keyed", "granted"])
@pytest.mark.parametrize("ask", program.ALL)
def test_the_program_reaches_the_simulator(connform_simulator, ask, name):
    assert ask(name) == 200
    assert [one.path for one in connform_simulator.requests] == ["/api/v1/packages/list"]

def test_the_program_finds_everything_ready_and_records_nothing(connform_simulator):
    assert program.check() == 0
    assert program.apply() == 0
    assert len(connform_simulator.requests) == 4
    assert not os.path.exists(".connform")

def test_the_program_sees_an_outage(connform_simulator, outage):
    assert program.connected("keyed") == 500
    assert program.check() == 6

def test_a_simulator_of_the_tests_own_comes_first(connform_simulator):
    with Simulator() as own, connform.connect("keyed", "connections.yaml", simulator=own) as client:
        client.post(**program.PAGE).raise_for_status()
    assert (len(own.requests), connform_simulator.requests) == (1, [])

def test_that_fails(connform_simulator):
    program.connected("keyed")
    assert False, "as intended"

@pytest.mark.parametrize("ask", program.ALL)
def test_without_the_fixture_the_real_secret_is_read(ask):
    with pytest.raises(connform.SecretUnresolved):
        ask("keyed")
    assert program.check() == 5
"""


@pytest.mark.parametrize("workers", [0, 2])
def test_a_program_that_knows_no_simulator_reaches_it_while_a_test_uses_the_fixture(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, workers: int
) -> None:
    (tmp_path / "connections.yaml").write_text(MANIFEST)
    (tmp_path / "program.py").write_text(PROGRAM)
    (tmp_path / "test_users.py").write_text(USERS_TESTS)
    options: list[str | Path] = ["-q", "-W", "error", "-p", "connform.testing", "--rootdir", tmp_path, tmp_path]
    if workers:
        require_library("xdist")
        options = ["-p", "xdist", "-n", str(workers), *options]
    done = subprocess.run(
        pytest_command(tmp_path_factory, *options),
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        cwd=tmp_path,
        env=os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(tmp_path)},
    )
    assert "1 failed, 20 passed" in done.stdout, done.stdout + done.stderr
    assert "AssertionError: as intended" in done.stdout


def test_simulations_are_nested_and_end_with_their_blocks(tmp_path: Path) -> None:
    file = tmp_path / "connections.yaml"
    file.write_text(MANIFEST)
    loaded = connform.load(file)
    with Simulator() as outer, Simulator() as inner, simulating(outer):
        with pytest.raises(ZeroDivisionError), simulating(inner):
            1 / 0  # noqa: B018  (it is to raise)
        with loaded["keyed"].client() as client:
            client.post("/packages/list", json={"take": 1, "skip": 0})
        assert (len(outer.requests), inner.requests) == (1, [])
        assert connform.check(file, simulate=True).simulated
        assert len(outer.requests) == 3
    assert simulation() is None
