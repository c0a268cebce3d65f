"""Look-up of the Git repository that `--changed-since` compares with, and of paths in it.

Layer 3; looks for `.git`, follows links. A commit's name is meant in the repository of the working directory. That one is
used where it contains the path, also in a submodule; else the repository of the path itself.
"""

# ruff: noqa: PTH109, PTH118, PTH120  (paths are text wherever manifests are read)

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from connform.manifest.repository import repository_of

_SUBMODULE_PATH = re.compile(r"/modules/(?!.*/worktrees/[^/]+\s*$)")
"""Matches the path in a file `.git` of a submodule; that of a linked worktree ends in `worktrees/NAME`."""


def repository_for(path: str) -> Path | None:
    """Return the root of the repository in which a commit is looked up for a path; `None` for a path in no repository."""
    current = repository_of(Path(os.getcwd()))
    names = names_below(current, path) if current else None
    if current is None or names is None:
        return repository_of(Path(os.path.realpath(path)))
    root = current
    for folder in _folders(current, names):
        if (folder / ".git").exists() and not is_submodule(folder, root):
            root = folder  # an independent clone inside the working tree of another
    return root


def _folders(root: Path, names: Sequence[str]) -> Iterator[Path]:
    """Yield the folders of a path below a root, up to the first link or `..`."""
    folder = root
    for name in names:
        folder /= name
        if name == os.pardir or folder.is_symlink():
            return
        yield folder


def is_submodule(folder: Path, root: Path) -> bool:
    """Whether a repository inside the working tree of another is its submodule, and not a clone or a linked worktree."""
    try:
        if (folder / ".git").is_file() and _SUBMODULE_PATH.search((folder / ".git").read_text("utf-8", "replace")):
            return True
        declared = (root / ".gitmodules").read_text("utf-8", "replace")
    except OSError:
        return False
    path = re.escape(folder.relative_to(root).as_posix())
    return re.search(rf'(?m)^\s*path\s*=\s*"?{path}"?\s*$', declared) is not None


def names_below(root: Path, path: str) -> list[str] | None:
    """Return the parts of a path relative to a folder; `None` if the path is outside of the folder.

    Links above the folder are followed. Links inside of it are not: in a commit, they may lead elsewhere.
    """
    top, position = str(root), os.sep
    names: list[str] = []
    depth = 0
    for name in os.path.join(os.getcwd(), path).split("/"):
        if name in ("", os.curdir):
            continue
        if position == top and (name != os.pardir or depth):
            depth += -1 if name == os.pardir else 1
            names.append(name)
            continue
        position = os.path.dirname(position) if name == os.pardir else os.path.realpath(os.path.join(position, name))
        names, depth = [], 0
        if position.startswith(f"{top}/"):
            names = position[len(top) + 1 :].split("/")
            position, depth = top, len(names)
    return names if position == top else None
