"""Reader of objects of a Git repository, by name or id. Layer 3; runs git, which contacts nobody and starts nothing.

A pull request may contain a whole bare repository (HEAD, objects/, refs/, config) as ordinary files. Git would use such a
folder as a repository. A pull request can't contain a `.git`: git neither adds nor checks out that name, in any spelling
that a file system accepts for it (CVE-2014-9390). So `.git` was made on this machine, by `git clone`, `git worktree` or
`git submodule`, or it comes from an archive that somebody unpacked here. Even then its configuration starts no program:
cat-file and merge-base run no hooks, filters, aliases or fsmonitor, and no pager when they write to a pipe. The other
programs that a configuration can name belong to transports, and no transport is allowed.
"""

from __future__ import annotations

import errno
import os
import subprocess
from pathlib import Path
from typing import NamedTuple, Self

from connform.environment import variable
from connform.errors import NoBaseline
from connform.programs import find_program
from connform.secrets.kit.command import ordinary_variables

OPTIONS = ("--no-pager", "-c", "safe.bareRepository=explicit")
"""The options of every call of git."""
VARIABLES = {
    "GIT_ALLOW_PROTOCOL": "",  # no transport: it overrides every `protocol.*.allow` of a configuration
    "GIT_NO_LAZY_FETCH": "1",  # Git 2.45 and later doesn't even try to fetch
    "GIT_NO_REPLACE_OBJECTS": "1",  # no replacement for the commit of this id
    "LC_ALL": "C",
}
"""Environment variables for git, added to the ordinary ones; the caller's `GIT_*` are not passed on."""
_MISSING_OBJECT = (
    "--changed-since reads the manifests of that commit, and this partial clone has not fetched all of them: `git diff "
    "--stat COMMIT` fetches what is missing, or clone without `--filter`; connform itself contacts nobody"
)


class GitObject(NamedTuple):
    """One object of a Git repository."""

    id: str
    """Its hash, in hexadecimal digits."""
    kind: str
    """`commit`, `tree` or `blob`."""
    data: bytes
    """Its content."""


class GitObjects:
    """The objects of a repository, read through `git cat-file --batch`: it gets names on stdin, never as options."""

    def __init__(self, root: Path) -> None:
        """Start git.

        Args:
            root: the absolute path of the folder that contains `.git`. In a submodule and in a linked worktree, `.git`
                is a file.

        Raises:
            NoBaseline: there is no git, or git refuses the repository.
        """
        self._root = root
        try:
            self._git = _start(root)
        except OSError as error:
            raise NoBaseline(f"--changed-since needs git, which can't be run: {error.strerror}") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._git.__exit__(None, None, None)

    def find(self, name: str) -> GitObject | None:
        """Return the object with a name; `None` if there is none, or the name is ambiguous.

        Raises:
            NoBaseline: git failed.
        """
        stdin, stdout = self._git.stdin, self._git.stdout
        if "\n" in name or stdin is None or stdout is None:
            return None
        try:
            stdin.write(os.fsencode(f"{name}\n"))
            stdin.flush()
        except BrokenPipeError:
            raise self._exit_failure() from None
        header = os.fsdecode(stdout.readline())
        if not header:
            raise self._exit_failure()
        if header.endswith((" missing\n", " ambiguous\n")):
            return None
        digits, kind, size = header.split()
        data = stdout.read(int(size) + 1)[:-1]
        return GitObject(digits, kind, data)

    def require(self, digits: str) -> GitObject:
        """Return the object with an id, to which another object refers.

        Raises:
            NoBaseline: git failed, or the object is not here.
        """
        found = self.find(digits)
        if found is None:
            raise NoBaseline(_MISSING_OBJECT)
        return found

    def merge_base(self, one: str, other: str) -> str:
        """Return the id of the merge base of two commits, given by their ids; empty if they have none here."""
        command = [*_command(self._root), "merge-base", one, other]
        result = subprocess.run(  # noqa: S603  (the user's own git)
            command, stdin=subprocess.DEVNULL, capture_output=True, cwd=os.sep, env=_variables(), check=False
        )
        return os.fsdecode(result.stdout).strip()

    def _exit_failure(self) -> NoBaseline:
        _, errors = self._git.communicate()
        return _failure(errors)


def _program() -> str:
    git = find_program("git", variable("PATH"))
    if not git:
        raise FileNotFoundError(errno.ENOENT, "it is not on PATH")
    return git


def _command(root: Path) -> list[str]:
    # --git-dir, because with a damaged ROOT/.git git might take ROOT itself for a bare repository.
    return [_program(), *OPTIONS, f"--git-dir={root / '.git'}"]


def _variables() -> dict[str, str]:
    # Git gets no GIT_* of the caller: they could name another repository, or more configuration.
    return {**ordinary_variables(("SUDO_UID",)), **VARIABLES}


def _start(root: Path) -> subprocess.Popen[bytes]:
    # Git checks the owner of a repository only if it finds the repository itself, not with --git-dir. In a shared folder
    # such as /tmp, the `.git` may belong to another user. So `rev-parse` is called first.
    result = subprocess.run(  # noqa: S603  (the user's own git)
        [_program(), *OPTIONS, "-C", str(root), "rev-parse", "--git-dir"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env=_variables(),
        check=False,
    )
    if result.returncode:
        raise _failure(result.stderr)
    return subprocess.Popen(  # noqa: S603  (the same)
        [*_command(root), "cat-file", "--batch"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=os.sep,
        env=_variables(),
    )


def _failure(errors: bytes) -> NoBaseline:
    message = " ".join(os.fsdecode(errors).split())
    if "promisor remote" in message:  # Git before 2.45 tries to fetch, and no protocol is allowed
        return NoBaseline(_MISSING_OBJECT)
    return NoBaseline(f"--changed-since compares with a commit, but git says: {message or 'nothing'}")
