"""The composite action: it fits the official schema, and its scripts do what they say in the shell that GitHub runs."""

from __future__ import annotations

import json
import os
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.ci.conftest import BAD, EXTRA, GOOD, INSTALLED, ROOT, closure
from tests.ci.github_runner import ACTION, INSTALL, STEP, fill_in
from tests.conftest import require_library, require_peer
from tests.end_to_end.running import Run, run_program

pytestmark = pytest.mark.timeout(110)  # pip builds and installs

IMPORTED = {
    *sys.stdlib_module_names,
    *("sitecustomize", "usercustomize", "pip", "setuptools", "wheel", "pkg_resources", "_distutils_hack", "connform"),
    *("click", "yaml", "httpx", "httpcore", "anyio", "sniffio", "jsonschema", "cryptography", "hatchling", "packaging"),
    *("pathspec", "pluggy", "trove_classifiers", "hatch_build", "backend", "tomli", "_in_process", "pyproject_hooks"),
}
"""What Python, pip and the build of a wheel import, and what they might."""
PROGRAMS = ("python3", "python", "pip3", "git", "uname", "cat")
CONFIGURATION = {
    "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n',
    "setup.cfg": "[install]\ninstall_lib = /nonexistent\n[global]\ncommand_packages = backend\n",
    "pip.conf": "[global]\nindex-url = https://127.0.0.1:1/\n[install]\nuser = yes\n",
    "pip.ini": "[global]\nindex-url = https://127.0.0.1:1/\n",
    "pyvenv.cfg": "home = .\ninclude-system-site-packages = true\n",
    "constraints.txt": "click==1.0\n",
    "requirements.txt": "connform==999\n",
    "python311._pth": ".\nimport site\n",
    "evil-1.dist-info/METADATA": "Metadata-Version: 2.1\nName: evil\nVersion: 1\n",
    "evil-1.dist-info/entry_points.txt": (
        "[connform.providers]\niinked-sign = backend:x\n[connform.secrets]\nenv = backend:x\nvault9 = backend:x\n"
    ),
}
"""What tools read in the folder of a project."""


OURS = "acme/connections"


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
    """Uses the action in a workflow, where it is installed."""

    def __call__(self, **inputs: str) -> Step:
        """Return how its step ended; an input's hyphens are underscores here."""


class Runner:
    """A machine of GitHub with a hostile checkout, in which the action was installed."""

    def __init__(self, folder: Path, project: Path, offline_pip: Mapping[str, str]) -> None:
        self.temp = folder / "temp"
        self.marker = folder / "ran"
        self.checkout = folder / "checkout"
        newer = folder / "newer"
        for made in (self.temp, self.checkout / "deploy", newer):
            made.mkdir(parents=True)
        for place in (self.checkout, self.checkout / "deploy"):
            plant(place, self.marker)
        for name in ("click", "hatchling"):
            publish(newer, name)
        self.variables: dict[str, str] = {}
        """Of the workflow."""
        self._script = folder / "step.sh"
        self._environment = {
            **offline_pip,
            "PIP_FIND_LINKS": f"{offline_pip['PIP_FIND_LINKS']} {newer}",
            "GITHUB_ACTION_PATH": str(project),
            "RUNNER_TEMP": str(self.temp),
            "PATH": os.pathsep.join(["", ".", os.path.dirname(sys.executable), os.environ["PATH"]]),
            "PYTHONPATH": ".",
        }
        self.installed = self.install(extras="postgres")

    def install(self, **inputs: str) -> Run:
        """Run the step that installs the action."""
        return self.run({**INSTALL, "env": filled_in(INSTALL["env"], inputs)}, self.checkout, {})

    def run(self, step: Mapping[str, Any], folder: Path, variables: Mapping[str, str]) -> Run:
        """Run the script of a step as GitHub does."""
        self._script.write_text(step["run"])
        shell = (require_peer("bash"), "--noprofile", "--norc", "-eo", "pipefail", self._script)
        return run_program(*shell, cwd=folder, env={**self._environment, **self.variables, **step["env"], **variables})

    def ran(self) -> list[str]:
        """Return what of the checkout has been run until now."""
        return sorted(set(self.marker.read_text().splitlines())) if self.marker.exists() else []


def plant(folder: Path, marker: Path) -> None:
    """Write what could be imported, started or read by mistake; all that is run leaves its name."""
    text = f"open({str(marker)!r}, 'a').write(__file__ + '\\n')\n"
    for name in IMPORTED:
        (folder / f"{name}.py").write_text(text)
        (folder / name).mkdir()
        for file in ("__init__.py", "__main__.py"):
            (folder / name / file).write_text(text)
    for name in PROGRAMS:
        (folder / name).write_text(f"#!/bin/sh\necho {folder / name} >>{marker}\n")
        (folder / name).chmod(0o755)
    for name, content in CONFIGURATION.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(content)


def publish(folder: Path, name: str) -> None:
    """Write the wheel of a version that is newer than all, and empty."""
    info = f"{name}-999.dist-info"
    with ZipFile(folder / f"{name}-999-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 999\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", f"{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")


@pytest.fixture(scope="module")
def runner(project: Path, offline_pip: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> Runner:
    return Runner(tmp_path_factory.mktemp("runner"), project, offline_pip)


@pytest.fixture
def use(runner: Runner, tmp_path: Path) -> Iterator[Use]:
    assert runner.installed.code == 0, runner.installed.err
    (tmp_path / "workspace").mkdir()
    yield lambda **inputs: use_in(runner, tmp_path / "workspace", tmp_path, inputs)
    assert runner.ran() == []


def use_in(runner: Runner, workspace: Path, folder: Path, inputs: Mapping[str, str], head: str = OURS) -> Step:
    output, summary = folder / "output", folder / "summary.md"
    for file in (output, summary):
        file.write_text("")
    github = {"GITHUB_OUTPUT": output, "GITHUB_STEP_SUMMARY": summary, "GITHUB_WORKSPACE": workspace}
    known = {"GITHUB_EVENT_NAME": "pull_request", "GITHUB_REPOSITORY": OURS}
    known |= {name: str(path) for name, path in github.items()}
    cwd = workspace / inputs.get("working_directory", ".")
    ended = runner.run({**STEP, "env": filled_in(STEP["env"], inputs, head)}, cwd, known)
    outputs = dict(line.split("=", 1) for line in output.read_text().splitlines())
    return Step(ended.code, ended.out + ended.err, outputs, summary.read_text())


def filled_in(variables: Mapping[str, str], inputs: Mapping[str, str], head: str = OURS) -> dict[str, str]:
    """Return the variables of a step, for a pull request from the repository `head`."""
    given = {name: one["default"] for name, one in ACTION["inputs"].items()}
    given |= {name.replace("_", "-"): value for name, value in inputs.items()}
    event = {"pull_request": {"head": {"repo": {"full_name": head} if head else None}}}
    context = {"inputs": given, "github": {"event": event}}
    return {name: fill_in(value, context) for name, value in variables.items()}


def test_it_fits_the_official_schema() -> None:
    checker = require_peer("check-jsonschema")
    ended = run_program(checker, "--builtin-schema", "vendor.github-actions", "action.yml", cwd=ROOT)
    assert ended.code == 0, ended.out


def test_no_expression_stands_in_a_script() -> None:
    """What is inserted into a script is run by it (docs.github.com, security hardening: script injections)."""
    assert "${{" not in f"{INSTALL['run']}{STEP['run']}"
    assert set(re.findall(r"inputs\.([a-z-]+)", json.dumps([INSTALL, STEP]))) == set(ACTION["inputs"])


def test_installing_it_runs_nothing_of_the_checkout(runner: Runner) -> None:
    assert runner.ran() == []
    assert (runner.installed.code, runner.installed.out) == (0, ""), runner.installed.err


@pytest.mark.parametrize("folder", [".", "deploy"])
@pytest.mark.parametrize(("command", "code"), [("validate", 0), ("check", 5)])
def test_using_it_runs_nothing_of_the_checkout(
    runner: Runner, tmp_path: Path, command: str, code: int, folder: str
) -> None:
    (runner.checkout / folder / "connections.yaml").write_text(GOOD)
    step = use_in(runner, runner.checkout, tmp_path, {"command": command, "working_directory": folder})
    assert runner.ran() == []
    assert (step.code, step.outputs["exit-code"]) == (code, str(code)), step.log


def test_it_installs_the_versions_of_its_constraints(runner: Runner) -> None:
    """Newer ones are at hand, of what it needs and of what builds it."""
    listed = run_program(runner.temp / "connform/bin/python", "-I", "-m", "pip", "list", "--format=freeze", cwd=ROOT)
    assert not re.findall("==999", listed.out)
    assert "connform==" in listed.out


def test_the_constraints_name_everything_that_it_installs() -> None:
    require_library("hatchling")
    named = re.findall(r"(?m)^([\w.-]+)==", (ROOT / "constraints.txt").read_text("utf-8"))
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    wanted = {Requirement(one).name for extra in extras.values() for one in extra}
    needed = {one.name for one in closure(*INSTALLED, *EXTRA, *wanted)}
    assert {*map(canonicalize_name, needed)} <= {*map(canonicalize_name, named)}


def test_a_good_manifest(use: Use, tmp_path: Path) -> None:
    (tmp_path / "workspace" / "connections.yaml").write_text(GOOD)
    step = use()
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


def test_each_use_has_a_report_of_its_own_and_wrong_usage_none(use: Use, tmp_path: Path) -> None:
    """For a job that looks at several roots: no report replaces another's, none is that of an earlier use."""
    for name, text in (("a", BAD), ("b", GOOD)):
        (tmp_path / "workspace" / name).mkdir()
        (tmp_path / "workspace" / name / "connections.yaml").write_text(text)
    first, second, third = use(working_directory="a"), use(working_directory="b"), use(args="--no-such-flag")
    assert (len(first.results), second.results) == (1, [])
    assert (third.code, third.outputs) == (64, {"exit-code": "64"})
    assert "automationDetails" not in Path(first.outputs["sarif"]).read_text()  # it would outdo upload-sarif's category


def test_a_plan_is_saved_then_applied_and_nothing_else(use: Use, tmp_path: Path) -> None:
    folder = tmp_path / "workspace"
    (folder / "connections.yaml").write_text(GOOD)
    planned = use(command="plan", plan_file="plan.json", state=f"sqlite://{tmp_path}/state")
    assert (planned.code, planned.outputs["has-changes"], planned.outputs["exit-code"]) == (0, "true", "0")
    assert planned.outputs["plan"] == str(folder / "plan.json")
    digest = json.loads((folder / "plan.json").read_bytes())["digest"]
    assert "| create | `sandbox-us` |" in Path(planned.outputs["markdown"]).read_text()
    assert digest in planned.summary
    refused = use(command="apply", plan_file="plan.json", expect_digest="sha256:0")
    assert (refused.code, refused.outputs) == (7, {"exit-code": "7"})
    assert (
        f"::error title=connform apply::error: the plan is not the one that was expected: its digest is {digest}"
        in (refused.log)
    )
    applied = use(command="apply", plan_file="plan.json", expect_digest=digest, shard="1/1", state_key="env://KEY")
    assert (applied.code, "ACME_KEY" in applied.log) == (5, True), "it came as far as the secret"
    assert "has-changes" not in applied.outputs


def test_a_plan_of_a_wrong_manifest_is_none(use: Use, tmp_path: Path) -> None:
    (tmp_path / "workspace" / "connections.yaml").write_text(BAD)
    (tmp_path / "workspace" / "plan.json").write_text("of the checkout")
    step = use(command="plan", plan_file="plan.json")
    assert (step.code, set(step.outputs)) == (1, {"exit-code", "sarif", "markdown"})


def test_the_variables_of_a_workflow_hold_where_an_input_says_nothing(use: Use, tmp_path: Path, runner: Runner) -> None:
    (tmp_path / "workspace" / "connections.yaml").write_text(GOOD)
    (tmp_path / "owner.yaml").write_text(
        "version: 1\npolicies:\n  owner-missing: {message: an owner is missing, schema: {required: [owner]}}\n"
    )
    runner.variables = {"CONNFORM_POLICY": str(tmp_path / "owner.yaml")}
    try:
        assert [result["ruleId"] for result in use().results] == ["owner-missing"]
    finally:
        runner.variables = {}


@pytest.mark.parametrize(
    ("inputs", "is_refused"),
    [
        ({"command": "validate"}, False),
        ({"command": "plan"}, False),
        ({"command": "check", "args": "--quiet\n--simulate"}, False),
        ({"command": "check"}, True),
        ({"command": "apply", "args": "--yes"}, True),
        ({"command": "plan", "args": "--quiet\n--refresh"}, True),
    ],
    ids=lambda value: "-".join(value.values()).replace("\n", "") if isinstance(value, dict) else "",
)
@pytest.mark.parametrize("head", ["stranger/connections", ""], ids=["fork", "deleted fork"])
def test_a_pull_request_of_another_repository_gets_no_secret(
    runner: Runner, tmp_path: Path, inputs: dict[str, str], is_refused: bool, head: str
) -> None:
    """Whatever the event: `pull_request_target` has the secrets."""
    python = tmp_path / "connform" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to("/bin/true")
    runner.variables = {"RUNNER_TEMP": str(tmp_path)}
    try:
        theirs, ours = use_in(runner, tmp_path, tmp_path, inputs, head), use_in(runner, tmp_path, tmp_path, inputs)
    finally:
        runner.variables = {}
    assert (theirs.code, "comes from another repository" in theirs.log) == ((64, True) if is_refused else (0, False))
    assert (ours.code, ours.log) == (0, "")


def test_it_installs_the_extras_that_are_wanted(runner: Runner) -> None:
    import_both = (runner.temp / "connform/bin/python", "-I", "-c", "import connform, psycopg")
    assert run_program(*import_both, cwd=ROOT).code == 0


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"extras": "postgres]; touch planted"}, "the input 'extras' is a list of names"),
        ({"extras": "aws --target=planted"}, "the input 'extras' is a list of names"),
        ({"python": "python2.0"}, "the input 'python' must lead to Python 3.11 or newer"),
        ({"python": "sh -c 'touch planted'"}, "the input 'python' must lead to Python 3.11 or newer"),
    ],
    ids=["no name", "an option", "no Python", "a command"],
)
def test_other_extras_and_programs_are_refused(runner: Runner, inputs: dict[str, str], said: str) -> None:
    refused = runner.install(**inputs)
    assert (refused.code, said in refused.out) == (64, True)
    assert not [*runner.checkout.rglob("planted")]


@pytest.mark.parametrize("command", ["fmt", "validate --fix", "validate; touch planted", ""])
def test_other_commands_are_refused(use: Use, tmp_path: Path, command: str) -> None:
    step = use(command=command)
    assert (step.code, step.outputs) == (64, {})
    assert not list(tmp_path.rglob("planted"))


@pytest.mark.parametrize("text", ["$(touch planted)", "`touch planted`", '"; touch planted; "', "a\ntouch planted"])
def test_an_input_is_never_run(use: Use, tmp_path: Path, runner: Runner, text: str) -> None:
    assert use(**dict.fromkeys(("paths", "policy", "format", "args"), text)).code != 0
    assert not [*tmp_path.rglob("planted"), *runner.temp.rglob("planted")]
