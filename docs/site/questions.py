"""The questions of the index pages, by the page that answers each: the search counts their words as those of a title."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

_QUESTION = re.compile(r"\[([^\]]+)\]\(([^)\s#:]+)\.md(?:#[^)\s]*)?\)(.*)")


def setup(app: Any) -> dict[str, bool]:
    """Hand them to the search page."""
    app.connect("html-page-context", _provide)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _provide(app: Any, page: str, _template: str, context: dict[str, Any], _doctree: Any) -> None:
    if page == "search":
        context["questions"] = _questions(Path(app.srcdir))


def _questions(pages: Path) -> dict[str, str]:
    """Return the texts of the links in the index pages of folders, with what follows them, by the page's name."""
    asked: dict[str, str] = {}
    for index in sorted(pages.glob("*/index.md")):
        for text, target, rest in _QUESTION.findall(index.read_text("utf-8")):
            name = posixpath.normpath(f"{index.parent.name}/{target}")
            asked[name] = f"{asked.get(name, '')} {text} {rest}".strip()
    return asked
