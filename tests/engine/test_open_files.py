"""A process that may open few files: checks run fewer at once, and none fails for that."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

CHECK = """
import resource, sys
from connform.engine.check import check
used = len(__import__("os").listdir("/dev/fd"))
resource.setrlimit(resource.RLIMIT_NOFILE, (used + 24, used + 24))
report = check([sys.argv[1]], timeout_s=0.1)
print(len(report.connections), {one.fault for one in report.connections})
"""
OPEN = """
import resource
from connform.http.net.steps import BLOCK, run
from connform.http.net.race import connect
from connform.http.net.resolver import Endpoint
import connform.http.request_errors, errno, socket
resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))
try:
    run(connect("api.acme.example", [Endpoint(socket.AF_INET, ("127.0.0.1", 9))], 1.0), BLOCK)
except Exception as error:
    print(error.fault.name, error.message, error.hint, sep="; ")
"""
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")


def said(script: str, *arguments: str) -> str:
    env = {**os.environ, "KEY": "synthetic"}
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, text=True, timeout=60, check=True, env=env
    )
    return done.stdout.strip()


def test_no_check_fails_for_want_of_files(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=200) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}"
        entry = f"{{provider: http, base_url: '{url}', check: {{path: /me}}, auth: {{method: api_key, api_key: env://KEY}}}}"
        manifest = tmp_path / "connections.yaml"
        manifest.write_text(
            "version: 1\nconnections:\n" + "".join(f"  c{number:02}: {entry}\n" for number in range(40))
        )
        assert said(CHECK, str(manifest)) == "40 {'tls_timeout'}"


def test_a_connection_for_which_no_file_is_left_says_so() -> None:
    assert said(OPEN) == (
        "tcp_unreachable; api.acme.example (127.0.0.1:9) can't be reached: Too many open files; "
        "this process may open no more files: raise the limit (`ulimit -n`), or lower `--parallelism`"
    )
