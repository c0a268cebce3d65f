"""`connform fmt` as a process: real files, real permissions, real pipes, and a kill at any moment."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

from tests.conftest import require_peer
from tests.end_to_end.running import COMMAND, environment, run

EXAMPLE = Path(__file__).parents[2] / "connections.yaml.example"
ODD = b"version:   1\r\nconnections: { }\r\n"
LAID_OUT = b"version: 1\r\nconnections: {}\r\n"


def without_root_powers() -> list[str]:
    """Return a command before which even root may not write what is marked as not to be written."""
    if os.geteuid() != 0:
        return []
    return [require_peer("setpriv"), "--bounding-set=-dac_override,-dac_read_search"]


def test_the_example_is_as_fmt_writes_it(tmp_path: Path) -> None:
    shutil.copy(EXAMPLE, tmp_path / "connections.yaml")
    assert (run("fmt", "--check", cwd=tmp_path).code, run("fmt", "--diff", cwd=tmp_path).out) == (0, "")


def test_one_of_two_files_is_broken(tmp_path: Path) -> None:
    folder = tmp_path / "connections"
    folder.mkdir()
    (folder / "a.yaml").write_bytes(b"version: [1\n")
    (folder / "b.yml").write_bytes(ODD)
    ended = run("fmt", cwd=tmp_path)
    assert (ended.code, ended.out) == (1, "connections/b.yml\n")
    assert "connections/a.yaml:1:10: error[yaml-syntax]" in ended.err
    assert (folder / "b.yml").read_bytes() == LAID_OUT
    assert sorted(os.listdir(folder)) == ["a.yaml", "b.yml"]


def test_mode_and_links_stay(tmp_path: Path) -> None:
    file, link = tmp_path / "real.yaml", tmp_path / "connections.yaml"
    file.write_bytes(ODD)
    file.chmod(0o640)
    link.symlink_to(file)
    assert run("fmt", cwd=tmp_path).out == "connections.yaml\n"
    assert link.is_symlink()
    assert (file.read_bytes(), stat.S_IMODE(file.stat().st_mode)) == (LAID_OUT, 0o640)


def test_a_file_that_may_not_be_written_stays_and_the_others_are_written(tmp_path: Path) -> None:
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_bytes(ODD)
    (tmp_path / "a.yaml").chmod(0o444)
    ended = run("fmt", "a.yaml", "b.yaml", cwd=tmp_path, before=without_root_powers())
    assert (ended.code, ended.out, ended.err) == (64, "b.yaml\n", "error: can't write a.yaml: Permission denied\n")
    assert ((tmp_path / "a.yaml").read_bytes(), (tmp_path / "b.yaml").read_bytes()) == (ODD, LAID_OUT)


def test_a_folder_that_may_not_be_written(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a.yaml").write_bytes(ODD)
    folder.chmod(0o555)
    ended = run("fmt", "folder", cwd=tmp_path, before=without_root_powers())
    folder.chmod(0o755)
    assert (ended.code, ended.out) == (64, "")
    assert ended.err == "error: can't write folder/a.yaml: Permission denied\n"
    assert (folder / "a.yaml").read_bytes() == ODD


def test_standard_input_goes_to_standard_output_byte_for_byte(tmp_path: Path) -> None:
    done = subprocess.run([COMMAND, "fmt", "-"], input=ODD, capture_output=True, check=True, env=environment())
    assert (done.stdout, done.stderr) == (LAID_OUT, b"")


def test_a_diff_is_one_that_patch_applies(tmp_path: Path) -> None:
    patch = require_peer("patch")
    file = tmp_path / "connections.yaml"
    file.write_text("version:   1\n\n\n\nconnections:\n    a:\n        region:  us # here\n    # none")
    diff = run("fmt", "--diff", cwd=tmp_path).out
    subprocess.run([patch, "connections.yaml"], input=diff, text=True, cwd=tmp_path, check=True, capture_output=True)
    assert file.read_text() == "version: 1\n\nconnections:\n  a:\n    region: us # here\n  # none\n"
    assert run("fmt", "--check", cwd=tmp_path).code == 0


def test_a_kill_leaves_the_old_or_the_new_file(tmp_path: Path) -> None:
    file = tmp_path / "connections.yaml"
    entries = "".join(f"    name-{number}:\n        region:   us\n" for number in range(2_000))
    old = f"version:  1\nconnections:\n{entries}".encode()
    new = old.replace(b"  region:   us", b"region: us").replace(b"        r", b"    r").replace(b"    n", b"  n")
    new = new.replace(b"      region", b"    region").replace(b"version:  1", b"version: 1")
    for delay_ms in range(0, 500, 20):
        file.write_bytes(old)
        with subprocess.Popen([COMMAND, "fmt"], cwd=tmp_path, env=environment(), stdout=subprocess.DEVNULL) as process:
            time.sleep(delay_ms / 1000)
            process.send_signal(signal.SIGKILL)
        assert file.read_bytes() in (old, new)
    assert run("fmt", cwd=tmp_path).code == 0
    assert file.read_bytes() == new


def test_what_only_other_runs_need_is_not_imported(tmp_path: Path) -> None:
    (tmp_path / "connections.yaml").write_bytes(LAID_OUT)
    command = [sys.executable, "-X", "importtime", "-m", "connform", "fmt"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True, env=environment())
    modules = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "connform.layout.printer" in modules
    assert not modules & {
        "difflib",
        "tempfile",
        "jsonschema",
        "ssl",
        "connform.engine.load.catalog",
        "connform.reporters",
    }
