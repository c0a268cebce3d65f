"""Turns a commit and the paths of a run into the manifests that stood there.

Layer 3; runs one git process, which is not allowed to use the network.
"""

# ruff: noqa: PTH100, PTH118, PTH120  (paths are text wherever manifests are read)

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING, Final, NamedTuple

from connform.errors import NoBaseline
from connform.manifest.files import MAX_FILE_BYTES, STDIN, Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_GIT: Final = ("git", "-c", "protocol.allow=never")
"""A partial clone would fetch what it lacks; `validate` is always offline."""
_DEFAULT_PATHS: Final = ("connections.yaml", "connections")
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
    command = [*_GIT, "-C", folder, "cat-file", "--batch"]
    pipe = subprocess.PIPE
    try:
        git = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe)  # noqa: S603  (the user's own git)
    except OSError as error:
        message = f"--changed-since needs git, which can't be run: {error.strerror}"
        raise NoBaseline(message) from None
    with git:
        commit = _Commit(git, ref, folder)
        if paths:
            return [source for path in paths for source in commit.sources(path)]
        return next(filter(None, (list(commit.sources(path)) for path in _DEFAULT_PATHS)), [])


class _Object(NamedTuple):
    """What git has under a name."""

    id: str
    """Its hash, in hexadecimal digits."""
    kind: str
    """`commit`, `tree` or `blob`."""
    data: bytes
    """Its content."""


class _Commit:
    """A commit, read through `git cat-file --batch`, to which every name is a line of text and never an option."""

    def __init__(self, git: subprocess.Popen[bytes], ref: str, folder: str) -> None:
        self._git = git
        self._folder = os.path.realpath(folder)
        found = self._object(f"{ref}^{{commit}}")
        if found is None:
            raise NoBaseline(_UNKNOWN)
        self._id = found.id

    def sources(self, path: str) -> Iterator[Source]:
        """Yield the manifest that stood at a path, or those of the folder that stood there."""
        inside = os.path.relpath(os.path.realpath(path), self._folder).replace(os.sep, "/")
        found = self._object(f"{self._id}:./{inside}".removesuffix("."))
        if found is None:
            return
        if found.kind == "blob":
            if len(found.data) <= MAX_FILE_BYTES:
                yield Source(path, found.data, os.path.dirname(os.path.abspath(path)))
            return
        for name in _files(found):
            if name.endswith((".yaml", ".yml")):
                yield from self.sources(os.path.join(path, name))

    def _object(self, name: str) -> _Object | None:
        """Return what git has under a name, or `None`.

        Raises:
            NoBaseline: git gave up.
        """
        stdin, stdout = self._git.stdin, self._git.stdout
        if "\n" in name or stdin is None or stdout is None:
            return None
        try:
            stdin.write(os.fsencode(f"{name}\n"))
            stdin.flush()
        except BrokenPipeError:
            raise self._failure() from None
        header = os.fsdecode(stdout.readline())
        if not header:
            raise self._failure()
        if header.endswith((" missing\n", " ambiguous\n")):
            return None
        digits, kind, size = header.split()
        data = stdout.read(int(size) + 1)[:-1]
        return _Object(digits, kind, data)

    def _failure(self) -> NoBaseline:
        _, errors = self._git.communicate()
        reason = os.fsdecode(errors).strip().splitlines()
        return NoBaseline(f"--changed-since compares with a commit, but git says: {reason[0] if reason else 'nothing'}")


def _files(tree: _Object) -> Iterator[str]:
    """Yield the names of the regular files in a tree, which git stores as `MODE NAME NUL HASH`, again and again."""
    rest = tree.data
    while rest:
        mode, _, rest = rest.partition(b" ")
        name, _, rest = rest.partition(b"\0")
        rest = rest[len(tree.id) // 2 :]
        if mode.startswith(b"100"):
            yield os.fsdecode(name)
