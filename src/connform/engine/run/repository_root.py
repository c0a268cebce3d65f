"""The root of the repository of a manifest, to which recorded paths are relative. Layer 3; looks for `.git`, follows links.

A checkout may have no `.git`: an archive, an image, a job whose container has no git. CI systems name its root in a variable.
"""

from __future__ import annotations

import os
from pathlib import Path

from connform.environment import variable
from connform.manifest.repository import repository_of

_VARIABLES = ("GITHUB_WORKSPACE", "CI_PROJECT_DIR")


_MOUNTED = "..data"
"""The link in a Kubernetes mount to the folder with its files; another content is another folder."""


def real(path: Path) -> Path:
    """Return a path with its links followed, except the one that Kubernetes replaces; it need not exist."""
    found = Path(os.path.realpath(path))
    for folder in found.parents:
        if folder.name.startswith("..") and Path(os.path.realpath(folder.parent / _MOUNTED)) == folder:
            return folder.parent / found.relative_to(folder)
    return found


def root_of(folder: Path, named: str) -> Path | None:
    """Return the root of the repository around a folder: with `.git`, else a named one, else the one that a CI system names.

    Args:
        folder: a folder, its links followed.
        named: what `--root` says; empty for nothing.

    Returns:
        `None` if none of them holds the folder.
    """
    candidates = [real(Path(root)) for root in (named, *map(variable, _VARIABLES)) if root]
    around = [root for root in candidates if folder == root or root in folder.parents]
    return repository_of(folder) or next(iter(around), None)
