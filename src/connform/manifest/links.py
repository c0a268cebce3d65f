"""Resolver of symbolic links; refuses those that leave a repository or a folder. Layer 1; reads links, looks for `.git`.

Otherwise, the author of a checkout could choose files elsewhere on the machine to be read, or overwritten.
"""

from __future__ import annotations

import errno
import os
from typing import Final

_GIT: Final = ".git"
_KERNEL: Final = "/proc/"
"""The links in there are more than their texts: `root` of another process, its open files. The system follows them."""


class LinkLeavesError(OSError):
    """A link leads out of the repository, or the folder, in which it lies."""

    def __init__(self, link: str, root: str, kind: str) -> None:
        where = os.path.relpath(link, root)
        super().__init__(errno.EPERM, f"the link {where} leads out of its {kind}, {root}")


class Links:
    """Follows links, each as it was when it was first seen.

    What is swapped in one step meanwhile (`..data` of a Kubernetes mount, `current` of git-sync) is thus one revision for
    all paths that one object follows.
    """

    def __init__(self) -> None:
        self.folders: list[str] = []
        """Real paths, as `follow` returns them: a link in one of these, in no repository, may not leave them all."""
        self._leads: dict[str, str | None] = {}
        """From a place to where that leads, itself unless it is a link; `None` while that is found out."""
        self._roots: dict[str, str] = {}

    def follow(self, path: str) -> str:
        """Return where a path leads, which need not be there.

        A link in a Git repository may not leave it, nor lead into a `.git`. Elsewhere, one in `folders` may not leave those.

        Raises:
            LinkLeavesError: a link does.
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
                here = self._step(os.path.join(here, part))
        return here

    def _step(self, place: str) -> str:
        known = self._leads.setdefault(place, "")
        if known is None:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        if known:
            return known
        try:
            target = "" if place.startswith(_KERNEL) else os.readlink(place)
        except OSError:  # what may be wrong with it, besides that it is no link, is for who opens it
            target = ""
        if not target:
            self._leads[place] = place
            return place
        self._leads[place] = None
        try:
            real = self._walk(os.path.dirname(place), target)
            self._judge(place, real)
        except OSError:
            del self._leads[place]
            raise
        self._leads[place] = real
        return real

    def _judge(self, link: str, real: str) -> None:
        parent = os.path.dirname(link)
        if parent not in self._roots:
            self._roots[parent] = repository_root(parent)
        if root := self._roots[parent]:
            if not _is_in(real, root) or _GIT in real[len(root) :].lower().split(os.sep):
                raise LinkLeavesError(link, root, "repository")
            return
        around = [folder for folder in self.folders if _is_in(link, folder)]
        if around and not any(_is_in(real, folder) for folder in self.folders):
            raise LinkLeavesError(link, around[0], "folder")


def repository_root(folder: str) -> str:
    """Return the root of the innermost Git repository in which a folder lies, given by its absolute path; empty outside of any."""
    here = folder
    while not os.path.exists(os.path.join(here, _GIT)):
        here, below = os.path.dirname(here), here
        if here == below:
            return ""
    return here


def _is_in(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)
