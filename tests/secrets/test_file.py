from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from connform.secrets.kit.file_reader import read_file
from tests.secrets.fetching import chain, failure, fetch, lint


@pytest.mark.parametrize(
    ("stored", "found"),
    [
        (b"value", "value"),
        (b"value\n", "value"),
        (b"value\r\n", "value"),
        (b"value\n\n", "value\n"),
        (b"value\r\n\r\n", "value\r\n"),
        (b"\nvalue", "\nvalue"),
        (b"value\r", "value\r"),
        (b"0012\n", "0012"),
        ("clé".encode(), "clé"),
        (b"x" * 65536, "x" * 65536),
        (b"x" * 1024 * 1024, "x" * 1024 * 1024),
    ],
    ids=["plain", "LF", "CRLF", "two LF", "two CRLF", "leading LF", "CR", "digits", "non-ASCII", "64 kB", "1 MiB"],
)
def test_a_file_is_read_less_one_newline(tmp_path: Path, stored: bytes, found: str) -> None:
    (tmp_path / "key").write_bytes(stored)
    assert fetch("file", tmp_path, f"file://{tmp_path}/key", "file://key") == [found, found]


def test_a_store_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "mounted" / "deep").mkdir(parents=True)
    (tmp_path / "mounted" / "deep" / "key").write_text("value")
    assert fetch("file", tmp_path, "mine://deep/key", path="mounted") == ["value"]
    assert fetch("file", tmp_path / "other", "mine://deep/key", path=str(tmp_path / "mounted")) == ["value"]


@pytest.mark.parametrize(
    ("content", "fault", "words"),
    [
        (b"", "secret_malformed", "empty"),
        (b"\n", "secret_malformed", "empty"),
        (b"\r\n", "secret_malformed", "empty"),
        (b"hunter2\xff", "secret_malformed", "UTF-8"),
        (b"hunter2" * 149797, "secret_malformed", "larger than 1 MiB"),
    ],
    ids=["empty", "LF", "CRLF", "not UTF-8", "over 1 MiB"],
)
def test_a_bad_content_is_said_without_showing_it(tmp_path: Path, content: bytes, fault: str, words: str) -> None:
    (tmp_path / "key").write_bytes(content)
    error = failure("file", tmp_path, "file://key")
    assert error.fault.name == fault
    assert words in error.message
    assert "hunter2" not in chain(error)


def test_what_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "plain").write_text("x")
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "loop").symlink_to("loop")
    os.mkfifo(tmp_path / "pipe")
    faults = {
        name: failure("file", tmp_path, f"file://{name}").fault.name for name in ("folder", "pipe", "dangling", "loop")
    }
    assert faults == {
        "folder": "secret_malformed",
        "pipe": "secret_malformed",  # and the test ends: nobody waits for a writer
        "dangling": "secret_not_found",
        "loop": "secret_backend_unavailable",
    }
    assert failure("file", tmp_path, "file://missing").fault.name == "secret_not_found"
    assert failure("file", tmp_path, "file://plain/below").fault.name == "secret_not_found"
    assert failure("file", tmp_path, "file://" + "n" * 300).fault.name == "secret_backend_unavailable"


_UNPRIVILEGED = """
import os, sys
from pathlib import Path
from connform.errors import SecretUnresolved
from connform.secret import SecretReference
from connform.secrets import BACKENDS
from connform.secrets.kit.interface import StoreConfig
backend = BACKENDS["file"]
if os.geteuid() == 0:
    os.seteuid(65534)  # nothing can be imported from here on
(outcome,) = backend.open(StoreConfig(Path("/"))).read([SecretReference.parse(sys.argv[1])])
if isinstance(outcome, SecretUnresolved):
    print(outcome.fault.name, outcome.exit_code.value)
"""


@pytest.mark.parametrize("where", ["file", "folder"])
def test_a_file_of_somebody_else_is_denied(tmp_path: Path, where: str) -> None:
    folder = tmp_path / "closed"
    folder.mkdir()
    (folder / "key").write_text("value")
    closed = folder if where == "folder" else folder / "key"
    closed.chmod(0)
    try:
        command = [sys.executable, "-c", _UNPRIVILEGED, f"file://{folder}/key"]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=30, check=False)
    finally:
        closed.chmod(0o700)
    assert done.stdout.split() == ["secret_denied", "5"], done.stderr


# -------------------------------------------------------------------------------------------------------------- fields


def test_a_field_of_a_json_object_is_text(tmp_path: Path) -> None:
    (tmp_path / "app.json").write_text(json.dumps({"id": "0012", "secret": "s\n", "/a/b": "slashes"}))
    texts = ["file://app.json#secret", "file://app.json#id", "file://app.json#/a/b"]
    assert fetch("file", tmp_path, *texts) == ["s", "0012", "slashes"]


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ('{"id": "hunter2"}', "secret_not_found"),
        ('{"key": 12}', "secret_malformed"),
        ('{"key": null}', "secret_malformed"),
        ('{"key": true}', "secret_malformed"),
        ('{"key": {"a": "hunter2"}}', "secret_malformed"),
        ('{"key": ""}', "secret_malformed"),
        ('["hunter2"]', "secret_malformed"),
        ('"hunter2"', "secret_malformed"),
        ("hunter2", "secret_malformed"),
        ('{"key": "hunter2"', "secret_malformed"),
        ("[" * 100_000, "secret_malformed"),
        ("", "secret_malformed"),
    ],
    ids=lambda text: repr(text[:20]),
)
def test_a_field_that_is_not_there_or_no_text_is_an_error(tmp_path: Path, content: str, fault: str) -> None:
    (tmp_path / "app.json").write_text(content)
    error = failure("file", tmp_path, "file://app.json#key")
    assert error.fault.name == fault
    assert "hunter2" not in chain(error)


def test_a_missing_field_names_the_one_that_was_meant(tmp_path: Path) -> None:
    (tmp_path / "app.json").write_text('{"client_secret": "x"}')
    assert failure("file", tmp_path, "file://app.json#client_secrt").hint == "did you mean `client_secret`?"


# ---------------------------------------------------------------------------------------------------------------- lint


@pytest.mark.parametrize(
    "text", ["file:///run/secrets/x", "file://beside", "file://../shared/x", "file://a.json#field"]
)
def test_a_good_reference(text: str) -> None:
    assert lint("file", text) == ""


@pytest.mark.parametrize("text", ["file://", "file:///", "file:///x?version=1", "file://#field"])
def test_a_bad_reference_is_found_offline(text: str) -> None:
    assert lint("file", text)


@pytest.mark.parametrize("text", ["mine://../x", "mine://a/../../x", "mine:///etc/passwd", "mine://", "mine://.."])
def test_a_store_is_never_left(text: str) -> None:
    assert lint("file", text, path="secrets")
    assert lint("file", "mine://a/..x", path="secrets") == ""


# ----------------------------------------------------------------------------------------------------------- rotation


class Mount:
    """A mount as the kubelet makes it: links to members of `..data`, which is a link to the present snapshot."""

    def __init__(self, folder: Path, **members: str) -> None:
        folder.mkdir()
        self.folder = folder
        self.generation = 0
        self.write(**members)
        for name in members:
            (folder / name).symlink_to(f"..data/{name}")

    def write(self, **members: str) -> None:
        """Put a new snapshot in place, and take the old one away at once."""
        self.generation += 1
        old = self.folder / f"..{self.generation - 1}"
        new = self.folder / f"..{self.generation}"
        new.mkdir()
        for name, content in members.items():
            (new / name).write_text(content)
        (self.folder / "..data_tmp").symlink_to(new.name)
        (self.folder / "..data_tmp").rename(self.folder / "..data")
        shutil.rmtree(old, ignore_errors=True)


def test_a_pair_is_never_torn_by_a_rotation(tmp_path: Path) -> None:
    mount = Mount(tmp_path / "mount", id="0", secret="0")
    stopped = threading.Event()

    def rotate() -> None:
        for generation in range(1, 301):
            mount.write(id=str(generation), secret=str(generation))
            time.sleep(0.002)
        stopped.set()

    rotating = threading.Thread(target=rotate)
    rotating.start()
    pairs = []
    while not stopped.is_set():
        pairs.append(fetch("file", tmp_path, "file://mount/id", "file://mount/secret"))
    rotating.join()
    pairs.append(fetch("file", tmp_path, "file://mount/id", "file://mount/secret"))
    assert [pair for pair in pairs if pair[0] != pair[1]] == []
    assert pairs[-1] == ["300", "300"]
    assert len({pair[0] for pair in pairs}) > 20, "the rotation was not seen"


def test_a_rotation_between_two_members_is_not_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mount = Mount(tmp_path / "mount", id="old", secret="old")
    calls = []

    def rotate_after_the_first(*args: object) -> bytes:
        content = read_file(*args)  # type: ignore[arg-type]  # passed on as they came
        calls.append(args)
        if len(calls) == 1:
            mount.write(id="new", secret="new")
        return content

    monkeypatch.setattr("connform.secrets.file.read_file", rotate_after_the_first)
    assert fetch("file", tmp_path, "file://mount/id", "file://mount/secret") == ["new", "new"]


def test_a_mount_has_members_in_folders_missing_ones_and_neighbours(tmp_path: Path) -> None:
    mount = Mount(tmp_path / "mount", id="1")
    (mount.folder / "..data" / "deep").mkdir()
    (mount.folder / "..data" / "deep" / "key").write_text("deep")
    (mount.folder / "deep").symlink_to("..data/deep")
    (mount.folder / "beside").write_text("plain")
    assert fetch("file", tmp_path, "file://mount/id", "file://mount/deep/key", "file://mount/beside") == [
        "1",
        "deep",
        "plain",
    ]
    assert failure("file", tmp_path, "file://mount/nothing").fault.name == "secret_not_found"
    (mount.folder / "lost").symlink_to("..data/lost")
    assert failure("file", tmp_path, "file://mount/lost").fault.name == "secret_not_found"


def test_a_mount_whose_snapshot_stays_away_is_an_error_and_no_endless_loop(tmp_path: Path) -> None:
    mount = Mount(tmp_path / "mount", id="1")
    shutil.rmtree((mount.folder / "..data").resolve())
    assert failure("file", tmp_path, "file://mount/id").fault.name == "secret_not_found"


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        ("file://.connform/key", {}),
        ("file:///srv/app/.connform/key", {}),
        ("file://a/../.connform/key", {}),
        ("mine://key", {"path": ".connform"}),
        ("mine://.connform/key", {"path": "/srv/app"}),
        ("file:///proc/self/environ", {}),
        ("file:////proc/1/environ", {}),
        ("file:///run/..//proc/self/./environ", {}),
        ("mine://self/environ", {"path": "/proc"}),
        ("mine://environ", {"path": "/run/../proc/self/"}),
    ],
)
def test_what_the_run_itself_holds_is_refused_offline(text: str, settings: dict[str, str]) -> None:
    assert lint("file", text, **settings)


@pytest.mark.parametrize("backend", ["file", "dotenv"])
def test_no_link_leads_to_what_the_run_itself_holds(tmp_path: Path, backend: str) -> None:
    (tmp_path / "link").symlink_to("/proc/self/environ")
    (tmp_path / "folder").symlink_to("/proc/self", target_is_directory=True)
    for path in ("link", "folder/environ", "folder/cmdline"):
        assert failure(backend, tmp_path, f"{backend}://{path}#PATH").fault.name == "secret_denied"
