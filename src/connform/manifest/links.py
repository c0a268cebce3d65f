"""Resolver of symbolic links; refuses those that leave a repository or a folder. Layer 1; reads links, looks for `.git`.

Otherwise, the author of a checkout could choose files elsewhere on the machine to be read, or overwritten.
"""

from __future__ import annotations

import errno
import os

_GIT = ".git"
_KERNEL = "/proc/"
"""Its links can't be followed by their texts (`root` of another process, open files): the system follows them."""


class LinkLeavesError(OSError):
    """A link leads out of its repository or folder."""

    def __init__(self, link: str, root: str, kind: str) -> None:
        where = os.path.relpath(link, root)
        super().__init__(errno.EPERM, f"the link {where} leads out of its {kind}, {root}")


class Links:
    """Follows links, and remembers the target of each.

    If a link is replaced meanwhile (`..data` of a Kubernetes mount, `current` of git-sync), all paths that one object
    follows still lead to one revision.
    """

    def __init__(self) -> None:
        self.folders: list[str] = []
        """Real paths, as `follow` returns them; links inside may not lead out of them, except in a repository."""
        self._targets: dict[str, str | None] = {}
        """Path → real path, which is the same unless it is a link; `None` while the link is being followed."""
        self._roots: dict[str, str] = {}

    def follow(self, path: str) -> str:
        """Return the real path of a path, which need not exist.

        A link in a Git repository may not leave it, nor lead into its `.git`. A link in `folders` may not leave them.

        Raises:
            LinkLeavesError: a link leads to where it may not.
            OSError: links lead in a circle.
        """
        return self._walk(os.getcwd(), path) if path else path

    def _walk(self, here: str, path: str) -> str:
        if os.path.isabs(path):
            here = os.sep
        for part in path.split(os.sep):
            if part == os.pardir:
                here = os.path.dirname(here)
            elif part not in {"", os.curdir}:
                here = self._follow_link(os.path.join(here, part))
        return here

    def _follow_link(self, place: str) -> str:
        known = self._targets.setdefault(place, "")
        if known is None:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        if known:
            return known
        try:
            target = "" if place.startswith(_KERNEL) else os.readlink(place)
        except OSError:  # it is no link; any other error is reported when the file is opened
            target = ""
        if not target:
            self._targets[place] = place
            return place
        self._targets[place] = None
        try:
            real = self._walk(os.path.dirname(place), target)
            self._check(place, real)
        except OSError:
            del self._targets[place]
            raise
        self._targets[place] = real
        return real

    def _check(self, link: str, real: str) -> None:
        parent = os.path.dirname(link)
        if parent not in self._roots:
            self._roots[parent] = repository_root(parent)
        if root := self._roots[parent]:
            if not _is_in(real, root) or _GIT in real[len(root) :].lower().split(os.sep):
                raise LinkLeavesError(link, root, "repository")
            return
        folders_around = [folder for folder in self.folders if _is_in(link, folder)]
        if folders_around and not any(_is_in(real, folder) for folder in self.folders):
            raise LinkLeavesError(link, folders_around[0], "folder")


def repository_root(folder: str) -> str:
    """Return the root of the innermost Git repository around a folder, an absolute path; empty if there is none."""
    here = folder
    while not os.path.exists(os.path.join(here, _GIT)):
        here, child = os.path.dirname(here), here
        if here == child:
            return ""
    return here


def _is_in(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)
