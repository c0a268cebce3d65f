"""`element` and `escape`: HTML in which every text is escaped, unless it is `Markup` that these functions made. Layer 4, no IO.

The HTML is well-formed XML too, so that a reader of XML can check its nesting.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape as escape_signs
from urllib.parse import urlsplit

from connform.reporters.terminal import clean

_BLANKS = str.maketrans({"\t": "    ", "\n": " ", "\r": None})
_EMPTY_ELEMENTS = {"br", "link", "meta", "rect", "circle", "path", "line", "wbr"}
"""Elements without content: those of HTML, and of SVG the shapes."""
_OWN_LINES = {
    "article",
    "details",
    "div",
    "dl",
    "h1",
    "h2",
    "h3",
    "header",
    "li",
    "link",
    "meta",
    "ol",
    "p",
    "pre",
    "section",
}
_OWN_LINES |= {"style", "summary", "table", "thead", "title", "tr", "ul"}
"""Elements with a line break behind them, where it means nothing: pages are compared line by line."""
_ADDRESS = re.compile(r"https?://[^\s<>\"'`()\[\]{}|\\^]*[^\s<>\"'`()\[\]{}|\\^.,;:!?]", re.ASCII)


class Markup(str):
    """Finished HTML: the only text that `element` does not escape."""

    __slots__ = ()


def escape(text: str) -> Markup:
    """Return text that a page shows as it is: on one line, and with a `�` for each character that isn't printable.

    Control characters are replaced, and those that change the direction of text. It is safe between tags and in quoted values.
    """
    return Markup(escape_signs(clean(text.translate(_BLANKS))))


def element(name: str, /, *children: str, **attributes: object) -> Markup:
    """Return an element.

    Args:
        name: the name of its tag.
        children: its content; what isn't `Markup` is escaped.
        attributes: their values are escaped; those that are `None` or empty are left out. `_` in a name stands for `-`, and
            is dropped at its end (`class_`).
    """
    opening = name + "".join(
        [
            f' {key.rstrip("_").replace("_", "-")}="{escape(str(value))}"'
            for key, value in attributes.items()
            if value is not None and value != ""
        ]
    )
    end = "\n" if name in _OWN_LINES else ""
    if name in _EMPTY_ELEMENTS and not children:
        return Markup(f"<{opening} />{end}")
    return Markup(f"<{opening}>{joined(children)}</{name}>{end}")


def joined(parts: Sequence[str], separator: str = "") -> Markup:
    """Return texts and elements behind each other, the texts escaped."""
    return Markup(separator.join([part if isinstance(part, Markup) else escape(part) for part in parts]))


def with_links(text: str) -> Markup:
    """Return a text in which each address of http or https is a link; one with a user name in it stays text."""
    parts: list[str] = []
    end = 0
    for found in _ADDRESS.finditer(text):
        if _is_linkable(found[0]):
            parts += [text[end : found.start()], element("a", found[0], href=found[0], rel="noreferrer noopener")]
            end = found.end()
    return joined([*parts, text[end:]])


def _is_linkable(address: str) -> bool:
    try:
        parts = urlsplit(address)
        return bool(parts.hostname) and parts.username is None and parts.port != 0
    except ValueError:  # a malformed host or port
        return False


def picture(width: float, height: float, description: str, shapes: Sequence[str]) -> Markup:
    """Return an SVG of a size in pixels; its description is read out, and shown beside the pointer. Without one, it is ornament."""
    title = element("title", description) if description else ""
    role = {"role": "img"} if description else {"aria_hidden": "true"}
    return element("svg", title, *shapes, viewBox=f"0 0 {width} {height}", width=width, height=height, **role)
