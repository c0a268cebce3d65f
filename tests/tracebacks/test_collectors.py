"""Sentry as its SDK is by default, rich with locals and pytest with --showlocals see no credential in any failure."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.canary import VARIABLE, assert_no_canary
from tests.conftest import require_library
from tests.inner_pytest import pytest_command

for library in ("sentry_sdk", "rich"):
    require_library(library)

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(110)  # a run of pytest of its own
def test_no_collector_of_errors_sees_a_credential(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    ran = subprocess.run(
        pytest_command(tmp_path_factory, "--showlocals", "-vv", "tests/tracebacks/failing.py"),
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], VARIABLE: os.environ[VARIABLE], "SHOWN": str(tmp_path)},
        capture_output=True,
        timeout=100,
        check=False,
    )
    failed = re.search(rb"=== (\d+) failed in", ran.stdout)
    assert failed, ran.stdout[-2000:] + ran.stderr[-2000:]
    sentry, rich = (tmp_path / "sentry").read_bytes(), (tmp_path / "rich").read_bytes()
    assert_no_canary(ran.stdout, where="pytest --showlocals")
    assert_no_canary(sentry, where="Sentry")
    assert_no_canary(rich, where="rich")

    events = list(_events(sentry))
    assert len(events) >= int(failed[1]) > 20
    locals_sent = [frame["vars"] for event in events for frame in _frames(event) if "vars" in frame]
    assert any("step" in sent and "<credential>" in str(sent) for sent in locals_sent), "Sentry looks into our frames"
    assert b"step = " in rich
    assert b"step       = SendRequest(credential=<credential>)" in ran.stdout


def _events(envelopes: bytes) -> Iterator[dict[str, Any]]:
    for line in filter(None, envelopes.splitlines()):
        content = json.loads(line)
        if "exception" in content:
            yield content


def _frames(event: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for value in event["exception"]["values"]:
        yield from (value.get("stacktrace") or {}).get("frames", ())
