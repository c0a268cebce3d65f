"""Programs that lie in the working directory are not run, however PATH names that; one that fails is known to have failed."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from connform.programs import absolute_parts, find_program
from tests.conftest import require_library, require_peer
from tests.end_to_end.running import KEY, manifest, run


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("/a:/b c", "/a:/b c"),
        (":/a", "/a"),
        ("/a:", "/a"),
        ("/a::/b", "/a:/b"),
        (".:/a:bin:../b:~/c:/b", "/a:/b"),
        (".", os.defpath),
        ("", os.defpath),
    ],
)
def test_the_relative_and_empty_parts_of_a_path_are_left_out(path: str, kept: str) -> None:
    assert absolute_parts(path) == kept


def test_a_program_is_a_file_that_can_be_executed(tmp_path: Path) -> None:
    (tmp_path / "a/x").mkdir(parents=True)
    (tmp_path / "b").mkdir()
    (tmp_path / "b/x").touch()
    (tmp_path / "c").mkdir()
    (tmp_path / "c/x").touch(0o755)
    assert find_program("x", f"{tmp_path}/none:{tmp_path}/a:{tmp_path}/b:{tmp_path}/c") == f"{tmp_path}/c/x"
    assert find_program("x", f"{tmp_path}/a:{tmp_path}/b") == ""


PROGRAMS = ("git", "sops", "op", "pass", "gpg", "dot", "gcloud", "script")
REFERENCES = ("sops://s.enc.yaml#key", "op://vault/item/field", "pass://entry", "gcpsecrets://acme/key")


@pytest.fixture
def marker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that a program of the checkout leaves if it is run; the checkout is the current folder."""
    folder, marker = tmp_path / "repository", tmp_path / "ran"
    (folder / "bin").mkdir(parents=True)
    for place in (folder, folder / "bin", tmp_path):
        for name in PROGRAMS:
            (place / name).write_text(f"#!/bin/sh\necho {name} >>{marker}\n")
            (place / name).chmod(0o755)
    connections = {
        f"c{i}": {"instance": "acme", "auth": {"method": "api_key", "api_key": reference}}
        for i, reference in enumerate((*REFERENCES, "env://ACME_KEY"))
    }
    (folder / "connections.yaml").write_text(manifest(**connections))
    (folder / "s.enc.yaml").write_text("sops: {}\n")
    return marker


@pytest.mark.parametrize("path", [":REAL", ".:REAL", "bin:..:REAL:"])
@pytest.mark.parametrize(
    "arguments",
    [
        ("validate", "--changed-since", "HEAD"),
        ("secrets", "check"),
        ("graph", "--format", "svg"),
        ("exec", "c4", "--", "script"),
    ],
    ids=" ".join,
)
def test_a_program_of_the_checkout_is_not_run(arguments: tuple[str, ...], path: str, marker: Path) -> None:
    require_library("google.auth")  # it starts gcloud
    folder = marker.with_name("repository")
    home = marker.with_name("home")
    (home / ".password-store").mkdir(parents=True)
    (home / ".password-store" / "entry.gpg").touch()
    (home / ".config" / "gcloud").mkdir(parents=True)
    login = {"type": "authorized_user", "client_id": "x", "client_secret": "x", "refresh_token": "x"}
    (home / ".config" / "gcloud" / "application_default_credentials.json").write_text(json.dumps(login))
    real = f"{os.path.dirname(require_peer('git'))}:/bin"
    environment = {"PATH": path.replace("REAL", real), "HOME": str(home), "HTTPS_PROXY": "http://127.0.0.1:1", **KEY}
    ended = run(*arguments, cwd=folder, env=environment)
    assert not marker.exists(), marker.read_text()
    assert "Traceback" not in ended.err


def test_a_program_that_fails_gives_no_secret_where_the_parent_ignores_its_end(tmp_path: Path) -> None:
    home, program = tmp_path / "home", tmp_path / "bin/pass"
    for folder in (home / ".password-store", program.parent):
        folder.mkdir(parents=True)
    (home / ".password-store/entry.gpg").touch()
    program.write_text("#!/bin/sh\necho half of a secret\nexit 1\n")
    program.chmod(0o755)
    path = tmp_path / "connections.yaml"
    path.write_text(manifest(a={"instance": "acme", "auth": {"method": "api_key", "api_key": "pass://entry"}}))
    script = (
        "import os, signal, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])"
    )
    environment = {"PATH": f"{program.parent}:{os.environ['PATH']}", "HOME": str(home)}
    ended = run("secrets", "check", cwd=tmp_path, env=environment, before=(sys.executable, "-c", script))
    assert (ended.code, "pass exited with status 1" in ended.out) == (5, True), ended.out
