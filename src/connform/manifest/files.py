"""Loader of a run's manifests: the files and folders that `-f` names.

Layer 1; reads manifests. All files of a run are of one revision, even if a symbolic link is replaced during the reading.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TypeVar

from connform.diagnostics import Diagnostic
from connform.manifest.input_files import STDIN
from connform.manifest.reading import MAX_FILE_BYTES, ManifestReader, Source, is_manifest_name

__all__ = [
    "MAX_FILE_BYTES",
    "STDIN",
    "Source",
    "is_manifest_name",
    "load_sources",
    "read_one_revision",
    "searched_folders",
]


T = TypeVar("T")

_MAX_ATTEMPTS = 50
"""How often reading starts again because links have changed; a mount of Kubernetes changes once a minute."""


def load_sources(
    paths: Sequence[str], *, content: bool = True, folders: Sequence[str] = ()
) -> tuple[list[Source], list[Diagnostic]]:
    """Read every manifest that `paths` name, each once.

    Args:
        paths: files, folders (their `*.yaml` and `*.yml`), `-`; empty: `connections.yaml`, else `connections/`, of the
            working directory or of the nearest folder above it.
        content: whether the content is needed; otherwise, files are only opened.
        folders: further folders that links in them may not leave, unless they are in a repository. The same applies to
            the folders of `paths` or, without `paths`, to the folder of the manifest.

    Returns:
        The files in a stable order, and a diagnostic for each that can't be read.
    """
    descriptor_data: dict[str, bytes] = {}
    looks_left = _MAX_ATTEMPTS
    while True:
        if paths:
            reader = ManifestReader(descriptor_data, content=content, folders=folders)
            reader.read(paths)
        else:
            reader = _read_default(descriptor_data, folders, content=content)
        looks_left -= 1
        if not (reader.has_moved and looks_left):
            return reader.sources, reader.problems


def _read_default(descriptor_data: dict[str, bytes], folders: Sequence[str], *, content: bool) -> ManifestReader:
    """Return a reader that has read the manifest of a run that names none; arguments as for `load_sources`."""
    from connform.manifest.default_search import advice, default_manifest  # imported here for start-up

    default = default_manifest()
    reader = ManifestReader(descriptor_data, content=content, folders=[default.folder or os.curdir, *folders])
    if default.is_found:
        reader.read([default.path])
    else:
        reader.add_problem(default.path, "file-not-found", advice())
    return reader


def searched_folders(paths: Sequence[str]) -> list[str]:
    """Return the folders of `paths`, as for `load_sources`. All their manifests are read."""
    from connform.manifest.default_search import default_manifest  # as above

    return [name for name in paths or [default_manifest().path] if name != STDIN and os.path.isdir(name)]


def read_one_revision(path: str, read: Callable[[str], T]) -> T:
    """Return what `read` returns of a path; it is called again if a link in the path was replaced meanwhile."""
    looks_left = _MAX_ATTEMPTS
    while True:
        looks_left -= 1
        before = os.path.realpath(path)
        seen = read(path)
        if not looks_left or os.path.realpath(path) == before:
            return seen
