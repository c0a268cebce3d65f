"""What GitHub does with a workflow: expressions, jobs with their needs and matrices, artifacts; its steps run in real shells."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from os.path import commonpath
from pathlib import Path
from typing import Any

import yaml

from tests.ci.conftest import ROOT, git
from tests.conftest import require_peer
from tests.end_to_end.running import AS_INSTALLED, run_program

ACTION = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
INSTALL, STEP = ACTION["runs"]["steps"]
_TOKEN = re.compile(r"'(?P<text>[^']*)'|(?P<call>\w+)\(\)|(?P<name>[a-z]\w*(?:\.[\w-]+)+)|(?P<sign>&&|\|\||!(?!=))")
_SIGNS = {"&&": " and ", "||": " or ", "!": " not "}
Context = Mapping[str, Any]


def evaluate(expression: str, context: Context, *, has_failed: bool = False) -> Any:
    """Return the value of an expression, without its `${{ }}`; what isn't there is empty."""
    calls = {"always": True, "failure": has_failed}

    def translate(found: re.Match[str]) -> str:
        if found["sign"]:
            return _SIGNS[found["sign"]]
        if found["call"]:
            return repr(calls[found["call"]])
        return repr(found["text"] if found["name"] is None else _look_up(found["name"], context))

    return eval(_TOKEN.sub(translate, expression), {"__builtins__": {}})


def _look_up(name: str, context: Context) -> Any:
    value: Any = context
    for key in name.split("."):
        value = value.get(key, "") if isinstance(value, Mapping) else ""
    return value


def fill_in(text: str, context: Context) -> str:
    """Return a text with the values of its expressions."""
    return re.sub(r"\$\{\{ (.*?) \}\}", lambda found: str(evaluate(found[1], context)), text)


def runs(condition: str, context: Context, *, has_failed: bool) -> bool:
    """Return whether a step or a job with a condition runs: without a function of the status, only after successes."""
    if has_failed and not re.search(r"always\(\)|failure\(\)", condition):
        return False
    return bool(evaluate(condition, context, has_failed=has_failed)) if condition else True


@dataclass
class Ended:
    """How a job ended; of a matrix, all of its jobs."""

    result: str
    outputs: dict[str, str] = field(default_factory=dict)
    log: str = ""
    summary: str = ""


def _together(done: Sequence[Ended]) -> Ended:
    return Ended(
        "failure" if any(one.result == "failure" for one in done) else "success",
        {key: value for one in done for key, value in one.outputs.items()},
        "".join(one.log for one in done),
        "".join(one.summary for one in done),
    )


@dataclass
class Runner:
    """Runs workflows of one repository; Python and the programs of this test stand for what a runner brings along."""

    folder: Path
    origin: Path
    secrets: Mapping[str, str]
    variables: Mapping[str, str] = field(default_factory=dict)
    """Of every step."""
    artifacts: dict[int, dict[str, Path]] = field(default_factory=dict)
    """By run and name: the folder."""
    _numbers: Any = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        installed = self.folder / "temp" / "connform" / "bin"
        installed.mkdir(parents=True)
        python = installed / "python"  # what the action's first step installs
        python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
        python.chmod(0o755)

    def run(
        self,
        workflow: Path,
        github: Context,
        *jobs: str,
        inputs: Mapping[str, str] | None = None,
        before: Mapping[str, Ended] | None = None,
        shards: Sequence[str] = (),
    ) -> dict[str, Ended]:
        """Run a workflow, or some of its jobs after those `before`, with other `shards`; return how its jobs ended."""
        number = next(self._numbers)
        self.artifacts[number] = dict(self.artifacts[number - 1]) if before else {}
        ended: dict[str, Ended] = dict(before or {})
        event = {**github, "repository": "acme/connections", "token": "synthetic-token", "run_id": str(number)}
        for name, job in yaml.safe_load(workflow.read_text("utf-8"))["jobs"].items():
            if jobs and name not in jobs:
                continue
            needed = job.get("needs", [])
            needs = {one: ended[one] for one in ([needed] if isinstance(needed, str) else needed)}
            context = {
                "github": event,
                "inputs": inputs or {},
                "secrets": self.secrets,
                "needs": {one: vars(how) for one, how in needs.items()},
            }
            has_failed = any(one.result == "failure" for one in needs.values())
            is_blocked = any(one.result == "skipped" for one in needs.values()) and "()" not in job.get("if", "")
            if is_blocked or not runs(job.get("if", ""), context, has_failed=has_failed):
                ended[name] = Ended("skipped")
                continue
            matrix = job.get("strategy", {}).get("matrix", {})
            cells = [{"shard": shard} for shard in (shards or matrix["shard"])] if matrix else [{}]
            run_one = partial(self._job, number, name, job)
            with ThreadPoolExecutor(len(cells)) as pool:
                ended[name] = _together(list(pool.map(run_one, [{**context, "matrix": cell} for cell in cells])))
        return ended

    def _job(self, run: int, name: str, job: Mapping[str, Any], context: dict[str, Any]) -> Ended:
        home = self.folder / f"{run}-{name}-{context['matrix'].get('shard', '').replace('/', '-')}"
        workspace, summary = home / "workspace", home / "summary.md"
        workspace.mkdir(parents=True)
        summary.touch()
        steps: dict[str, Any] = {}
        context["steps"] = steps
        has_failed, log = False, ""
        for index, step in enumerate(job["steps"]):
            if not runs(step.get("if", ""), context, has_failed=has_failed):
                continue
            output = home / f"output-{index}"
            output.touch()
            code, said = self._step(run, step, context, workspace, {"OUTPUT": output, "STEP_SUMMARY": summary})
            lines = output.read_text().splitlines()
            steps[step.get("id", f"step-{index}")] = {"outputs": dict(line.split("=", 1) for line in lines)}
            has_failed |= code != 0
            log += said
        outputs = {key: fill_in(value, context) for key, value in job.get("outputs", {}).items()}
        return Ended("failure" if has_failed else "success", outputs, log, summary.read_text())

    def _step(
        self, run: int, step: Mapping[str, Any], context: Context, workspace: Path, files: Mapping[str, Path]
    ) -> tuple[int, str]:
        given = {name: fill_in(str(value), context) for name, value in step.get("with", {}).items()}
        variables = {name: fill_in(str(value), context) for name, value in step.get("env", {}).items()}
        github = context["github"]
        of_github = {f"GITHUB_{name}": str(file) for name, file in files.items()} | {
            "GITHUB_EVENT_NAME": github["event_name"],
            "GITHUB_REPOSITORY": github["repository"],
            "GITHUB_SHA": github["sha"],
            "GITHUB_RUN_ID": github["run_id"],
            "GITHUB_WORKSPACE": str(workspace),
            "RUNNER_TEMP": str(self.folder / "temp"),
            "RUNNER_OS": "Linux",
        }
        used = step.get("uses", "").partition("@")[0]
        match used:
            case "actions/checkout":
                git(workspace, "clone", "--quiet", self.origin, ".")
                git(workspace, "fetch", "--quiet", "origin", github["sha"])
                git(workspace, "checkout", "--quiet", github["sha"])
            case "actions/upload-artifact":
                names = [re.sub(r" #.*", "", line).strip() for line in given["path"].splitlines()]
                paths = [workspace / name for name in names if name and (workspace / name).exists()]
                assert paths, f"no file of {names}"
                top = Path(commonpath([path.parent for path in paths]))
                kept = self.folder / f"artifact-{run}-{given['name']}"
                for path in paths:
                    (kept / path.relative_to(top)).parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy(path, kept / path.relative_to(top))
                self.artifacts[run][given["name"]] = kept
            case "actions/download-artifact":
                shutil.copytree(self.artifacts[run][given["name"]], workspace, dirs_exist_ok=True)
            case "acme/connform" | "":
                script, own = step.get("run", ""), variables
                if used:
                    assert set(given) <= set(ACTION["inputs"])
                    inputs = {name: one["default"] for name, one in ACTION["inputs"].items()} | given
                    script = STEP["run"]
                    inside = {**context, "inputs": inputs}
                    own = variables | {name: fill_in(value, inside) for name, value in STEP["env"].items()}
                bash = (require_peer("bash"), "--noprofile", "--norc", "-e", *(("-o", "pipefail") if used else ()))
                programs = f"{self.folder / 'programs'}:{Path(sys.executable).parent}:/usr/bin:/bin"
                environment = {**AS_INSTALLED, **self.variables, "PATH": programs, **of_github, **own}
                ended = run_program(*bash, "-c", script, cwd=workspace, env=environment)
                return ended.code, ended.out + ended.err
            case _:
                assert used in {"actions/setup-python", "github/codeql-action/upload-sarif"}, used
        return 0, ""
