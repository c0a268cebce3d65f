"""A command that is interrupted, whose reader leaves, or whose file can't be written ends at once, quietly, with its code."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.end_to_end.conftest import Servers
from tests.end_to_end.running import COMMAND, KEY, environment, manifest, run, start
from tests.http import servers as raw_servers

pytestmark = pytest.mark.usefixtures("default_signals")

TIMEOUT_S = 600
"""Of what the command waits for."""
PATIENCE_S = 60
"""Far below that, and far above what a loaded machine takes to end a process."""
ENDINGS = {"SIGINT": 130, "SIGTERM": 143, "SIGHUP": 129}
IN_THE_BACKGROUND = ("sh", "-c", "trap '' INT; exec \"$@\"", "sh")
"""As a shell without job control starts what ends with `&`."""
VERBS = {"check": ["check"], "apply": ["apply", "--yes"], "request": ["request", "acme", "GET", "/x"]}


@pytest.mark.parametrize("name", ENDINGS)
@pytest.mark.parametrize("where", ["in the handshake", "in the answer"])
@pytest.mark.parametrize("verb", VERBS)
def test_an_interrupt_ends_a_hanging_command(
    verb: str,
    where: str,
    name: str,
    servers: Servers,
    ca_file: Path,
    tmp_path: Path,
) -> None:
    server = servers.plain(raw_servers.silent) if where == "in the handshake" else servers.tls(raw_servers.silent)
    timeouts = {"connect_s": TIMEOUT_S, "read_s": TIMEOUT_S, "total_s": TIMEOUT_S}
    connection = {
        "base_url": f"https://localhost:{server.port}",
        "tls": {"ca_file": str(ca_file)},
        "timeouts": timeouts,
    }
    file = tmp_path / "connections.yaml"
    file.write_text(manifest(acme=connection))
    before = IN_THE_BACKGROUND if name == "SIGTERM" else ()
    argv = (*VERBS[verb], "--timeout", str(TIMEOUT_S))
    with start(*argv, cwd=tmp_path, env=KEY, before=before) as process:
        while not server.connections and process.poll() is None:
            time.sleep(0.01)
        time.sleep(0.1)
        process.send_signal(signal.Signals[name])
        out, err = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, err) == (ENDINGS[name], "")
    assert ("not looked at: acme" in out) == (verb != "request")


MANY = {f"c{number}": {"base_url": f"https://localhost/{number}"} for number in range(3_000)}


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_reader_that_leaves_is_no_error(form: str, tmp_path: Path) -> None:
    (tmp_path / "connections.yaml").write_text(manifest(**MANY))
    pipeline = f"set -o pipefail; {COMMAND} list --format {form} | head -1"
    done = subprocess.run(
        ["bash", "-c", pipeline], cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == 1


UNWRITABLE = ("missing/report.json", ".", "/dev/full")


@pytest.mark.parametrize("where", UNWRITABLE)
@pytest.mark.parametrize("flag", ["--output", "--format"])
def test_an_output_that_cannot_be_written_is_a_usage_error(flag: str, where: str, tmp_path: Path) -> None:
    (tmp_path / "connections.yaml").write_text(manifest(acme={"base_url": "https://localhost:1"}))
    value = f"json={where}" if flag == "--format" else where
    ended = run("list", flag, value, cwd=tmp_path)
    assert ended.code == 64
    assert ended.err.startswith("error: ")
    assert "Traceback" not in ended.err
    assert [path.name for path in tmp_path.iterdir()] == ["connections.yaml"]


def test_a_full_disk_behind_standard_output_is_told(tmp_path: Path) -> None:
    (tmp_path / "connections.yaml").write_text(manifest(acme={"base_url": "https://localhost:1"}))
    done = subprocess.run(
        ["sh", "-c", f"{COMMAND} list > /dev/full"], cwd=tmp_path, env=environment(), capture_output=True, check=False
    )
    assert done.returncode == 64
    assert done.stderr.startswith(b"error: can't write to standard output: No space left on device\n")
