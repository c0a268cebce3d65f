"""Output files: no link, no planted draft and no special file lets a run overwrite what it was not told to."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.cli.conftest import Connform
from tests.conftest import do_without

GOOD = (
    'version: 1\nconnections:\n  a: {environment: sandbox, region: us, auth: {method: api_key, api_key: "env://K"}}\n'
)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository, and a home beside it."""
    root = tmp_path / "checkout"
    (root / ".git/hooks").mkdir(parents=True)
    (root / "connections.yaml").write_text(GOOD)
    (tmp_path / "home").mkdir()
    (tmp_path / "home/.bashrc").write_text("mine")
    monkeypatch.chdir(root)
    return root


WRITERS = {
    "--output": ["list", "--output", "out"],
    "--format": ["list", "--format", "json=out"],
    "plan --out": ["plan", "--out", "out"],
    "fmt -": ["fmt", "-", "--output", "out"],
    "simulator --ca-file": ["simulator", "--ca-file", "out"],
    "state export": ["state", "export", "--output", "out"],
    "a folder on the way": ["list", "--output", "folder/.bashrc"],
    "schema --write": ["schema", "--write", "folder/deeper"],
    "init": ["init", "--no-input", "--force"],
    "init --ci": ["init", "--no-input", "--force", "--ci", "github"],
}


@pytest.mark.parametrize("writer", WRITERS)
def test_a_link_that_leaves_the_repository_is_not_written_through(connform: Connform, here: Path, writer: str) -> None:
    Path("out").symlink_to("../home/.bashrc")
    Path("folder").symlink_to("../home")
    if writer == "init":
        Path(".gitignore").symlink_to("../home/.bashrc")
    Path(".github").symlink_to("../home")
    run = connform(*WRITERS[writer])
    assert (run.code, "leads out of its repository" in run.err) == (64, True), run.err
    assert "name the file itself, or remove the link" in run.err or "schema" in writer or "init" in writer
    assert [path.name for path in Path("../home").iterdir()] == [".bashrc"]
    assert Path("../home/.bashrc").read_text() == "mine"


@pytest.mark.parametrize("target", [".git/config", ".git/hooks/post-checkout", "alias/hooks/x"])
def test_a_link_leads_not_into_git(connform: Connform, target: str) -> None:
    Path("alias").symlink_to(".git")
    Path("out").symlink_to(target)
    assert connform("list", "--output", "out").code == 64
    assert not Path(target).exists()


def test_outside_of_a_repository_a_link_leaves_not_its_folder(
    connform: Connform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "home/latest.json").symlink_to("1.json")
    (tmp_path / "home/other.json").symlink_to("../2.json")
    assert connform("list", "--output", str(tmp_path / "home/latest.json")).code == 0
    assert (tmp_path / "home/1.json").exists()
    run = connform("list", "--output", str(tmp_path / "home/other.json"))
    assert (run.code, "leads out of its folder" in run.err) == (64, True)
    assert not (tmp_path / "2.json").exists()


def test_a_link_in_the_repository_stays_and_its_file_is_replaced(connform: Connform) -> None:
    Path("reports").mkdir()
    Path("out").symlink_to("reports/1.txt")
    assert connform("list", "--output", "out").code == 0
    assert Path("out").is_symlink()
    assert "sandbox" in Path("reports/1.txt").read_text()


def test_a_planted_draft_is_not_written_through(connform: Connform, here: Path) -> None:
    for name in (f".out.{os.getpid()}.tmp", ".out.tmp", ".connform.tmp"):
        Path(name).symlink_to("../home/.bashrc")
    assert connform("list", "--output", "out").code == 0
    assert not Path("out").is_symlink()
    assert Path("../home/.bashrc").read_text() == "mine"


def test_a_hard_link_of_an_output_keeps_what_it_had(connform: Connform) -> None:
    os.link("../home/.bashrc", "out")
    assert connform("list", "--output", "out").code == 0
    assert Path("../home/.bashrc").read_text() == "mine"
    assert "sandbox" in Path("out").read_text()


def test_a_hard_link_of_a_manifest_is_not_parted(connform: Connform) -> None:
    Path("connections.yaml").write_text(GOOD.replace(" 1", "   1"))
    os.link("connections.yaml", "same.yaml")
    assert connform("fmt").code == 0
    assert os.path.samefile("connections.yaml", "same.yaml")
    assert "version: 1\n" in Path("same.yaml").read_text()


def test_a_long_name_has_a_draft_too(connform: Connform) -> None:
    assert connform("list", "--output", "x" * 255).code == 0


@pytest.mark.parametrize("kind", ["socket", "block device"])
def test_what_takes_no_bytes_is_refused(connform: Connform, kind: str) -> None:
    if kind == "block device":
        try:
            os.mknod("out", 0o600 | stat.S_IFBLK, os.makedev(7, 200))
        except OSError:
            do_without("devices can't be made here")
    else:
        os.mknod("out", 0o600 | stat.S_IFSOCK)
    run = connform("list", "--output", "out")
    assert (run.code, "not a regular file" in run.err) == (64, True)


def _run(shell: str) -> subprocess.CompletedProcess[str]:
    command = shell.replace("connform", f"'{sys.executable}' -m connform")
    return subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    ("shell", "shown"),
    [
        ("connform list --format json=/dev/stdout | cat", 2),
        ("connform list --format json=/dev/stdout > file; cat file", 2),
        ("connform list --format json=/dev/stderr 2>&1 >/dev/null", 1),
        ("connform list --output /dev/fd/3 3>&1 >/dev/null", 1),
        ("connform list --output >(cat) | cat", 1),
        ("connform list --output /dev/null", 0),
        ("mkfifo pipe; connform list --output pipe & cat pipe", 1),
    ],
)
def test_pipes_devices_and_descriptors_are_written_to_as_they_are(shell: str, shown: int) -> None:
    done = _run(shell)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("iinked-sign") == shown
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


def test_a_reader_that_left_is_no_failure_of_a_descriptor() -> None:
    assert _run("connform schema --output /dev/stdout | true; exit ${PIPESTATUS[0]}").returncode == 0


@pytest.mark.parametrize("verb", ["fmt m.yaml", "validate --fix m.yaml", "list -f connections.yaml --output m.yaml"])
def test_a_file_that_is_a_mount_of_its_own_is_written_in_place(verb: str) -> None:
    Path("host.yaml").write_text(GOOD.replace(" 1", "   1").replace("region: us", "region: US"))
    Path("m.yaml").touch()
    mounted = ["unshare", "-m", "sh", "-c", 'mount --bind host.yaml m.yaml && exec "$@"', "sh"]
    if subprocess.run([*mounted, "true"], capture_output=True, check=False).returncode:
        do_without("a file can't be mounted here")
    before = os.stat("host.yaml").st_ino
    done = subprocess.run(
        [*mounted, sys.executable, "-m", "connform", *verb.split()], capture_output=True, text=True, check=False
    )
    assert (done.returncode, os.stat("host.yaml").st_ino) == (0, before), done.stderr
    assert {"fmt": "version: 1\n", "vali": "region: us", "list": "sandbox.syngrafii.com"}[verb[:4].strip()] in Path(
        "host.yaml"
    ).read_text()
    assert sorted(os.listdir()) == [".git", "connections.yaml", "host.yaml", "m.yaml"]


def test_a_mount_that_others_can_read_takes_no_token(tmp_path: Path) -> None:
    Path("host").touch(0o644)
    Path("m").touch()
    mounted = ["unshare", "-m", "sh", "-c", 'mount --bind host m && exec "$@"', "sh"]
    if subprocess.run([*mounted, "true"], capture_output=True, check=False).returncode:
        do_without("a file can't be mounted here")
    code = "from connform.cli.output import save; save('m', b'x', is_secret=True)"
    done = subprocess.run([*mounted, sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "it is a mount of its own that others can reach" in done.stderr
    assert Path("host").read_bytes() == b""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_somebody_else_in_a_shared_folder_is_told_apart() -> None:
    with TemporaryDirectory(dir="/tmp") as folder:  # everybody may enter
        Path(folder).chmod(0o1777)
        out = Path(folder, "out")
        out.touch()
        os.chown(out, 1, 1)
        code = (
            "import os, connform.cli.saving\nfrom connform.cli.output import save\nos.seteuid(1234)\n"
            f"save({str(out)!r}, b'x')"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert "it belongs to another user, in a folder where only owners replace files" in done.stderr
        assert os.listdir(folder) == ["out"]
