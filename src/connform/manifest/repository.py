"""Says whether a path leads out of the Git repository around a folder. Layer 1; looks for folders named `.git`."""

from __future__ import annotations

import os
from pathlib import Path


def leaves_repository(folder: str, path: str) -> bool:
    """Return whether a relative path, from a folder, ends outside of the folder's repository; never without one."""
    start = Path(folder).absolute()
    root = next((here for here in (start, *start.parents) if (here / ".git").exists()), None)
    return root is not None and not Path(os.path.normpath(start / path)).is_relative_to(root)
