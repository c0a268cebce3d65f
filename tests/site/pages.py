"""The pages of a built site, as an HTML parser reads them."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urldefrag, urlsplit

RESOURCES = {
    ("script", "src"),
    ("img", "src"),
    ("link", "href"),
    ("iframe", "src"),
    ("source", "src"),
    ("form", "action"),
}
"""What a browser loads without being asked."""


class Page(NamedTuple):
    """What a page refers to, and what can be referred to in it."""

    file: Path
    anchors: frozenset[str]
    links: tuple[str, ...]
    resources: tuple[str, ...]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.resources: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what a tag refers to."""
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        if given.get("rel") != "canonical":
            self.resources += [value for name, value in given.items() if (tag, name) in RESOURCES]


def read_pages(site: Path) -> dict[Path, Page]:
    """Return the pages of a site by their files."""
    pages = {}
    for file in sorted(site.rglob("*.html")):
        reader = _Reader()
        reader.feed(file.read_text("utf-8"))
        pages[file] = Page(file, frozenset(reader.anchors), tuple(reader.links), tuple(reader.resources))
    return pages


def target(page: Page, link: str, site: Path) -> tuple[Path, str] | None:
    """Return the file that a link leads to, and the anchor in it; `None` for another site's."""
    address, anchor = urldefrag(link)
    parts = urlsplit(address)
    if parts.scheme or parts.netloc:
        return None
    path = unquote(parts.path)
    file = page.file if not path else (site / path[1:] if path.startswith("/") else page.file.parent / path).resolve()
    return (file / "index.html" if file.is_dir() else file), unquote(anchor)
