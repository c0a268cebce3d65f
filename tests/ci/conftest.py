"""What the tests of CI systems share: this project as a repository of its own, and pip without a network."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution, distributions
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement

from tests.conftest import require_library, require_peer
from tests.end_to_end.running import Run, run_program

ROOT = Path(__file__).parents[2]
SOURCE = ("src", "docs", "pyproject.toml", "PACKAGE.md", "LICENSE", ".pre-commit-hooks.yaml", "action.yml")
INSTALLED = ("connform", "hatchling", "pip")
"""What the action installs, and builds with."""
EXTRA = ("psycopg", "psycopg-binary")
"""What the extra `postgres` brings along."""
IDENTITY = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Acme"), ("EMAIL", "ci@acme.example"))
}
GOOD = """\
version: 1
connections:
  sandbox-us:
    environment: sandbox
    region: us
    auth: {method: api_key, api_key: "env://ACME_KEY"}
"""
BAD = GOOD.replace("sandbox-us", "sandbox-ca").replace("region: us", "region: ca")
"""The mistake stands in line 5, column 13."""


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This project, committed in a repository of its own."""
    folder = tmp_path_factory.mktemp("project")
    for name in SOURCE:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, folder / name)
    # The wheels of `offline_pip` are those of what is installed here.
    here = {one.name: one.version for one in distributions() if one.name != "connform"}
    (folder / "constraints.txt").write_text("".join(f"{name}=={version}\n" for name, version in here.items()))
    commit_all(folder)
    return folder


@pytest.fixture(scope="session")
def offline_pip(project: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Variables with which pip installs this project, and what builds it, from wheels of what is installed here."""
    for library in ("hatchling", "psycopg"):  # of this interpreter: they are found by their metadata
        require_library(library)
    folder = tmp_path_factory.mktemp("wheels")
    for one in closure(*INSTALLED, *EXTRA):
        _pack(one, folder)
    variables = {
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(folder),
        "PIP_CONFIG_FILE": "/dev/null",
        "PIP_NO_COMPILE": "1",
    }
    ended = run_program(
        sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder, cwd=project
    )
    assert ended.code == 0, ended.err
    return variables


def git(folder: Path, *arguments: str | Path) -> Run:
    """Run git; it must succeed."""
    ended = run_program(require_peer("git"), *arguments, cwd=folder, env=IDENTITY)
    assert ended.code == 0, ended.err
    return ended


def commit_all(folder: Path) -> str:
    """Commit everything in a folder, as a new repository where it is none, and return the commit."""
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "State")
    return git(folder, "rev-parse", "HEAD").out.strip()


def closure(*names: str) -> Iterator[Distribution]:
    """Yield what installed packages need, and they themselves; this project is built, not packed."""
    stack, seen = [*names], set()
    while stack:
        name = stack.pop()
        if name in seen:
            continue
        seen.add(name)
        found = distribution(name)
        needs = map(Requirement, found.requires or ())
        stack += [one.name.lower() for one in needs if one.marker is None or one.marker.evaluate({"extra": ""})]
        if name != "connform":
            yield found


def _pack(one: Distribution, folder: Path) -> None:
    """Write an installed package as the wheel that it came from (PEP 427)."""
    metadata = one.read_text("WHEEL") or ""
    tag = [line.removeprefix("Tag: ") for line in metadata.splitlines() if line.startswith("Tag: ")][-1]
    files = [file for file in one.files or () if ".." not in file.parts and file.suffix != ".pyc"]
    with ZipFile(folder / f"{one.name.replace('-', '_')}-{one.version}-{tag}.whl", "w") as wheel:
        for file in files:
            if file.name not in {"INSTALLER", "REQUESTED", "direct_url.json"}:
                wheel.write(file.locate(), str(file))
