"""The manifests of a Git commit: those that the same command line would have read there.

Layer 3; reads Git repositories.
"""

# ruff: noqa: PTH118  (paths are text wherever manifests are read)

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from connform.engine.load.git_commit import Commit, TreeEntry
from connform.engine.load.git_repository import names_below, repository_for
from connform.errors import NoBaseline
from connform.manifest.default_search import FILE, FOLDER, default_manifest
from connform.manifest.files import MAX_FILE_BYTES, STDIN, Source, is_manifest_name


def sources_at(ref: str, paths: Sequence[str]) -> list[Source]:
    """Return the manifests that the same command line would have read in a commit, without paths that didn't exist there.

    The folder of each is the one in the commit, with the links of the commit followed.

    Args:
        ref: a commit, branch or tag; `A...B` for the merge base of the two.
        paths: files and folders; empty for the default search.

    Raises:
        NoBaseline: no git, no repository, several repositories, no such commit, or standard input among the paths.
    """
    if STDIN in paths:
        raise NoBaseline("--changed-since compares files with a commit: standard input is in none")
    folder = default_manifest().folder
    default_paths = [os.path.join(folder, name) for name in (FILE, FOLDER)]
    root = _repository(paths or default_paths[:1])
    with Commit(root, ref) as commit:
        if paths:
            return [source for path in paths for source in _sources(commit, path)]
        return next(filter(None, (list(_sources(commit, path)) for path in default_paths)), [])


def _repository(paths: Sequence[str]) -> Path:
    """Return the repository in which all of the paths lie.

    Raises:
        NoBaseline: there is none, or there are several.
    """
    roots = {path: repository_for(path) for path in paths}
    first = roots[paths[0]]
    if first is None:
        message = f"--changed-since compares with a commit, but {os.path.realpath(paths[0])} lies in no Git repository"
        raise NoBaseline(message)
    for path, root in roots.items():
        if root != first:
            raise NoBaseline(
                f"--changed-since compares with a commit of {first}, and {path} lies outside of it: "
                "run connform once for each repository"
            )
    return first


def _sources(commit: Commit, path: str) -> Iterator[Source]:
    """Yield the manifest at a path of the commit, or the manifests in the folder at that path."""
    names = names_below(commit.root, path) or []
    found = commit.find(names)
    if found is None:
        return
    if found.is_file:
        folder = commit.find(names[:-1])
        yield from _source(commit, path, found, folder)
    for name in commit.names(found):
        entry = commit.find([*found.path, name]) if is_manifest_name(name) else None
        if entry is not None and entry.is_file:
            yield from _source(commit, os.path.join(path, name), entry, found)


def _source(commit: Commit, path: str, file: TreeEntry, folder: TreeEntry | None) -> Iterator[Source]:
    data = commit.content(file)
    if len(data) <= MAX_FILE_BYTES:
        yield Source(path, data, os.path.join(commit.root, *(folder.path if folder else ())))
