"""A folder of state that came with a checkout is refused: its grants, its key and its records are somebody else's."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.conftest import require_peer

GOOD = """\
version: 1
connections:
  a:
    environment: sandbox
    region: us
    auth: {method: oauth2, client_id: c, client_secret: "env://S", redirect_uri: "https://a.example/cb", scopes: [a]}
"""


def git(*arguments: str) -> None:
    author = ("-c", "user.name=a", "-c", "user.email=a@example.test", "-c", "commit.gpgsign=false")
    subprocess.run([require_peer("git"), *author, *arguments], check=True, capture_output=True)


def connform(*argv: str, path: str = "") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "S": "x", "PATH": path or os.environ["PATH"]}
    command = [sys.executable, "-m", "connform", *argv]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


@pytest.fixture(autouse=True)
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with a manifest, and beside it state that nobody has committed yet."""
    root = tmp_path / "checkout"
    (root / "envs").mkdir(parents=True)
    (root / "envs/connections.yaml").write_text(GOOD)
    monkeypatch.chdir(root)
    git("init", "--quiet")
    git("add", ".")
    (root / "envs/.connform").mkdir(mode=0o700)
    (root / "envs/.connform/key").touch(mode=0o600)
    return root


@pytest.mark.parametrize(
    ("how", "argv"),
    [
        ("as it stands", ["state", "list", "-f", "envs"]),
        ("as it stands", ["plan", "-f", "envs"]),
        ("as it stands", ["apply", "--yes", "-f", "envs"]),
        ("as it stands", ["token", "a", "-f", "envs"]),
        ("in version 4", ["state", "list", "-f", "envs"]),
        ("in two files", ["state", "list", "-f", "envs"]),
        ("by --state", ["state", "list", "-f", "envs", "--state", "sqlite://HERE/envs/.connform"]),
        ("in other letters", ["state", "list", "-f", "envs", "--state", "sqlite://HERE/envs/.CONNFORM"]),
        ("without git here", ["state", "list", "-f", "envs"]),
        ("with a hook", ["state", "list", "-f", "envs"]),
    ],
)
def test_state_that_git_tracks_is_refused(how: str, argv: Sequence[str]) -> None:
    if how == "in other letters":
        Path("envs/.CONNFORM").mkdir(mode=0o700)  # the same folder on some systems
    git("add", "--force", "envs/.connform/key")
    if how == "in version 4":
        git("update-index", "--index-version", "4")
    if how == "in two files":
        git("update-index", "--split-index")
    if how == "with a hook":
        git("config", "core.fsmonitor", f"sh -c 'touch {Path.cwd()}/ran' --")
    argv = [part.replace("HERE", str(Path.cwd())) for part in argv]
    refused = connform(*argv, path="/nowhere" if how == "without git here" else "")
    assert refused.returncode == 5, refused.stderr
    assert "error[store_insecure]" in refused.stderr
    assert "is tracked by Git: whoever committed it may know its key" in refused.stderr
    assert not Path("ran").exists()
    assert os.listdir("envs/.connform") == ["key"]


@pytest.mark.parametrize("how", ["plain", "version 4", "no index", "submodule", "no repository"])
def test_state_that_git_does_not_track_is_fine(how: str, checkout: Path) -> None:
    if how == "plain":
        Path("envs/.connformed").touch()
        git("add", "envs/.connformed")  # git has to be asked
    if how == "version 4":
        git("update-index", "--index-version", "4")
    if how == "no index":
        Path(".git/index").unlink()
    if how == "submodule":
        git("commit", "-qm", "x")
        git("init", "-q", "../outer")
        os.chdir("../outer")
        git("-c", "protocol.file.allow=always", "submodule", "add", str(checkout), "inner")
        os.chdir("inner")
        Path("envs/.connform").mkdir(mode=0o700)
    if how == "no repository":
        Path(".git").rename("../git")
    found = connform("state", "list", "-f", "envs")
    assert (found.returncode, found.stderr) == (0, "")


@pytest.mark.parametrize("state", [[], ["--state", "sqlite:////HERE/envs/state"]], ids=["beside", "by --state"])
def test_git_adds_nothing_of_the_state(checkout: Path, state: Sequence[str]) -> None:
    state = [part.replace("HERE", str(checkout).lstrip("/")) for part in state]
    assert connform("apply", "--yes", "-f", "envs", *state).returncode == 4
    Path("envs/.connform/key").unlink()
    git("add", "--all")
    added = subprocess.run(["git", "diff", "--cached", "--name-only"], capture_output=True, text=True, check=True)
    assert added.stdout == "envs/connections.yaml\n"


def test_a_plan_in_a_repository_imports_no_more_than_before() -> None:
    code = (
        "import sys, os\nfrom connform.engine.run.tracked_state import require_untracked\nfrom pathlib import Path\n"
        "require_untracked('', Path('envs/.connform').absolute())\nprint('subprocess' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
