"""The check that Git doesn't track a state folder. Layer 3; reads `.git`, runs git.

Whoever committed such a folder chose the grants in it, and knows its key.
"""

from __future__ import annotations

import os
from pathlib import Path

from connform.database import folder_of
from connform.engine.load.git_output import git_output
from connform.errors import ConnectionFailed
from connform.manifest.repository import repository_of
from connform.regular_files import read_regular

_MAX_INDEX_BYTES = 256 * 1024 * 1024
_WHOLE_NAMES = {b"DIRC\0\0\0\2", b"DIRC\0\0\0\3"}
"""The first bytes of an index of version 2 or 3, which has whole paths; version 4 has differences to the path before."""


def require_untracked(url: str, folder: Path) -> None:
    """Require that git tracks neither the folder of a state database nor a file in it.

    Args:
        url: the URL of the state database; empty for `folder`.
        folder: the default folder.

    Raises:
        ConnectionFailed: `store_insecure`, git tracks it.
    """
    state_folder = folder_of(url, folder)
    if state_folder is None or not os.path.lexists(state_folder):
        return
    state_folder = state_folder.parent.resolve() / state_folder.name
    root = repository_of(state_folder.parent)
    if root is not None and _may_be_tracked(root, state_folder) and _is_tracked(root, state_folder):
        message = f"{state_folder} is tracked by Git: whoever committed it may know its key, and chose what it holds"
        hint = f"where it is yours: `git rm -r --cached {state_folder.name}`, and list it in .gitignore; else name another place by --state"
        raise ConnectionFailed("store_insecure", message, hint)


def _may_be_tracked(root: Path, folder: Path) -> bool:
    """Whether the index of a repository contains the folder's name. Few do; for the others, git needn't run."""
    try:
        git = root / ".git"
        if git.is_file():  # in a submodule or a linked worktree
            git = root / os.fsdecode(read_regular(git, 64 * 1024)).removeprefix("gitdir:").strip()
        if next(git.glob("sharedindex.*"), None):
            return True
        index = read_regular(git / "index", _MAX_INDEX_BYTES)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return index[:8] not in _WHOLE_NAMES or os.fsencode(folder.name).lower() in index.lower()


def _is_tracked(root: Path, folder: Path) -> bool:
    """Whether git tracks the folder or a file in it; also true if git is missing or fails, to be on the safe side."""
    path = f":(top,literal,icase){folder.relative_to(root).as_posix()}"
    return git_output(root, "ls-files", "-z", "--", path) != b""
