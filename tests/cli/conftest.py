"""What the tests of the command line share: a run of `main`, and engines that answer as told."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, Protocol

import pytest

from connform.cli.main import main
from connform.engine.report import Report


@dataclass(frozen=True)
class Run:
    """What a command left behind."""

    code: int
    out: str
    err: str


class Connform(Protocol):
    """Runs a command line in this process."""

    def __call__(self, *argv: str) -> Run:
        """Return its exit code and its outputs."""


@dataclass
class FakeEngine:
    """Stands for every function of the engine that a verb calls; records how it was called."""

    result: Any = field(default_factory=lambda: Report("check"))
    calls: list[tuple[tuple[Any, ...], dict[str, Any]]] = field(default_factory=list)

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        self.calls.append((arguments, named))
        if isinstance(self.result, BaseException):
            raise self.result
        return self.result


FUNCTIONS = {
    "validate": "validate",
    "check": "check",
    "apply": "apply",
    "inventory": "list_connections show",
    "request": "request",
}


@pytest.fixture(autouse=True)
def collector_on() -> Iterator[None]:
    """`main` turns the garbage collector off for its process, which here is pytest's."""
    yield
    gc.enable()


@pytest.fixture
def connform(capsys: pytest.CaptureFixture[str]) -> Connform:
    def run(*argv: str) -> Run:
        code = main(argv)
        return Run(code, *capsys.readouterr())

    return run


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    fake = FakeEngine()
    for name, functions in FUNCTIONS.items():
        module = ModuleType(f"connform.engine.{name}")
        for function in functions.split():
            setattr(module, function, fake)
        monkeypatch.setitem(sys.modules, module.__name__, module)
    return fake
