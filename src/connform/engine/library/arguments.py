"""What the public functions take for manifests, names and tags. Layer 3, no IO."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TypeAlias

from connform.engine.load.selection import Selection

Files: TypeAlias = "str | os.PathLike[str] | Iterable[str | os.PathLike[str]]"
"""One manifest or folder, or several. Empty: `connections.yaml`, or else the folder `connections/`, here or in the nearest folder above."""
Names: TypeAlias = "str | Iterable[str]"
"""One text, or several."""


def file_names(files: Files) -> list[str]:
    """Return the names of files as the engine takes them."""
    if isinstance(files, str | os.PathLike):
        files = [files]
    return [os.fspath(name) for name in files]


def selection(connections: Names, exclude: Names, tags: Names) -> Selection:
    """Return the selection of connections by names or globs, those to leave out, and tags."""
    return Selection(_texts(connections), _texts(exclude), _texts(tags))


def _texts(names: Names) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(names)
