"""The manifests to validate when a given file changed, for pre-commit hooks. Layer 3; looks for files."""

# ruff: noqa: PTH110, PTH118, PTH119, PTH120  (paths are text wherever manifests are read)

from __future__ import annotations

import os
from collections.abc import Sequence

from connform.engine.load.policy_folders import FOLDER as POLICIES
from connform.engine.load.policy_folders import MANIFESTS


def manifests_for(file: str) -> Sequence[str]:
    """Return the files and folders to validate, each in a run of its own, because a file changed.

    The manifests of a folder `connections` are validated together; every other manifest alone. For a policy, these are the
    manifests beside its folder, if there are any.
    """
    folder = os.path.dirname(file)
    if os.path.basename(folder) == MANIFESTS:
        return [folder]
    if os.path.basename(folder) != POLICIES:
        return [file]
    parent = os.path.dirname(folder)
    manifests = [os.path.join(parent, name) for name in (f"{MANIFESTS}.yaml", f"{MANIFESTS}.yml", MANIFESTS)]
    parent_as_manifests = [parent] if os.path.basename(parent) == MANIFESTS else []
    return parent_as_manifests + [path for path in manifests if os.path.exists(path)]
