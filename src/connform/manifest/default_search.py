"""The search for the manifest of a run that names none: in the working directory, else in the nearest folder above it.

Layer 1; looks for files and for `.git`, and asks who owns them.
"""

import os
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from connform.manifest.links import repository_root

FILE, FOLDER = "connections.yaml", "connections"
_OTHER_NAMES = ("connections.yml", "connection.yaml", "connection.yml")
"""Names that a person may have meant."""
_STATE = ".connform"
_ENDINGS = (".yaml", ".yml")


class DefaultManifest(NamedTuple):
    """The manifest of a run that names none."""

    folder: str
    """The folder in which it lies, relative to the working directory: empty for that itself, `..`, `../..`."""
    path: str
    """Its path: a file, or a folder of files."""
    is_found: bool
    """Whether it exists; otherwise, the path is where it is missed."""


def default_manifest() -> DefaultManifest:
    """Return `connections.yaml` or `connections/` of the working directory, or of the nearest folder above that has one.

    The search ends at the top of the Git repository, or outside of any at the top of the file system, and at a folder
    with a state. Above the working directory, only what belongs to this user or to root counts: in `/tmp`, anybody could
    put a manifest that would send this user's secrets elsewhere.
    """
    for folder in _folders():
        for name in (FILE, FOLDER):
            path = os.path.join(folder, name)
            if _is_manifest(path) and (not folder or _is_trusted(folder, path)):
                return DefaultManifest(folder, path, is_found=True)
    return DefaultManifest("", FILE, is_found=False)


def advice() -> str:
    """Return what to do where no manifest was found: it names the folders that were searched, and what lies there instead."""
    folders = list(_folders())
    for folder in folders:
        for name in (*_OTHER_NAMES, FILE, FOLDER):
            path = os.path.join(folder, name)
            if os.path.isfile(path) and name in _OTHER_NAMES:
                return f"there is a {path}, and the name that is looked for is {FILE}: rename it, or name it with `-f {path}`"
            if folder and _is_manifest(path) and not _is_trusted(folder, path):
                return (
                    f"{os.path.abspath(path)} or its folder belongs to another user: name it with `-f`, if you trust it"
                )
    where = "this folder"
    if len(folders) > 1:
        where += f", nor in a folder above it up to {os.path.abspath(folders[-1])}"
    return f"no {FILE} and no {FOLDER}/ in {where}: `connform init` writes one; `-f PATH`, or `files` in a program, names one elsewhere"


def _folders() -> Iterator[str]:
    """Yield the folders that are searched: the working directory, and those above it.

    A folder with a state is the last: its manifest is gone, and another one is no replacement.
    """
    here = os.getcwd()
    top = repository_root(here) or os.sep
    folder = ""
    while True:
        yield folder
        if here == top or os.path.lexists(os.path.join(here, _STATE)):
            return
        here = os.path.dirname(here)
        folder = os.path.join(folder, os.pardir)


def _is_manifest(path: str) -> bool:
    """Whether a path is a file (or a link, whatever it leads to), or a folder: above the working directory, one with manifests."""
    if os.path.basename(path) == FILE:
        return os.path.lexists(path)
    if not os.path.isdir(path):
        return False
    return os.path.dirname(path) == "" or any(name.endswith(_ENDINGS) for name in _names(path))


def _names(folder: str) -> Sequence[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return ()


def _is_trusted(*paths: str) -> bool:
    """Whether paths, and what they lead to, belong to this user or to root."""
    places = [place for path in paths for place in (path, os.path.realpath(path)) if os.path.lexists(place)]
    return all(os.lstat(place).st_uid in {os.geteuid(), 0} for place in places)
