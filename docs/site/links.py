"""The links of a page, which lead to files of the repository, rewritten for where these files are on the site."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_NO_TEXT = re.compile(r"^ *(`{3,})[^`\n]*\n.*?^ *\1 *$|<!--.*?-->", re.MULTILINE | re.DOTALL)
"""Blocks of code, and comments."""
_LINK = re.compile(r"(?<=\]\()([^)\s#:]+)(#[^)\s]*)?(?=\))")


def linked(text: str) -> list[str]:
    """Return the targets of the links of a page to other files, in their order."""
    return [found[1] for found in _LINK.finditer(_NO_TEXT.sub("", text))]


def rewritten(text: str, page: str, place: str, placed: Callable[[str], str]) -> str:
    """Return a page with links that hold on the site.

    Args:
        text: the page.
        page: its file in the repository.
        place: its file among the assembled pages.
        placed: returns where a file or a folder of the repository is among them.
    """

    def target(found: re.Match[str]) -> str:
        leads_to = posixpath.normpath(posixpath.join(posixpath.dirname(page), found[1]))
        if not (ROOT / leads_to).exists():
            return found[0]  # a page that the code generates; Sphinx reports what is not there
        return os.path.relpath(placed(leads_to), posixpath.dirname(place) or ".") + (found[2] or "")

    parts: list[str] = []
    end = 0
    for code in _NO_TEXT.finditer(text):
        parts += [_LINK.sub(target, text[end : code.start()]), code[0]]
        end = code.end()
    return "".join([*parts, _LINK.sub(target, text[end:])])
