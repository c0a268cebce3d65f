"""What the tests of the site share: the site, built once for all processes of the tests."""

from __future__ import annotations

import fcntl
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import do_without
from tests.end_to_end.running import environment

ROOT = Path(__file__).parents[2]
NEEDED = ("sphinx", "furo", "myst_parser", "griffe")


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """The folder of the site, built as `make docs` builds it."""
    if missing := [name for name in NEEDED if importlib.util.find_spec(name) is None]:
        do_without(f"{', '.join(missing)}: installed by `make docs`, and not")
    base = tmp_path_factory.getbasetemp()
    shared = base if worker_id == "master" else base.parent
    built, folder = shared / "site-built", shared / "site" / "site"
    with (shared / "site-lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not built.exists():
            ended = build(folder)
            built.write_text(f"{ended.returncode}\n{ended.stdout}{ended.stderr}")
    code, output = built.read_text().split("\n", 1)
    assert (code, output) == ("0", "")
    return folder


def build(folder: Path) -> subprocess.CompletedProcess[str]:
    """Build the site into a folder."""
    return run("-m", "docs.site", str(folder))


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python in the repository."""
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=environment(), text=True, capture_output=True, check=False
    )
