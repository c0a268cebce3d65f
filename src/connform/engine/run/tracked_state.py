"""The check that Git doesn't track a state folder. Layer 3; reads `.git`, runs git.

Whoever committed such a folder chose the grants in it, and knows its key.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from connform.database import folder_of
from connform.errors import ConnectionFailed
from connform.manifest.repository import repository_of
from connform.regular_files import read_regular

if TYPE_CHECKING:
    from pathlib import Path

_MAX_INDEX_BYTES: Final = 256 * 1024 * 1024
_WHOLE_NAMES: Final = {b"DIRC\0\0\0\2", b"DIRC\0\0\0\3"}
"""How an index begins that has the whole path of each file; in version 4 each is the difference to the one before."""


def require_untracked(url: str, folder: Path) -> None:
    """Make sure that git doesn't track a state's folder, or any file in it.

    Args:
        url: where state is kept; empty for `folder`.
        folder: the default.

    Raises:
        ConnectionFailed: `store_insecure`.
    """
    place = folder_of(url, folder)
    if place is None or not os.path.lexists(place):
        return
    place = place.parent.resolve() / place.name
    root = repository_of(place.parent)
    if root is not None and _may_be_tracked(root, place) and _is_tracked(root, place):
        message = f"{place} is tracked by Git: whoever committed it may know its key, and chose what it holds"
        hint = f"where it is yours: `git rm -r --cached {place.name}`, and list it in .gitignore; else name another place by --state"
        raise ConnectionFailed("store_insecure", message, hint)


def _may_be_tracked(root: Path, place: Path) -> bool:
    """Return whether the index of a repository holds the folder's name anywhere: few do, and git need not be asked."""
    try:
        git = root / ".git"
        if git.is_file():  # of a submodule, or made by `git worktree`
            git = root / os.fsdecode(read_regular(git, 64 * 1024)).removeprefix("gitdir:").strip()
        if next(git.glob("sharedindex.*"), None):
            return True
        index = read_regular(git / "index", _MAX_INDEX_BYTES)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return index[:8] not in _WHOLE_NAMES or os.fsencode(place.name).lower() in index.lower()


def _is_tracked(root: Path, place: Path) -> bool:
    """Return what git says; where there is none that can say it, what must be feared."""
    import subprocess  # with what follows, start-up that few runs need

    from connform.engine.load.git_objects import OPTIONS, VARIABLES
    from connform.environment import variable
    from connform.programs import find_program
    from connform.secrets.kit.command import ordinary_variables

    git = find_program("git", variable("PATH"))
    if not git:
        return True
    path = f":(top,literal,icase){place.relative_to(root).as_posix()}"
    asked = subprocess.run(  # noqa: S603  (the user's own git, which starts nothing for this)
        [
            git,
            *OPTIONS,
            "-c",
            "core.fsmonitor=false",
            f"--git-dir={root / '.git'}",
            f"--work-tree={root}",
            "ls-files",
            "-z",
            "--",
            path,
        ],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        cwd=root,
        env={**ordinary_variables(()), **VARIABLES, "GIT_OPTIONAL_LOCKS": "0"},
        check=False,
    )
    return bool(asked.returncode or asked.stdout)
