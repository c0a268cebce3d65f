"""Loader of a run's manifests: the files and folders that `-f` names.

Layer 1; reads manifests. All files of a run are of one revision, even if a symbolic link is replaced during the reading.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, TypeVar

from connform.manifest.given import STDIN
from connform.manifest.reading import MAX_FILE_BYTES, ManifestReader, Source, is_manifest_name

__all__ = [
    "MAX_FILE_BYTES",
    "STDIN",
    "Source",
    "is_manifest_name",
    "load_sources",
    "of_one_revision",
    "searched_folders",
]

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from connform.diagnostics import Diagnostic

T = TypeVar("T")

_LOOKS: Final = 50
"""Revisions that may come and go while files are read; a mount of Kubernetes changes once a minute."""


def load_sources(
    paths: Sequence[str], *, content: bool = True, folders: Sequence[str] = ()
) -> tuple[list[Source], list[Diagnostic]]:
    """Read every manifest that `paths` name, each once.

    Args:
        paths: files, folders (their `*.yaml` and `*.yml`), `-`; empty: `connections.yaml`, else `connections/`.
        content: whether more matters than that each can be read.
        folders: what links in there may not leave, where they lie in no repository, besides the folders of `paths`, or
            else the working directory.

    Returns:
        The files in a stable order, and a diagnostic for each that can't be read.
    """
    given: dict[str, bytes] = {}
    around = folders if paths else [os.curdir, *folders]
    looks_left = _LOOKS
    while True:
        look = ManifestReader(given, content=content, folders=around)
        look.read(paths or _default())
        looks_left -= 1
        if not (look.has_moved and looks_left):
            return look.sources, look.problems


def searched_folders(paths: Sequence[str]) -> list[str]:
    """Return the folders that `paths`, as for `load_sources`, read as a whole: what isn't in them is nowhere."""
    return [name for name in paths or _default() if name != STDIN and os.path.isdir(name)]


def of_one_revision(place: str, look: Callable[[str], T]) -> T:
    """Return what is seen at a place, of one revision where a link that leads there is swapped meanwhile."""
    looks_left = _LOOKS
    while True:
        looks_left -= 1
        before = os.path.realpath(place)
        seen = look(place)
        if not looks_left or os.path.realpath(place) == before:
            return seen


def _default() -> list[str]:
    """Return where a run looks that names no file."""
    is_folder = not os.path.lexists("connections.yaml") and os.path.isdir("connections")
    return ["connections" if is_folder else "connections.yaml"]
