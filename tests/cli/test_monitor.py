"""What `connform monitor` refuses before it checks or listens."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Connform
from tests.monitor.watching import manifest


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--listen", "0.0.0.0:0"], 64, "would go over the network in clear"),
        (["--listen", "localhost"], 64, "HOST:PORT"),
        (["--interval", "0s"], 64, "--interval takes a time"),
        (["--interval", "soon"], 64, "--interval takes a time"),
        (["--interval", "5"], 64, "--interval takes a time"),
        (["--tls-key", "x"], 64, "--tls-key needs --tls-cert"),
        (["--tls-cert", "missing.pem"], 1, "No such file"),
        (["--auth-file", "missing"], 1, "No such file"),
        (["--tls-cert", "connections.yaml"], 1, "connections.yaml can't be used: a certificate"),
        (["--auth-file", "."], 1, "can't be read"),
        (["--allowed-host", "https://monitor.acme.example/"], 64, "without scheme, port and path"),
        (["--state", "postgres.acme.example/connform"], 1, "no known scheme"),
        (["-f", "-"], 64, "can't read standard input twice"),
        (["nosuch"], 64, "no connection matches"),
        (["-f", "bad.yaml"], 1, "unknown-key"),
    ],
)
def test_what_cannot_work_ends_at_once(
    connform: Connform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], code: int, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "connections.yaml").write_text(manifest(1, ["one"]))
    (tmp_path / "bad.yaml").write_text("version: 1\nconections: {}\n")
    run = connform("monitor", "--listen", "127.0.0.1:0", *arguments)
    assert run.code == code, run.err
    assert said in run.err
    assert not (tmp_path / ".connform").exists()
