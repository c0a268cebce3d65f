"""`connform request`: what is sent, what is shown."""

from __future__ import annotations

import io
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from connform.cli.main import main
from connform.engine.run.state_location import StateLocation
from tests.cli.conftest import Connform, FakeEngine


@dataclass
class FakeAnswer:
    """What the engine's `request` returns."""

    status: int = 200
    headers: list[tuple[str, str]] = field(default_factory=lambda: [("content-type", "application/json")])
    body: bytes = b'{"total":1}'


@pytest.fixture(autouse=True)
def answered(engine: FakeEngine) -> None:
    engine.result = FakeAnswer()


def test_the_body_goes_to_standard_output_as_it_came(connform: Connform, engine: FakeEngine) -> None:
    run = connform("-f", "a", "request", "x", "get", "/y")
    assert (run.code, run.out, run.err) == (0, '{"total":1}', "")
    arguments, named = engine.calls[0]
    assert arguments == (("a",), "x", "GET", "/y")
    assert named == {
        "simulate": False,
        "body": None,
        "content_type": None,
        "form": [],
        "headers": [],
        "timeout_s": None,
        "large": False,
        "policies": (),
        "state": StateLocation(),
    }


def test_json_and_headers(connform: Connform, engine: FakeEngine) -> None:
    connform("request", "x", "POST", "/y", "--json", '{"take": 1}', "-H", "A: b:c", "-H", "D:", "--simulate")
    named = engine.calls[0][1]
    assert (named["body"], named["content_type"]) == (b'{"take": 1}', "application/json")
    assert named["headers"] == [("A", "b:c"), ("D", "")]
    assert named["simulate"]


def test_data_from_a_file_and_from_standard_input(
    connform: Connform, engine: FakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "body"
    file.write_bytes(b"\x00\xff")
    connform("request", "x", "POST", "/y", "--data", f"@{file}")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\xfe")))
    connform("request", "x", "POST", "/y", "--data", "-")
    assert [named["body"] for _, named in engine.calls] == [b"\x00\xff", b"\xfe"]


def test_include_shows_status_and_headers(connform: Connform) -> None:
    assert connform("request", "x", "GET", "/", "--include").out == (
        'HTTP 200\ncontent-type: application/json\n\n{"total":1}'
    )


def test_output_takes_the_body(connform: Connform, tmp_path: Path) -> None:
    file = tmp_path / "body"
    assert connform("request", "x", "GET", "/", "--output", str(file)).out == ""
    assert file.read_bytes() == b'{"total":1}'


def test_an_error_status_is_told_and_shown(connform: Connform, engine: FakeEngine) -> None:
    engine.result = FakeAnswer(403, body=b"denied")
    run = connform("request", "x", "GET", "/")
    assert (run.code, run.out, run.err) == (4, "denied", "error: the API answered 403\n")


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b'{"a":[1]}', b'{\n  "a": [\n    1\n  ]\n}\n'),
        (b"a\r\n\tb\x1b]0;c\x07\x9b\xe2\x80\xae", "a\n\tb�]0;c���".encode()),
    ],
    ids=["JSON", "control characters"],
)
def test_a_terminal_gets_readable_json_and_nothing_that_steers_it(
    engine: FakeEngine, monkeypatch: pytest.MonkeyPatch, body: bytes, shown: bytes
) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    monkeypatch.setattr(stream, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys, "stdout", stream)
    engine.result = FakeAnswer(body=body)
    assert main(["request", "x", "GET", "/"]) == 0
    assert stream.buffer.getvalue() == shown


def test_a_pipe_gets_the_answer_as_it_came(connform: Connform, engine: FakeEngine) -> None:
    engine.result = FakeAnswer(body=b"\x1b[31m::debug::x\r\n")
    assert connform("request", "x", "GET", "/").out == "\x1b[31m::debug::x\r\n"
