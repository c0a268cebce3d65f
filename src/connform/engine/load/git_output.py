"""The output of a git command about a repository. Layer 3; runs the user's own git, which contacts nobody and starts nothing."""

from __future__ import annotations

from pathlib import Path


def git_output(root: Path, *argv: str) -> bytes | None:
    """Return what a command prints; `None` if git is missing or fails.

    Args:
        root: the root of the repository, with `.git`.
        argv: the command, one that runs no hook, filter or alias.
    """
    import subprocess  # imported here, with the following, because few runs need them

    from connform.engine.load.git_objects import OPTIONS, VARIABLES
    from connform.environment import variable
    from connform.programs import find_program
    from connform.secrets.kit.command import ordinary_variables

    git = find_program("git", variable("PATH"))
    if not git:
        return None
    where = ("-c", "core.fsmonitor=false", f"--git-dir={root / '.git'}", f"--work-tree={root}")
    result = subprocess.run(  # noqa: S603  (a list of arguments, and no shell)
        [git, *OPTIONS, *where, *argv],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        cwd=root,
        env={**ordinary_variables(()), **VARIABLES, "GIT_OPTIONAL_LOCKS": "0"},
        check=False,
    )
    return None if result.returncode else result.stdout
