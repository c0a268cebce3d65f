"""Streams that are closed or full, as supervisors and full disks leave them, change no verdict and no exit code."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import require_library

GOOD = (
    'version: 1\nconnections:\n  a: {environment: sandbox, region: us, auth: {method: api_key, api_key: "env://K"}}\n'
)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("connections.yaml").write_text(GOOD)
    Path("bad.yaml").write_text(GOOD.replace("us", "ca"))


def run(argv: str, redirected: str) -> int:
    command = f"exec '{sys.executable}' -m connform {argv} {redirected}"
    return subprocess.run(["bash", "-c", command], capture_output=True, timeout=60, check=False).returncode


CASES = {
    "validate": 0,
    "validate bad.yaml": 1,
    "plan --out out": 0,
    "check --simulate --format json=out": 0,
    "apply": 7,
    "exec --simulate a -- true": 0,
    "nonsense": 64,
    "request --simulate a GET /x --data -": 64,
}


@pytest.mark.parametrize("argv", CASES)
def test_closed_streams_change_no_exit_code(argv: str) -> None:
    require_library("trustme")
    assert run(argv, "<&- >&- 2>&-") == CASES[argv]
    assert Path("out").exists() == ("out" in argv)


@pytest.mark.parametrize(
    ("argv", "redirected", "code"),
    [
        ("validate --format json --output out", ">&-", 0),
        ("plan", "2>&-", 0),
        ("apply", "2>&- </dev/null", 7),
        ("nonsense", "2>/dev/full", 64),
        ("apply --yes", "2>/dev/full", 5),
        ("fmt bad.yaml bad.yaml gone.yaml", "2>/dev/full", 1),
        ("validate -", "<&-", 1),
        ("login a", "<&-", 64),
        ("validate", ">/dev/full", 64),
        ("--help", ">/dev/full", 64),
        ("check --help", ">/dev/full", 64),
        ("--help", "> >(true)", 0),
    ],
)
def test_each_stream_may_be_closed_full_or_unread(argv: str, redirected: str, code: int) -> None:
    assert run(argv, redirected) == code


def test_a_mended_manifest_is_written_and_not_called_invalid() -> None:
    Path("connections.yaml").write_text(GOOD.replace("us", "US"))
    assert run("validate --fix", "2>&-") == 0
    assert Path("connections.yaml").read_text() == GOOD


def test_what_libraries_write_to_a_closed_standard_error_is_in_no_file() -> None:
    code = (
        "import os\nfrom connform.cli import streams\nstreams.restore_streams()\n"
        "file = open('file', 'w')\nos.write(1, b'out')\nos.write(2, b'err')\nfile.close()"
    )
    subprocess.run(["bash", "-c", f"exec '{sys.executable}' -c \"{code}\" <&- >&- 2>&-"], timeout=60, check=True)
    assert Path("file").read_text() == ""


def test_a_command_gets_the_streams_that_were_closed() -> None:
    assert run("exec --simulate a -- sh -c 'cat; echo x; echo y >&2'", "<&- >&- 2>&-") == 0
