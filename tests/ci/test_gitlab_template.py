"""The GitLab CI template: both of its documents fit the official schema, and its script does what it says."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Mapping
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.ci.conftest import BAD, GOOD, git
from tests.ci.gitlab_runner import BODY, HEAD, INPUTS, Shell
from tests.ci.gitlab_runner import job as named_job
from tests.conftest import require_peer
from tests.end_to_end.running import COMMAND, Run, run_program

pytestmark = pytest.mark.timeout(110)  # pip builds and installs


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment that stands for the image of the job, with the pip of this one."""
    folder = tmp_path_factory.mktemp("image")
    assert run_program(sys.executable, "-m", "venv", "--without-pip", folder, cwd=folder).code == 0
    pip, packages = distribution("pip"), folder / f"lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
    for name in ("pip", f"pip-{pip.version}.dist-info"):
        (packages / name).symlink_to(str(pip.locate_file(name)))
    (folder / "bin" / "pip").write_text(
        f"#!{folder}/bin/python\nfrom pip._internal.cli.main import main\nraise SystemExit(main())\n"
    )
    (folder / "bin" / "pip").chmod(0o755)
    return folder


@pytest.fixture(scope="module")
def package(offline_pip: Mapping[str, str]) -> str:
    """The address of a wheel of this project."""
    (wheel,) = Path(offline_pip["PIP_FIND_LINKS"]).glob("connform-*.whl")
    return wheel.as_uri()


def job(**inputs: Any) -> dict[str, Any]:
    (made,) = named_job(**inputs).values()
    return dict(made)


def run(made: dict[str, Any], folder: Path, image: Path, offline_pip: Mapping[str, str], **variables: str) -> Run:
    path = os.pathsep.join([str(image / "bin"), os.environ["PATH"]])
    return Shell(path, {**offline_pip, "CI_PROJECT_ID": "5"}).run(made, folder, variables)


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
    assert all(one["expand"] is False for one in made["variables"].values() if one)
    assert set(re.findall(r"inputs\.([\w-]+)", BODY)) == set(INPUTS)


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


def test_a_bad_manifest_fails_the_job_and_leaves_both_reports(folder: Path, installed: str) -> None:
    (folder / "good one.yaml").write_text(GOOD)
    (folder / "bad.yaml").write_text(BAD)
    made = job(package="-", paths="good one.yaml\nbad.yaml\n", args="--no-color")
    ended = Shell(installed, {"CI_PROJECT_ID": "5"}).run(made, folder)
    assert ended.code == 1, ended.err
    assert "bad.yaml:5:13: error[unknown-region]" in ended.out
    reports = {kind: (folder / name).read_text() for kind, name in made["artifacts"]["reports"].items()}
    assert [one["check_name"] for one in json.loads(reports["codequality"])] == ["unknown-region"]
    assert "unknown-region" in reports["junit"]
    assert "unknown-region" in (folder / made["artifacts"]["paths"][0]).read_text()


def test_a_good_manifest_passes_the_job(
    folder: Path, image: Path, offline_pip: Mapping[str, str], package: str
) -> None:
    (folder / "connections.yaml").write_text(GOOD)
    ended = run(job(package=package), folder, image, offline_pip)
    assert (ended.code, ended.out) == (0, "1 connection in 1 file: no errors\n"), ended.err


@pytest.fixture
def installed(tmp_path: Path) -> str:
    """Where the programs of an image lie in which connform is installed already."""
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "connform").symlink_to(COMMAND)
    (programs / "pip").symlink_to("/bin/true")
    return os.pathsep.join([str(programs), os.environ["PATH"]])


def test_a_plan_of_a_wrong_manifest_is_none_and_a_shard_needs_its_number(folder: Path, installed: str) -> None:
    shell = Shell(installed, {"CI_PROJECT_ID": "5"})
    (folder / "connections.yaml").write_text(BAD)
    (folder / "plan.json").write_text("of the checkout")
    assert shell.run(job(package="-", command="plan"), folder).code == 1
    assert not (folder / "plan.json").exists()
    applied = shell.run(job(package="-", command="apply", shard=True), folder)
    assert (applied.code, "--shard" in applied.err) == (64, True), "without `parallel:`"


@pytest.mark.parametrize(
    ("inputs", "is_refused"),
    [
        ({"command": "plan"}, False),
        ({"command": "check", "args": "--simulate"}, False),
        ({"command": "check"}, True),
        ({"command": "apply"}, True),
        ({"command": "plan", "args": "--quiet\n--refresh"}, True),
    ],
    ids=["plan", "rehearsal", "check", "apply", "refresh"],
)
def test_a_merge_request_of_another_project_gets_no_secret(
    folder: Path, installed: str, inputs: dict[str, str], is_refused: bool
) -> None:
    (folder.parent / "programs" / "connform").unlink()
    (folder.parent / "programs" / "connform").symlink_to("/bin/true")
    for project, refuses in (("5", False), ("6", is_refused)):
        variables = {"CI_PROJECT_ID": "5", "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": project}
        ended = Shell(installed, variables).run(job(package="-", **inputs), folder)
        assert (ended.code, "comes from another project" in ended.err) == ((64, True) if refuses else (0, False))


@pytest.mark.parametrize("text", ["$(touch planted)", '"; touch planted; "', "PATHS\ntouch planted"])
def test_an_input_is_never_run(folder: Path, installed: str, text: str) -> None:
    reports = [folder / "gl-code-quality-report.json", folder / "connform.junit.xml"]
    for file in reports:
        file.write_text("of another run")
    made = job(package="-", paths=text, args=text)
    assert Shell(installed, {"CI_PROJECT_ID": "5"}).run(made, folder).code != 0
    assert not [file for file in reports if file.exists() and file.read_text() == "of another run"]
    assert not [*folder.parent.rglob("planted")]
