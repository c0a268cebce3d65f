"""`connform simulator`: says how to reach it, and ends when told."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import ClassVar, Self

import pytest

from connform.errors import ConnformError
from tests.cli.conftest import Connform


class FakeSimulator:
    """Starts nothing."""

    address = ("127.0.0.1", 8443)
    ca_pem = b"PEM"
    collected = False
    ending = signal.SIGTERM

    failing: ClassVar[list[tuple[str, str, str]]] = []
    lifetime_s = 0.0

    def __init__(self, *, port: int, token_lifetime_s: float) -> None:
        self.port = port
        self.failing.clear()
        type(self).lifetime_s = token_lifetime_s

    def fail(self, host: str, fault: str, *, path: str) -> None:
        if fault == "typo":
            message = "there is no such fault"
            raise ConnformError(message)
        self.failing.append((host, fault, path))

    def start(self) -> Self:
        if self.port == 1:
            raise OSError(13, "Permission denied")
        type(self).collected = gc.isenabled()
        threading.Timer(0.3, os.kill, (os.getpid(), self.ending)).start()
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def accept_api_key(self, key: str) -> None:
        pass

    def register_client(self, client_id: str, client_secret: str) -> None:
        pass


@pytest.fixture(autouse=True)
def simulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    module = ModuleType("connform.simulator")
    module.Simulator = FakeSimulator  # type: ignore[attr-defined]  # stands in for the module
    monkeypatch.setitem(sys.modules, module.__name__, module)
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_well(
    connform: Connform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: signal.Signals
) -> None:
    monkeypatch.setattr(FakeSimulator, "ending", ending)
    file = tmp_path / "ca.pem"
    run = connform("simulator", "--ca-file", str(file))
    assert run.code == 0
    assert file.read_bytes() == b"PEM"
    assert FakeSimulator.collected


def test_a_port_that_is_taken_is_a_usage_error(connform: Connform) -> None:
    run = connform("simulator", "--port", "1")
    assert run.code == 64
    assert "can't listen on port 1: Permission denied" in run.err
    assert "--port" in run.err


def test_it_fails_where_it_is_told_to(connform: Connform) -> None:
    faults = ["--fault", "a.example/connect/token=slow_token", "--fault", "b.example=server_error"]
    assert connform("simulator", "--token-lifetime", "2.5", *faults).code == 0
    assert FakeSimulator.failing == [("a.example", "slow_token", "/connect/token"), ("b.example", "server_error", "")]
    assert FakeSimulator.lifetime_s == 2.5


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (("--fault", "a.example=typo"), "no such fault"),
        (("--fault", "slow_token"), "HOST/PATH=NAME"),
        (("--fault", "=slow_token"), "HOST/PATH=NAME"),
        (("--fault", "a.example="), "HOST/PATH=NAME"),
        (("--token-lifetime", "0"), "above zero"),
        (("--format", "json"), "doesn't take --format"),
    ],
)
def test_what_it_can_not_do_is_a_usage_error(connform: Connform, argv: tuple[str, str], says: str) -> None:
    run = connform("simulator", *argv)
    assert (run.code, says in run.err) == (64, True)
