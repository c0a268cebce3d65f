"""The file tree of a Git commit: finds files by path through folders, links and submodules.

Layer 3; reads Git repositories. It looks up each part of a path in the tree before it. So it can distinguish a file that
was not committed from one that was not fetched.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple, Self

from connform.engine.load.git_objects import GitObjects
from connform.engine.load.git_repository import is_submodule, names_below
from connform.errors import NoBaseline
from connform.manifest.repository import repository_of

_FILE = "100"
"""The mode of an entry of a tree says its type; the modes of files begin with this."""
_FOLDER = "40000"
_LINK = "120000"
_SUBMODULE = "160000"
_MAX_LINKS = 40
"""How many links are followed for one path; the limit of Linux is the same."""
_SHALLOW = "a shallow clone, as CI makes them, needs `fetch-depth: 0` (GitHub) or `GIT_DEPTH: 0` (GitLab)"


class TreeEntry(NamedTuple):
    """An entry of a tree: a file, folder, link or submodule of the commit."""

    path: tuple[str, ...]
    """Its path from the root of the repository, with all links followed."""
    mode: str
    """Its mode, which says its type."""
    id: str
    """The id of its content."""
    objects: GitObjects
    """The objects of its repository: a submodule has its own."""

    @property
    def is_file(self) -> bool:
        """Whether it is a file."""
        return self.mode.startswith(_FILE)


class Commit:
    """The file tree of a commit."""

    def __init__(self, root: Path, ref: str) -> None:
        """Start git.

        Args:
            root: the root of the repository, resolved.
            ref: a commit, branch or tag; `A...B` for the merge base of the two.

        Raises:
            NoBaseline: no git, or no such commit.
        """
        self.root = root
        """The root of the repository."""
        self._running = ExitStack()
        self._repositories: dict[Path, GitObjects] = {}
        try:
            objects = self._objects(root)
            tree = _require_tree(objects, ref, root)
        except BaseException:
            self._running.close()
            raise
        self._top = TreeEntry((), _FOLDER, tree, objects)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    def find(self, names: Iterable[str]) -> TreeEntry | None:
        """Return the entry at a path.

        It is `None` if there is none, or if the path leads out of the repository or has too many links.
        """
        trail = [self._top]
        remaining = [*names][::-1]
        links = 0
        while remaining:
            name = remaining.pop()
            if name in ("", os.curdir):
                continue
            if name == os.pardir:
                trail.pop()
            elif (entry := self._entries(trail[-1]).get(name)) is None or links > _MAX_LINKS:
                return None
            elif entry.mode == _LINK:
                links += 1
                target = os.fsdecode(self.content(entry))
                is_absolute = target.startswith("/")
                target_names = names_below(self.root, target) if is_absolute else target.split("/")
                if target_names is None:
                    return None
                trail = [self._top] if is_absolute else trail
                remaining += target_names[::-1]
            else:
                trail.append(entry)
            if not trail:
                return None
        return trail[-1]

    def names(self, folder: TreeEntry) -> list[str]:
        """Return the names of the entries in a folder; nothing for a file."""
        return sorted(self._entries(folder))

    def content(self, file: TreeEntry) -> bytes:
        """Return the content of a file, or the target of a link."""
        return file.objects.require(file.id).data

    def _entries(self, folder: TreeEntry) -> dict[str, TreeEntry]:
        """Return the entries of a folder by name. Git stores a tree as a sequence of `MODE SPACE NAME NUL HASH`."""
        if folder.mode == _SUBMODULE:
            submodule_root = self._submodule_root(folder)
            return self._entries(submodule_root) if submodule_root else {}
        if folder.mode != _FOLDER:
            return {}
        entries = {}
        rest = self.content(folder)
        size = len(folder.id) // 2
        while rest:
            mode, _, rest = rest.partition(b" ")
            name, _, rest = rest.partition(b"\0")
            text = os.fsdecode(name)
            entries[text] = TreeEntry((*folder.path, text), mode.decode(), rest[:size].hex(), folder.objects)
            rest = rest[size:]
        return entries

    def _submodule_root(self, submodule: TreeEntry) -> TreeEntry | None:
        """Return the top folder of a submodule's commit.

        It is `None` if the submodule isn't cloned here; then everything in it counts as new.

        Raises:
            NoBaseline: its repository is here, and that commit is not.
        """
        folder = self.root.joinpath(*submodule.path)
        if not (folder / ".git").exists() or folder.resolve() != folder:
            return None
        objects = self._objects(folder)
        tree = _tree_of(objects, submodule.id)
        if not tree:
            raise NoBaseline(
                f"--changed-since needs the commit {submodule.id} of the submodule {folder}, which is not here: "
                f"fetch it there; {_SHALLOW}"
            )
        return TreeEntry(submodule.path, _FOLDER, tree, objects)

    def _objects(self, root: Path) -> GitObjects:
        if root not in self._repositories:
            self._repositories[root] = self._running.enter_context(GitObjects(root))
        return self._repositories[root]


def _require_tree(objects: GitObjects, ref: str, root: Path) -> str:
    """Return the id of the tree of a commit, or of the merge base of `A...B`.

    Raises:
        NoBaseline: there is no such commit here.
    """
    tree = _tree_of(objects, ref) or _tree_of_merge_base(objects, ref)
    if not tree:
        raise NoBaseline(_unknown_commit_message(ref, root))
    return tree


def _tree_of(objects: GitObjects, ref: str) -> str:
    """Return the id of the tree of a commit; empty if there is no such commit."""
    found = objects.find(f"{ref}^{{commit}}")
    return found.data.split(maxsplit=2)[1].decode() if found else ""


def _tree_of_merge_base(objects: GitObjects, ref: str) -> str:
    """Return the id of the tree of the merge base of `A...B`; empty if one of the two is not here, or `ref` has no `...`.

    Raises:
        NoBaseline: the two have no common ancestor here.
    """
    first, dots, second = ref.partition("...")
    found: Sequence[str] = [
        commit.id for name in (first, second) if dots and (commit := objects.find(f"{name or 'HEAD'}^{{commit}}"))
    ]
    if len(found) < len((first, second)):
        return ""
    base = objects.merge_base(*found)
    if not base:
        raise NoBaseline(f"--changed-since {ref}: no commit that both come from is here; {_SHALLOW}")
    return _tree_of(objects, base)


def _unknown_commit_message(ref: str, root: Path) -> str:
    message = f"--changed-since names no commit that is here: fetch it first; {_SHALLOW}"
    if ".." in ref and "..." not in ref:
        message = (
            "--changed-since takes one commit, and `A..B` names many: give the one to compare with, "
            "or `A...B` for the commit where the two parted"
        )
    outer = repository_of(root.parent)
    if outer is not None and is_submodule(root, outer):
        message += (
            f"; it was looked for in the submodule {root}: for a commit of {outer}, run connform there, with `-f`"
        )
    return message
