"""The navigation: each folder's pages below its index page, in the order in which that page links to them."""

from __future__ import annotations

import posixpath
from pathlib import Path

from docs.site.links import linked

_TOP = ["tutorial.md", "guides", "reference", "explanation", "project"]
"""What stands below the start page."""
_TITLES = {"project": "The project", "project/files": "Folders of the repository"}
"""The titles of folders without an index page, where it isn't the folder's name."""


def add_navigation(folder: Path, root: Path | None = None) -> None:
    """Add the navigation to the index page of a folder and of those in it; make the index pages that are missing.

    What an index page doesn't link to, it lists at its end: the pages that are made from the code.

    Args:
        folder: with assembled pages.
        root: the folder of all of them, if `folder` is in it.
    """
    root = root or folder
    index = folder / "index.md"
    inside = [path for path in folder.iterdir() if path != index and (path.is_dir() or path.suffix == ".md")]
    inside = [path for path in inside if path.is_file() or any(path.rglob("*.md"))]
    for path in inside:
        if path.is_dir():
            add_navigation(path, root)
    name = folder.relative_to(root).as_posix()
    title = _TITLES.get(name, folder.name.capitalize())
    text = index.read_text("utf-8") if index.exists() else f"# {title}\n"
    order = _TOP if folder == root else [posixpath.normpath(target) for target in linked(text)]

    def position(path: Path) -> tuple[int, str]:
        names = (path.name, f"{path.name}/index.md")
        return next((at for at, target in enumerate(order) if target in names), len(order)), path.name

    places = [f"{path.name}/index" if path.is_dir() else path.stem for path in sorted(inside, key=position)]
    linked_to = sum(position(path)[0] < len(order) for path in inside)
    if unlinked := [f"- [](<{place}.md>)\n" for place in places[linked_to:]]:
        text += "\n" + ("## Made from the code\n\n" if index.exists() else "") + "".join(unlinked)
    listed = "\n".join(["```{toctree}", ":hidden:", ":titlesonly:", "", *places, "```"])
    index.write_text(f"{text}\n{listed}\n", encoding="utf-8")
