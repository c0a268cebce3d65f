"""Assembles the pages of the site: those of docs/, those at the top of the repository, and those made from the code."""

from __future__ import annotations

import shutil
from pathlib import Path

from docs.site import commands, files, library, manifest_keys
from docs.site.links import ROOT, rewritten
from docs.site.navigation import add_navigation

PROJECT = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "RELEASING.md", "SECURITY.md")
"""The pages at the top of the repository; the first is the start page's only on GitHub."""


class Assembly:
    """The pages that were put together so far."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._waiting = ["docs"]
        self._placed: dict[str, str] = {}

    def placed(self, path: str) -> str:
        """Return where a file or a folder of the repository is among the pages, and see to it that it gets there."""
        if path not in self._placed:
            self._placed[path] = self._place(path)
        return self._placed[path]

    def _place(self, path: str) -> str:
        source = ROOT / path
        if path == "docs" or path.startswith("docs/"):
            inside = path.removeprefix("docs").removeprefix("/")
            if source.is_file() and source.suffix != ".md":
                self._copy(source, inside)
            return f"{inside}/index.md".removeprefix("/") if source.is_dir() else inside
        if path in PROJECT:
            return f"project/{path.lower()}"
        if source.is_dir():
            return self.write(f"project/files/{path.replace('/', '-')}.md", files.page_of(source))
        self._copy(source, f"files/{path}")
        return f"files/{path}"

    def _copy(self, source: Path, place: str) -> None:
        target = self._folder / place
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)

    def write(self, place: str, text: str) -> str:
        """Write a page, and return its place."""
        target = self._folder / place
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        return place

    def add(self, path: str) -> None:
        """Add a page of the repository."""
        place = self.placed(path)
        self.write(place, rewritten((ROOT / path).read_text("utf-8"), path, place, self.placed))


def assemble(folder: Path) -> None:
    """Write all pages into a folder, whose former content is removed."""
    shutil.rmtree(folder, ignore_errors=True)
    assembly = Assembly(folder)
    for page in sorted((ROOT / "docs").rglob("*.md")):
        assembly.add(page.relative_to(ROOT).as_posix())
    for name in PROJECT:
        assembly.add(name)
    for place, text in {**commands.pages(), **manifest_keys.pages(), **library.pages()}.items():
        assembly.write(place, text)
    add_navigation(folder)
