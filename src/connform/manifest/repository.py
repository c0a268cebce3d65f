"""The Git repository of a folder, and whether a path leads out of it. Layer 1; looks for `.git`."""

from __future__ import annotations

import os
from pathlib import Path

from connform.manifest.links import repository_root


def repository_of(folder: Path) -> Path | None:
    """Return the root of the repository around a folder; `None` if there is none."""
    root = repository_root(str(folder.absolute()))
    return Path(root) if root else None


def leaves_repository(folder: str, path: str) -> bool:
    """Whether a path relative to a folder leads out of the folder's repository; false if there is none."""
    root = repository_of(Path(folder))
    return root is not None and not Path(os.path.normpath(Path(folder).absolute() / path)).is_relative_to(root)
