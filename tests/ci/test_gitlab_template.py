"""The GitLab CI template: both of its documents fit the official schema, and its script does what it says."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.ci.conftest import BAD, GOOD, ROOT, git
from tests.conftest import require_peer
from tests.end_to_end.running import Run, run_program

pytestmark = pytest.mark.timeout(110)  # pip builds and installs

TEMPLATE = ROOT / "templates" / "connform.yml"
HEAD, BODY = TEMPLATE.read_text("utf-8").split("\n---\n")
INPUTS = yaml.safe_load(HEAD)["spec"]["inputs"]


def job(**inputs: str) -> dict[str, Any]:
    """Return the job that GitLab makes of the template; an input without default is demanded."""
    given = {**{name: one["default"] for name, one in INPUTS.items() if "default" in one}, **inputs}
    assert set(given) == set(INPUTS)

    def insert(value: Any) -> Any:
        if isinstance(value, dict):
            return {insert(key): insert(item) for key, item in value.items()}
        if isinstance(value, list):
            return [insert(item) for item in value]
        if not isinstance(value, str):
            return value
        return re.sub(r"\$\[\[ inputs\.(\w+) \]\]", lambda match: given[match[1]], value)

    (made,) = insert(yaml.safe_load(BODY)).values()
    return dict(made)


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment that stands for the image of the job."""
    folder = tmp_path_factory.mktemp("image")
    assert run_program(sys.executable, "-m", "venv", folder, cwd=folder).code == 0
    return folder


@pytest.fixture(scope="module")
def package(offline_pip: Mapping[str, str]) -> str:
    """The address of a wheel of this project."""
    (wheel,) = Path(offline_pip["PIP_FIND_LINKS"]).glob("connform-*.whl")
    return wheel.as_uri()


def run(made: dict[str, Any], folder: Path, image: Path, offline_pip: Mapping[str, str]) -> Run:
    script = folder.parent / "job.sh"
    script.write_text("\n".join(made["script"]))
    variables = {name: one["value"] for name, one in made["variables"].items()}
    path = os.pathsep.join([str(image / "bin"), os.environ["PATH"]])
    return run_program("sh", "-e", script, cwd=folder, env={**offline_pip, **variables, "PATH": path})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "project").mkdir()
    return tmp_path / "project"


@pytest.mark.parametrize("text", [HEAD, BODY], ids=["inputs", "job"])
def test_it_fits_the_official_schema(tmp_path: Path, text: str) -> None:
    checker = require_peer("check-jsonschema")
    (tmp_path / "ci.yml").write_text(text)
    ended = run_program(checker, "--builtin-schema", "vendor.gitlab-ci", "ci.yml", cwd=tmp_path)
    assert ended.code == 0, ended.out


def test_no_input_stands_in_the_script() -> None:
    (made,) = yaml.safe_load(BODY).values()
    assert "$[[" not in json.dumps(made["script"])
    assert all(one["expand"] is False for one in made["variables"].values())
    assert set(re.findall(r"inputs\.(\w+)", BODY)) == set(INPUTS)


def test_two_roots_are_two_jobs() -> None:
    """GitLab takes the last of two jobs of one name."""
    assert list(yaml.safe_load(BODY)) == ["$[[ inputs.name ]]-$[[ inputs.command ]]"]


def test_no_index_says_what_is_installed() -> None:
    """Under the name connform it may have a stranger's package."""
    assert "default" not in INPUTS["package"]


def test_it_installs_from_the_address_of_a_repository_and_reads_no_file_of_the_checkout(
    folder: Path, image: Path, offline_pip: Mapping[str, str], project: Path
) -> None:
    (folder / "connections.yaml").write_text(GOOD)
    for name in ("pip", "connform"):
        (folder / f"{name}.py").write_text(f"open({str(folder / 'ran')!r}, 'w')")
    (folder / "setup.cfg").write_text("[install]\nprefix = .\n")
    commit = git(project, "rev-parse", "HEAD").out.strip()
    ended = run(job(package=f"git+file://{project}@{commit}"), folder, image, offline_pip)
    assert ended.code == 0, ended.err
    assert not (folder / "ran").exists()


def test_a_package_is_no_option(folder: Path, image: Path, offline_pip: Mapping[str, str]) -> None:
    ended = run(job(package="--target=planted"), folder, image, offline_pip)
    assert ended.code != 0
    assert "--target=planted" in ended.err


def test_a_bad_manifest_fails_the_job_and_leaves_both_reports(
    folder: Path, image: Path, offline_pip: Mapping[str, str], package: str
) -> None:
    (folder / "good one.yaml").write_text(GOOD)
    (folder / "bad.yaml").write_text(BAD)
    made = job(package=package, paths="good one.yaml\nbad.yaml\n", args="--no-color")
    ended = run(made, folder, image, offline_pip)
    assert ended.code == 1, ended.err
    assert "bad.yaml:5:13: error[unknown-region]" in ended.out
    reports = {kind: (folder / name).read_text() for kind, name in made["artifacts"]["reports"].items()}
    assert [one["check_name"] for one in json.loads(reports["codequality"])] == ["unknown-region"]
    assert "unknown-region" in reports["junit"]


def test_a_good_manifest_passes_the_job(
    folder: Path, image: Path, offline_pip: Mapping[str, str], package: str
) -> None:
    (folder / "connections.yaml").write_text(GOOD)
    ended = run(job(package=package), folder, image, offline_pip)
    assert (ended.code, ended.out) == (0, "1 connection in 1 file: no errors\n"), ended.err


@pytest.mark.parametrize("text", ["$(touch planted)", '"; touch planted; "', "PATHS\ntouch planted"])
def test_an_input_is_never_run(
    folder: Path, image: Path, offline_pip: Mapping[str, str], package: str, text: str
) -> None:
    reports = [folder / "gl-code-quality-report.json", folder / "connform.junit.xml"]
    for file in reports:
        file.write_text("of another run")
    assert run(job(package=package, paths=text, args=text), folder, image, offline_pip).code != 0
    assert not [file for file in reports if file.exists() and file.read_text() == "of another run"]
    assert not [*folder.parent.rglob("planted")]
