"""Reader of objects of a Git repository, by name or id. Layer 3; runs git, which contacts nobody and starts nothing.

A pull request may hold a whole bare repository (HEAD, objects/, refs/, config) as ordinary files, for which git would take
any folder. It can't hold a `.git`: git neither adds nor checks out that name, in any spelling that a file system takes for
it (CVE-2014-9390). So `.git` was made on this machine, by `git clone`, `git worktree` or `git submodule`, or by an archive
that somebody unpacked here; even so its configuration starts nothing: cat-file and merge-base run no hooks, filters, aliases or fsmonitor,
show no pager through a pipe, and all else that a configuration can name belongs to transports, of which none is allowed.
"""

from __future__ import annotations

import errno
import os
import subprocess
from typing import TYPE_CHECKING, Final, NamedTuple, Self

from connform.environment import variable
from connform.errors import NoBaseline
from connform.programs import find_program
from connform.secrets.kit.command import ordinary_variables

if TYPE_CHECKING:
    from pathlib import Path

OPTIONS: Final = ("--no-pager", "-c", "safe.bareRepository=explicit")
"""What git is always told."""
VARIABLES: Final = {
    "GIT_ALLOW_PROTOCOL": "",  # no transport: it outdoes each `protocol.*.allow` of a configuration
    "GIT_NO_LAZY_FETCH": "1",  # nor the attempt, from Git 2.45 on
    "GIT_NO_REPLACE_OBJECTS": "1",  # a commit is what its id says
    "LC_ALL": "C",
}
"""Git's environment, besides what is ordinary; none of the caller's `GIT_*`."""
_LACKING: Final = (
    "--changed-since reads the manifests of that commit, and this partial clone has not fetched all of them: `git diff "
    "--stat COMMIT` fetches what is missing, or clone without `--filter`; connform itself contacts nobody"
)


class GitObject(NamedTuple):
    """What git has under a name."""

    id: str
    """Its hash, in hexadecimal digits."""
    kind: str
    """`commit`, `tree` or `blob`."""
    data: bytes
    """Its content."""


class GitObjects:
    """The objects of a repository, read through `git cat-file --batch`, to which a name is a line and never an option."""

    def __init__(self, root: Path) -> None:
        """Start git.

        Args:
            root: an absolute path, the folder that holds `.git`: a folder, or a file where it is a submodule or was
                made by `git worktree`.

        Raises:
            NoBaseline: there is no git, or it does not take the repository.
        """
        self._root = root
        try:
            self._git = _started(root)
        except OSError as error:
            message = f"--changed-since needs git, which can't be run: {error.strerror}"
            raise NoBaseline(message) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._git.__exit__(None, None, None)

    def named(self, name: str) -> GitObject | None:
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
            raise self._gave_up() from None
        header = os.fsdecode(stdout.readline())
        if not header:
            raise self._gave_up()
        if header.endswith((" missing\n", " ambiguous\n")):
            return None
        digits, kind, size = header.split()
        data = stdout.read(int(size) + 1)[:-1]
        return GitObject(digits, kind, data)

    def whole(self, digits: str) -> GitObject:
        """Return the object of an id, which another object holds.

        Raises:
            NoBaseline: git gave up, or the object is not here.
        """
        found = self.named(digits)
        if found is None:
            raise NoBaseline(_LACKING)
        return found

    def merge_base(self, one: str, other: str) -> str:
        """Return the id of the commit where the histories of two commits, named by their ids, parted; empty without one."""
        command = [*_command(self._root), "merge-base", one, other]
        asked = subprocess.run(  # noqa: S603  (the user's own git)
            command, stdin=subprocess.DEVNULL, capture_output=True, cwd=os.sep, env=_variables(), check=False
        )
        return os.fsdecode(asked.stdout).strip()

    def _gave_up(self) -> NoBaseline:
        _, errors = self._git.communicate()
        return _failure(errors)


def _program() -> str:
    git = find_program("git", variable("PATH"))
    if not git:
        raise FileNotFoundError(errno.ENOENT, "it is not on PATH")
    return git


def _command(root: Path) -> list[str]:
    # Where ROOT/.git is damaged git may have found ROOT, a bare repository of ordinary files: that is not what is read.
    return [_program(), *OPTIONS, f"--git-dir={root / '.git'}"]


def _variables() -> dict[str, str]:
    # Of the caller's variables git gets no GIT_*: they would name another repository, or more configuration.
    return {**ordinary_variables(("SUDO_UID",)), **VARIABLES}


def _started(root: Path) -> subprocess.Popen[bytes]:
    # Git asks whose a repository is where it has found it itself, and not where --git-dir names it: the `.git` may be
    # that of another user in a folder that is shared, as /tmp.
    asked = subprocess.run(  # noqa: S603  (the user's own git)
        [_program(), *OPTIONS, "-C", str(root), "rev-parse", "--git-dir"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env=_variables(),
        check=False,
    )
    if asked.returncode:
        raise _failure(asked.stderr)
    return subprocess.Popen(  # noqa: S603  (the same)
        [*_command(root), "cat-file", "--batch"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=os.sep,
        env=_variables(),
    )


def _failure(errors: bytes) -> NoBaseline:
    said = " ".join(os.fsdecode(errors).split())
    if "promisor remote" in said:  # Git before 2.45 tries to fetch, which no protocol permits
        return NoBaseline(_LACKING)
    return NoBaseline(f"--changed-since compares with a commit, but git says: {said or 'nothing'}")
