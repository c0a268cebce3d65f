"""The same jobs in several languages, as programs that know a base URL and nothing of connform.

A job prints JSON. `plain`: a GET and a POST; `many`: so many requests that wait for each other; `down`, `up`: a body of so many bytes.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

from tests.conftest import require_peer

_CLIENTS = Path(__file__).with_name("clients")
Program = Callable[[str, int], list[str]]
"""Job and number → the command."""


def node(job: str, number: int) -> list[str]:
    """Return the command for Node."""
    return [require_peer("node"), str(_CLIENTS / "client.mjs"), job, str(number)]


def java(job: str, number: int) -> list[str]:
    """Return the command for Java, in a small heap; it compiles the program first."""
    return [require_peer("java"), "-Xmx64m", "-XX:TieredStopAtLevel=1", str(_CLIENTS / "Client.java"), job, str(number)]


@cache
def _built() -> str:
    go = require_peer("go")
    program = str(Path(tempfile.mkdtemp(prefix="connform-go-")) / "client")
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(Path(program).parent), "CGO_ENABLED": "0"}
    subprocess.run([go, "build", "-o", program, str(_CLIENTS / "client.go")], check=True, env=environment)
    return program


def go(job: str, number: int) -> list[str]:
    """Return the command for Go; building it takes half a minute."""
    return [_built(), job, str(number)]


def curl(job: str, number: int) -> list[str]:
    """Return the command for curl, as a script."""
    require_peer("curl")
    return [shutil.which("bash") or "bash", str(_CLIENTS / "client.sh"), job, str(number)]
