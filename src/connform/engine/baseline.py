"""Reads the manifests that stood at the paths of a run in a commit. Layer 3; reads a Git repository."""

# ruff: noqa: PTH100, PTH118, PTH120  (paths are text wherever manifests are read)

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from connform.engine.git_objects import GitObjects
from connform.errors import NoBaseline
from connform.manifest.files import MAX_FILE_BYTES, STDIN, Source, is_manifest_name
from connform.manifest.repository import repository_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_DEFAULT_PATHS: Final = ("connections.yaml", "connections")
_FILE: Final = "100"
"""How the modes of files begin, by which a tree says what an entry is; links and submodules have others."""
_FOLDER: Final = "40000"
"""The mode of a folder."""
_UNKNOWN: Final = (
    "--changed-since names no commit that is here: fetch it first; a shallow clone, as CI makes them, needs "
    "`fetch-depth: 0` (GitHub) or `GIT_DEPTH: 0` (GitLab)"
)


def sources_at(ref: str, paths: Sequence[str], folder: str) -> list[Source]:
    """Return the manifests that the same command line would have read at a commit; what wasn't there is left out.

    Args:
        ref: a commit, branch or tag.
        paths: files and folders; empty: the default search.
        folder: one inside of the repository.

    Raises:
        NoBaseline: no git, no repository, no such commit.
    """
    if STDIN in paths:
        message = "--changed-since compares files with a commit: standard input is in none"
        raise NoBaseline(message)
    root = repository_of(Path(folder).resolve())
    if root is None:
        message = f"--changed-since compares with a commit, but {folder} lies in no Git repository"
        raise NoBaseline(message)
    with GitObjects(root) as objects:
        commit = _Commit(objects, ref, root)
        if paths:
            return [source for path in paths for source in commit.sources(path)]
        return next(filter(None, (list(commit.sources(path)) for path in _DEFAULT_PATHS)), [])


class _Entry(NamedTuple):
    """What a tree says of one of its entries."""

    mode: str
    """What it is, as `_FILE` and `_FOLDER` say."""
    id: str
    """The id of its content."""


class _Commit:
    """The files of a commit: found from tree to tree, so that what was not committed differs from what was not fetched."""

    def __init__(self, objects: GitObjects, ref: str, root: Path) -> None:
        self._objects = objects
        self._root = root
        found = objects.named(f"{ref}^{{commit}}")
        if found is None:
            raise NoBaseline(_UNKNOWN)
        self._tree = found.data.split(maxsplit=2)[1].decode()

    def sources(self, path: str) -> Iterator[Source]:
        """Yield the manifest that stood at a path, or those of the folder that stood there."""
        found = self._find(path)
        if found.mode.startswith(_FILE):
            yield from self._source(path, found)
        elif found.mode == _FOLDER:
            for name, entry in self._entries(found).items():
                if is_manifest_name(name) and entry.mode.startswith(_FILE):
                    yield from self._source(os.path.join(path, name), entry)

    def _find(self, path: str) -> _Entry:
        """Return what stood at a path; one without mode where nothing did."""
        inside = os.path.relpath(os.path.realpath(path), self._root)
        found, nothing = _Entry(_FOLDER, self._tree), _Entry("", "")
        for name in Path(inside).parts:
            if name == os.pardir:
                message = f"--changed-since compares with a commit of {self._root}, and {path} lies outside of it"
                raise NoBaseline(message)
            found = self._entries(found).get(name, nothing) if found.mode == _FOLDER else nothing
        return found

    def _entries(self, folder: _Entry) -> dict[str, _Entry]:
        """Return the entries of a tree, which git stores as `MODE NAME NUL HASH`, again and again."""
        entries = {}
        rest = self._objects.whole(folder.id).data
        while rest:
            mode, _, rest = rest.partition(b" ")
            name, _, rest = rest.partition(b"\0")
            size = len(folder.id) // 2
            entries[os.fsdecode(name)] = _Entry(mode.decode(), rest[:size].hex())
            rest = rest[size:]
        return entries

    def _source(self, path: str, file: _Entry) -> Iterator[Source]:
        data = self._objects.whole(file.id).data
        if len(data) <= MAX_FILE_BYTES:
            yield Source(path, data, os.path.dirname(os.path.abspath(path)))
