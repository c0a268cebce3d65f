"""The paths by which state knows the manifests of a run: relative to their repository, the same in every checkout. Layer 3; follows links."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from connform.engine.run.repository_root import real, root_of

_BY_NAME = "?/"
"""Stands before the recorded name of a manifest that lies in no repository, so that it is not taken for one at the top of one."""


class RecordedPaths:
    """The recorded paths of the manifests of a run, and of their folders."""

    def __init__(
        self, manifests: Mapping[str, Path], folders: Iterable[Path], named_root: str, *, is_shared: bool
    ) -> None:
        """Find the repositories of manifests.

        Args:
            manifests: absolute paths of the manifests by their names on the command line.
            folders: the absolute folders of the run, in the order of the command line.
            named_root: what `--root` says; empty for nothing.
            is_shared: whether the manifests of other folders may be recorded in the same place.
        """
        self._is_shared = is_shared
        self._roots = {folder: root_of(real(folder), named_root) for folder in folders}
        self._files = {named: self._recorded(real(path), named_root) for named, path in manifests.items()}

    def _recorded(self, path: Path, named_root: str) -> str:
        root = root_of(path.parent, named_root)
        if root is None:
            return f"{_BY_NAME}{path.name}" if self._is_shared else path.name
        return path.relative_to(root).as_posix()

    @property
    def files(self) -> tuple[str, ...]:
        """The recorded paths of the manifests, sorted."""
        return tuple(sorted(self._files.values()))

    @property
    def first_root(self) -> Path | None:
        """The root of the repository of the first folder; `None` if it lies in none."""
        return next(iter(self._roots.values()))

    @property
    def is_by_name(self) -> bool:
        """Whether a manifest is known by its name alone in a database that others may use."""
        return any(path.startswith(_BY_NAME) for path in self._files.values())

    def is_manifest(self, named: str) -> bool:
        """Whether a name on the command line is that of a manifest of the run, not of a folder."""
        return named in self._files

    def is_folder(self, folder: Path) -> bool:
        """Whether an absolute folder is one of the run."""
        return folder in self._roots

    def of_manifest(self, named: str) -> str:
        """Return the path of a manifest in its repository, which is the same in every checkout; links are followed.

        Outside of a repository it is the name alone; in a database at a URL, `?/` stands before that.

        Args:
            named: its name on the command line.
        """
        return self._files[named]

    def of_folder(self, folder: Path) -> str:
        """Return the path of a folder of the run, relative to its repository; `.` for the top, and without a repository."""
        root = self._roots[folder]
        return real(folder).relative_to(root).as_posix() if root else "."

    def before_manifest(self, folder: Path) -> str:
        """Return what stands before the last `/` in the recorded paths of a folder's manifests; `.` for nothing."""
        is_by_name = self._is_shared and self._roots[folder] is None
        return _BY_NAME.rstrip("/") if is_by_name else self.of_folder(folder)

    def real_path(self, path: str) -> str:
        """Return a path of a repository with links followed, relative to the repository; the same if nothing exists there.

        It is absolute if the links lead out of the repository.
        """
        for root in self._tops():
            if os.path.lexists(root / path):
                target, top = real(root / path), real(root)
                return target.relative_to(top).as_posix() if top in target.parents else str(target)
        return path

    def is_left_out(self, file: str) -> bool:
        """Whether a manifest exists and is not part of this run; `file` is its path in the repository."""
        return file not in self._files.values() and any(os.path.lexists(top / file) for top in self._tops())

    def _tops(self) -> list[Path]:
        """Return the roots of the repositories, and the folders that lie in none."""
        return list(dict.fromkeys(root or real(folder) for folder, root in self._roots.items()))
