"""The section `git` of `doctor`: the program, the repository around the manifest, its depth. Layer 3; runs git."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from connform.engine.doctor.finding import good, note
from connform.engine.doctor.situation import Situation
from connform.engine.load.git_output import git_output
from connform.engine.load.manifest import folders_of
from connform.engine.report_parts import DoctorFinding
from connform.environment import variable
from connform.manifest.repository import repository_of
from connform.programs import find_program


def look(situation: Situation) -> Iterator[DoctorFinding]:
    """Yield the findings: notes, since only `--changed-since` and some checks of a plan need git."""
    git = find_program("git", variable("PATH"))
    if git:
        yield good("git", git)
    else:
        yield note("git", "not found on PATH", "install git: `--changed-since` needs it")
    files = [file for file in situation.validated.files if not file.startswith("<")]
    root = next(filter(None, map(repository_of, folders_of(files))), None)
    if root is None:
        yield note("repository", f"{folders_of(files)[0]} is in no Git repository", "`--changed-since` needs one")
    elif git:
        yield _depth(root)


def _depth(root: Path) -> DoctorFinding:
    answer = git_output(root, "rev-parse", "--is-shallow-repository")
    if answer is None:
        return note("repository", f"git can't read {root}", f"see what `git -C {root} status` says")
    if answer.strip() == b"true":
        hint = "`--changed-since` needs the commit it names: `git fetch --unshallow`, or `fetch-depth: 0` of actions/checkout"
        return note("repository", f"{root} is a shallow clone", hint)
    return good("repository", str(root))
