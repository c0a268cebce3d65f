"""What GitLab does with a CI file: includes with inputs, overrides of jobs, rules, variables; scripts run in a real shell."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.ci.conftest import ROOT
from tests.end_to_end.running import Run, run_program

HEAD, BODY = (ROOT / "templates" / "connform.yml").read_text("utf-8").split("\n---\n")
INPUTS = yaml.safe_load(HEAD)["spec"]["inputs"]
_TOKEN = re.compile(r'"(?P<text>[^"]*)"|\$(?P<name>\w+)|(?P<sign>&&)')


def job(**inputs: Any) -> dict[str, Any]:
    """Return the job that the template makes, by its name; an input's hyphens are underscores here."""
    given = {name.replace("_", "-"): value for name, value in inputs.items()}
    given = {**{name: one["default"] for name, one in INPUTS.items() if "default" in one}, **given}
    assert set(given) == set(INPUTS), "an input without default is demanded"

    def insert(value: Any) -> Any:
        if isinstance(value, dict):
            return {insert(key): insert(item) for key, item in value.items()}
        if isinstance(value, list):
            return [insert(item) for item in value]
        if not isinstance(value, str):
            return value
        return re.sub(r"\$\[\[ inputs\.([\w-]+) \]\]", lambda match: _text(given[match[1]]), value)

    return dict(insert(yaml.safe_load(BODY)))


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def pipeline(file: Path) -> dict[str, Any]:
    """Return the jobs of a CI file by name: those of its includes, with what the file says of them."""
    content = yaml.safe_load(file.read_text("utf-8"))
    jobs: dict[str, Any] = {}
    for one in content.pop("include"):
        (named,) = job(**one["inputs"]).items()
        assert named[0] not in jobs
        jobs |= [named]
    for name, said in content.items():
        if name not in {"stages", "variables"}:
            jobs[name] = _merged(jobs.get(name, {}), said)
    return jobs


def _merged(ours: Any, theirs: Any) -> Any:
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return {key: _merged(ours.get(key), theirs.get(key)) for key in {**ours, **theirs}}
    return ours if theirs is None else theirs


def chosen(jobs: Mapping[str, Any], variables: Mapping[str, str]) -> set[str]:
    """Return the names of the jobs that a pipeline with these variables has."""

    def holds(rule: Mapping[str, Any]) -> bool:
        def translate(found: re.Match[str]) -> str:
            if found["sign"]:
                return " and "
            return repr(found["text"] if found["name"] is None else variables.get(found["name"], ""))

        return bool(eval(_TOKEN.sub(translate, rule["if"]), {"__builtins__": {}}))

    return {name for name, one in jobs.items() if any(map(holds, one["rules"]))}


@dataclass
class Shell:
    """Runs the scripts of jobs."""

    path: str
    """Where programs are looked for."""
    variables: Mapping[str, str]
    """Of the project and of the runner."""

    def run(self, made: Mapping[str, Any], folder: Path, variables: Mapping[str, str] | None = None) -> Run:
        """Run a job's script in its checkout."""
        known = {**self.variables, **(variables or {})}
        own = {}
        for name, one in made.get("variables", {}).items():
            is_text = isinstance(one, dict) and one.get("expand") is False
            own[name] = one["value"] if is_text else re.sub(r"\$(\w+)", lambda match: known.get(match[1], ""), str(one))
        script = "\n".join(made["script"])
        return run_program("sh", "-e", "-c", script, cwd=folder, env={**own, **known, "PATH": self.path})
