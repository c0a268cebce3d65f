"""Paths of files in a repository, as the formats of CI systems name them.

Layer 5. IO: looks for `.git`, and reads variables of CI systems.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path


def roots() -> tuple[str, ...]:
    """Return the folders that paths may be relative to: those that a CI system names, then the nearest with `.git`, else this one.

    In a container or over SSH, a variable may name a folder of another machine: the first folder that holds a file counts.
    """
    from_ci = [os.environ[name] for name in ("GITHUB_WORKSPACE", "CI_PROJECT_DIR") if os.environ.get(name)]
    working_directory = Path.cwd()
    repository = next(
        (folder for folder in (working_directory, *working_directory.parents) if (folder / ".git").exists()),
        working_directory,
    )
    return tuple(map(os.path.realpath, (*from_ci, str(repository))))


def relative_to_roots(roots: Sequence[str], file: str) -> str:
    """Return a file's path relative to the first of `roots` that holds it, with slashes; else the absolute path."""
    if file in {"", "<stdin>"}:
        return file
    absolute = Path(os.path.realpath(file))
    relative = (absolute.relative_to(root) for root in roots if absolute.is_relative_to(root))
    return next(relative, absolute).as_posix()
