"""A manifest's file gets new content as a whole or not at all, and stays what it was otherwise."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from connform.manifest.replace import replace_content

ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
NO_ROOT = pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "connections.yaml"
    path.write_bytes(b"old")
    return path


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o755])
def test_the_mode_stays(file: Path, mode: int) -> None:
    file.chmod(mode)
    replace_content(str(file), b"new")
    assert (file.read_bytes(), stat.S_IMODE(file.stat().st_mode)) == (b"new", mode)
    assert os.listdir(file.parent) == [file.name]


@ROOT_ONLY
def test_the_owner_stays(file: Path) -> None:
    os.chown(file, 1234, 5678)
    file.chmod(0o4640)
    replace_content(str(file), b"new")
    status = file.stat()
    assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (1234, 5678, 0o4640)


def test_another_name_of_the_file_has_the_new_content(file: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.hardlink_to(file)
    replace_content(str(file), b"new")
    assert (file.read_bytes(), other.read_bytes()) == (b"new", b"new")


def test_a_link_still_leads_to_the_file(file: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.yaml"
    link.symlink_to(file.name)
    replace_content(str(link), b"new")
    assert link.is_symlink()
    assert file.read_bytes() == b"new"


@NO_ROOT
def test_a_file_that_may_not_be_written_stays_although_its_folder_may(file: Path) -> None:
    file.chmod(0o444)
    with pytest.raises(PermissionError):
        replace_content(str(file), b"new")
    assert file.read_bytes() == b"old"


def test_a_pipe_is_no_file(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(OSError, match="not a regular file"):
        replace_content(str(pipe), b"new")
    assert os.listdir(tmp_path) == ["pipe"]


def test_a_file_that_is_gone_is_not_made_anew(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        replace_content(str(tmp_path / "x.yaml"), b"new")
    assert not os.listdir(tmp_path)


def test_what_fails_half_way_leaves_nothing_behind(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "chmod", full)
    with pytest.raises(OSError, match="No space left"):
        replace_content(str(file), b"new")
    assert file.read_bytes() == b"old"
    assert os.listdir(file.parent) == [file.name]


def test_a_process_that_is_killed_leaves_the_old_or_the_new_file(file: Path) -> None:
    old, new = b"a" * 3_000_000, b"b" * 3_000_000
    file.write_bytes(old)
    program = (
        "import sys\nfrom connform.manifest.replace import replace_content\nprint(flush=True)\n"
        f"while True:\n    for letter in b'ba':\n        replace_content({str(file)!r}, bytes([letter]) * {len(old)})"
    )
    for number in range(20):
        with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as process:
            assert process.stdout
            process.stdout.readline()
            time.sleep(0.003 * number)
            process.send_signal(signal.SIGKILL)
        assert file.read_bytes() in (old, new)
