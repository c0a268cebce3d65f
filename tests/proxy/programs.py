"""The same jobs in several languages, as programs that know a base URL and nothing of connform.

A job prints JSON. `plain`: a GET and a POST; `many`: so many requests that wait for each other; `down`, `up`: a body of so many bytes.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
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


def curl(job: str, number: int) -> list[str]:
    """Return the command for curl, as a script."""
    require_peer("curl")
    return [shutil.which("bash") or "bash", str(_CLIENTS / "client.sh"), job, str(number)]
