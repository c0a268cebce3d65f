"""The composite action: it fits the official schema, and its script does what it says in the shell that GitHub runs."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

import pytest
import yaml

from connform import __version__
from tests.ci.conftest import BAD, GOOD, ROOT
from tests.conftest import require_peer
from tests.end_to_end.running import run_program

if TYPE_CHECKING:
    from collections.abc import Mapping

ACTION: Final = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
(STEP,) = ACTION["runs"]["steps"]


class Step(NamedTuple):
    """How the step ended."""

    code: int
    """Its exit code."""
    log: str
    """What it printed."""
    outputs: dict[str, str]
    """What it wrote to GITHUB_OUTPUT."""
    summary: str
    """What it wrote to GITHUB_STEP_SUMMARY."""

    @property
    def results(self) -> list[Any]:
        """The results of the SARIF file."""
        found: list[Any] = json.loads(Path(self.outputs["sarif"]).read_bytes())["runs"][0]["results"]
        return found


class Use(Protocol):
    """Uses the action in a workflow."""

    def __call__(self, **inputs: str) -> Step:
        """Return how its step ended; an input's hyphens are underscores here, and a wheel of this version is at hand."""


@pytest.fixture(scope="module")
def temp(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runner")


@pytest.fixture
def use(project: Path, offline_pip: Mapping[str, str], temp: Path, tmp_path: Path) -> Use:
    bash = require_peer("bash")
    script, output, summary = tmp_path / "step.sh", tmp_path / "output", tmp_path / "summary.md"
    workspace = tmp_path / "workspace"
    workspace.mkdir(exist_ok=True)

    def run(**inputs: str) -> Step:
        given = {name: one["default"] for name, one in ACTION["inputs"].items()}
        given |= {"version": __version__, **{name.replace("_", "-"): value for name, value in inputs.items()}}
        (temp / "connform.sarif").unlink(missing_ok=True)
        script.write_text(STEP["run"])
        for file in (output, summary):
            file.write_text("")
        github = {
            "GITHUB_ACTION_PATH": str(project),
            "GITHUB_OUTPUT": str(output),
            "GITHUB_STEP_SUMMARY": str(summary),
            "GITHUB_WORKSPACE": str(workspace),
            "RUNNER_TEMP": str(temp),
            "PATH": os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]]),
        }
        variables = {name: evaluate(value, given) for name, value in STEP["env"].items()}
        ended = run_program(
            *(bash, "--noprofile", "--norc", "-eo", "pipefail", script),
            cwd=workspace / evaluate(STEP["working-directory"], given),
            env={**offline_pip, **github, **variables},
        )
        outputs = dict(line.split("=", 1) for line in output.read_text().splitlines())
        return Step(ended.code, ended.out + ended.err, outputs, summary.read_text())

    return run


def evaluate(text: str, inputs: Mapping[str, str]) -> str:
    return re.sub(r"\$\{\{ inputs\.([a-z-]+) \}\}", lambda match: inputs[match[1]], text)


def test_it_fits_the_official_schema() -> None:
    checker = require_peer("check-jsonschema")
    ended = run_program(checker, "--builtin-schema", "vendor.github-actions", "action.yml", cwd=ROOT)
    assert ended.code == 0, ended.out


def test_no_expression_stands_in_a_script() -> None:
    """What is inserted into a script is run by it (docs.github.com, security hardening: script injections)."""
    assert "${{" not in STEP["run"]
    assert set(re.findall(r"inputs\.([a-z-]+)", json.dumps(STEP))) == set(ACTION["inputs"])


def test_a_good_manifest_and_the_version_of_the_action_itself(use: Use, tmp_path: Path) -> None:
    (tmp_path / "workspace" / "connections.yaml").write_text(GOOD)
    step = use(version="")
    assert (step.code, step.outputs["exit-code"], step.results) == (0, "0", [])
    assert "::error" not in step.log


def test_a_bad_manifest_is_annotated_and_fails_the_step(use: Use, tmp_path: Path) -> None:
    (tmp_path / "workspace" / "connections.yaml").write_text(BAD)
    step = use()
    assert (step.code, step.outputs["exit-code"]) == (1, "1")
    assert re.search(r"(?m)^::error .*file=connections\.yaml,line=5,", step.log)
    assert [result["ruleId"] for result in step.results] == ["unknown-region"]
    assert "unknown-region" in step.summary


def test_inputs_of_several_lines(use: Use, tmp_path: Path) -> None:
    folder = tmp_path / "workspace" / "deploy"
    folder.mkdir()
    (folder / "good one.yaml").write_text(GOOD)
    (folder / "bad.yaml").write_text(BAD)
    (folder / "owner.yaml").write_text(
        "version: 1\npolicies:\n  owner-missing: {message: an owner is missing, schema: {required: [owner]}}\n"
    )
    step = use(
        working_directory="deploy",
        paths="good one.yaml\nbad.yaml\n",
        policy="owner.yaml",
        format="junit=junit.xml\njson=report.json",
        args="--exclude=sandbox-ca\n",
    )
    assert (step.code, step.outputs["exit-code"]) == (1, "1")
    assert [result["ruleId"] for result in step.results] == ["owner-missing"]
    assert json.loads((folder / "report.json").read_bytes())["summary"]["errors"] == 1
    assert "owner-missing" in (folder / "junit.xml").read_text()
    assert "file=deploy/good one.yaml,line=3," in step.log


def test_the_exit_code_says_which_kind_of_failure(use: Use, tmp_path: Path) -> None:
    (tmp_path / "workspace" / "connections.yaml").write_text(GOOD)
    step = use(command="check")
    assert (step.code, step.outputs["exit-code"]) == (5, "5")
    assert "ACME_KEY" in step.log


def test_wrong_usage_leaves_no_report(use: Use) -> None:
    step = use(args="--no-such-flag")
    assert (step.code, step.outputs) == (64, {"exit-code": "64"})


@pytest.mark.parametrize("command", ["fmt", "validate --fix", "validate; touch planted", ""])
def test_other_commands_are_refused(use: Use, tmp_path: Path, command: str) -> None:
    step = use(command=command)
    assert (step.code, step.outputs) == (64, {})
    assert not list(tmp_path.rglob("planted"))


@pytest.mark.parametrize("names", [("version",), ("paths", "policy", "format", "args")], ids=" ".join)
@pytest.mark.parametrize("text", ["$(touch planted)", "`touch planted`", '"; touch planted; "', "a\ntouch planted"])
def test_an_input_is_never_run(use: Use, tmp_path: Path, temp: Path, names: tuple[str, ...], text: str) -> None:
    assert use(**dict.fromkeys(names, text)).code != 0
    assert not [*tmp_path.rglob("planted"), *temp.rglob("planted")]
