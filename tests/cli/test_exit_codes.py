"""Every way in which a command can end has its exit code, whatever the format."""

from __future__ import annotations

import sys
import threading

import pytest

from connform.errors import ConnformError, ManifestInvalid, Refused, SecretUnresolved, UnknownConnection
from connform.faults import FAULTS
from connform.reporters import FORMATS
from tests.canary import API_KEY
from tests.cli.conftest import Connform, FakeEngine
from tests.reporters.samples import SAMPLES, UNKNOWN_REGION

VERBS = (["validate"], ["check"], ["apply"], ["list"], ["show", "x"], ["request", "x", "GET", "/"])
ERRORS = {
    "manifest": (ManifestInvalid((UNKNOWN_REGION,)), 1),
    "any of ours": (ConnformError("no"), 1),
    "secret": (SecretUnresolved("secret_not_found", "the variable X is not set"), 5),
    "refused": (Refused("production is protected"), 7),
    "unknown connection": (UnknownConnection("no connection matches `x`"), 64),
    "bug": (ZeroDivisionError("division"), 70),
    "operating system": (PermissionError("no"), 70),
    "recursion": (RecursionError(), 70),
    "interrupt": (KeyboardInterrupt(), 130),
}


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: str(verb[0]))
def test_an_error_has_its_code_and_says_so_on_standard_error_only(
    connform: Connform, engine: FakeEngine, verb: list[str], error: str
) -> None:
    engine.result, code = ERRORS[error]
    run = connform(*verb)
    assert (run.code, run.out) == (code, "")
    assert bool(run.err) == (error != "interrupt")


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_keeps_its_code_class_and_hint(connform: Connform, engine: FakeEngine, fault: str) -> None:
    engine.result = SecretUnresolved(fault, "what happened")
    run = connform("request", "x", "GET", "/")
    assert run.code == FAULTS[fault].exit_code
    assert run.err == f"error[{fault}]: what happened\nhint: {FAULTS[fault].hint}\n"


@pytest.mark.parametrize("sample", [name for name in SAMPLES if name.startswith("check")])
@pytest.mark.parametrize("name", FORMATS)
def test_the_format_never_changes_the_code(connform: Connform, engine: FakeEngine, sample: str, name: str) -> None:
    engine.result = SAMPLES[sample]
    for flags in ([], ["-q"], ["-v"]):
        assert connform("check", "--format", name, *flags).code == SAMPLES[sample].exit_code


def test_an_invalid_manifest_is_told_with_its_place(connform: Connform, engine: FakeEngine) -> None:
    engine.result = ManifestInvalid((UNKNOWN_REGION,))
    assert "connections.yaml:7:13: error[unknown-region]" in connform("request", "x", "GET", "/").err


def test_a_bug_shows_types_and_frames_but_never_a_message(connform: Connform, engine: FakeEngine) -> None:
    error = ZeroDivisionError(f"while using {API_KEY}")
    error.__cause__ = ValueError(API_KEY)
    engine.result = error
    run = connform("-v", "-v", "check")
    assert run.code == 70
    assert "this is a bug of connform" in run.err
    assert "builtins.ZeroDivisionError" in run.err
    assert "builtins.ValueError" in run.err
    assert "main.py:" in run.err


def test_a_limit_of_threads_is_no_bug(connform: Connform, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    def start_none(*_: object, **__: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(
        threading, "_start_joinable_thread" if sys.version_info >= (3, 13) else "_start_new_thread", start_none
    )
    with pytest.raises(RuntimeError) as raised:
        threading.Thread().start()
    engine.result = raised.value
    run = connform("check")
    assert (run.code, run.err.partition("\n")[0]) == (6, "error: the system starts no more threads")


@pytest.mark.parametrize(
    ("status", "code"),
    [(200, 0), (204, 0), (302, 0), (400, 1), (404, 1), (401, 4), (403, 4), (429, 6), (500, 6), (503, 6)],
)
def test_an_http_status_has_its_code(status: int, code: int) -> None:
    from connform.cli.request import exit_code

    assert exit_code(status) == code
