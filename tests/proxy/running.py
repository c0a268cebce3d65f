"""Runs `connform proxy`, and programs under `connform exec --proxy`, in a folder with a manifest of the test's API."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from tests.canary import VARIABLE
from tests.end_to_end.running import COMMAND, KEY, PATIENCE_S, Run, run_program, start
from tests.proxy.upstream import ROOT
from tests.repetitions import repeated

NAME = "shop"
WITHOUT_CANARY = ("env", f"--unset={VARIABLE}")
"""Starts a program whose own programs don't have the variable that hands the canary to tests."""
_LINE = re.compile(r"(\S+)\s+(http://\S+)\n")


class Proxy(NamedTuple):
    """A proxy that runs."""

    process: subprocess.Popen[str]
    base_url: str
    """That of the connection `shop`."""

    @property
    def port(self) -> int:
        return urlsplit(self.base_url).port or 0

    @property
    def host(self) -> str:
        return urlsplit(self.base_url).netloc

    @property
    def path(self) -> str:
        """The path of the base URL, with the part that is secret."""
        return urlsplit(self.base_url).path


def declare(folder: Path, port: int, ca_file: Path, **more: Any) -> None:
    """Write the manifest of one connection, whose API is on a port of this machine."""
    connection = {
        "provider": "http",
        "environment": "sandbox",
        "base_url": f"https://127.0.0.1:{port}{ROOT}",
        "check": {"path": "/me", "expect": {"body": {"required": ["id"]}}},
        "tls": {"ca_file": str(ca_file)},
        "auth": {"method": "bearer", "token": "env://ACME_KEY"},
        **more,
    }
    (folder / "connections.yaml").write_text(json.dumps({"version": 1, "connections": {NAME: connection}}))


@contextmanager
def running_proxy(folder: Path, *arguments: str, env: Mapping[str, str] | None = None) -> Iterator[Proxy]:
    """Yield the proxy of `shop`; it ends with the block, by SIGTERM and with the exit code 0."""
    with start("proxy", NAME, *arguments, cwd=folder, env=KEY if env is None else env) as process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            found = _LINE.fullmatch(line)
            if not found:
                process.terminate()
                out, err = process.communicate(timeout=60)
                message = f"the proxy did not start: {line}{out}{err}"
                raise AssertionError(message)
            yield Proxy(process, found[2])
        finally:
            process.send_signal(signal.SIGTERM)
            _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err


def execute(folder: Path, argv: Sequence[str | Path], *options: str, env: Mapping[str, str] | None = None) -> Run:
    """Run a program under `exec --proxy` to its end."""
    argv = [*WITHOUT_CANARY, COMMAND, "exec", "--proxy", NAME, *options, "--", *argv]
    return run_program(*argv, cwd=folder, env=KEY if env is None else env, limit_s=repeated(PATIENCE_S, 3600.0))
