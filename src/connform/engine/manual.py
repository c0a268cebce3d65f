"""The manual: the pages of `docs/`, which the wheel holds too. Layer 3; reads files of the package."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import connform

PARTS = ("tutorial", "guides", "reference", "explanation")
"""The parts of the manual, in the order of reading: a page, or a folder of pages."""
_COMMENT = re.compile(r"^<!--.*?-->\n+", re.MULTILINE | re.DOTALL)
_PACKAGE = Path(connform.__file__).parent


class Page(NamedTuple):
    """One page of the manual."""

    name: str
    """Its path in the manual without the ending: `guides/rotation`; of an `index.md`, that of its folder."""
    file: Path

    @property
    def title(self) -> str:
        """The first heading."""
        with self.file.open(encoding="utf-8") as lines:
            return next((line[2:].strip() for line in lines if line.startswith("# ")), self.name)

    @property
    def text(self) -> str:
        """The page, in Markdown, without its comments: they hold what the tests run and no reader types."""
        return _COMMENT.sub("", self.file.read_text(encoding="utf-8"))


def pages() -> Sequence[Page]:
    """Return every page: the parts in their order, and their pages by name."""
    root = _root()
    return [
        Page(_name(file.relative_to(root)), file)
        for part in PARTS
        for file in (root / f"{part}.md", *sorted((root / part).rglob("*.md"), key=_name))
        if file.is_file()
    ]


def _name(file: Path) -> str:
    return str(file.parent if file.stem == "index" else file.with_suffix(""))


def find_pages(name: str) -> Sequence[Page]:
    """Return the page of a name, or the pages whose name ends with it."""
    wanted = name.strip("/").removesuffix(".md").removesuffix("/index").removeprefix("docs/").lower()
    every = list(pages())
    return [page for page in every if page.name == wanted] or [
        page for page in every if page.name.endswith(f"/{wanted}")
    ]


def page_names() -> Iterator[str]:
    """Yield what each page can be called: its name, and the last part of it."""
    for page in pages():
        yield page.name
        yield page.name.rpartition("/")[2]


def _root() -> Path:
    """Return the folder of the pages: that of the wheel, or else `docs/` of the checkout that the package lies in."""
    packaged = _PACKAGE / "manual"
    return packaged if packaged.is_dir() else _PACKAGE.parents[1] / "docs"
