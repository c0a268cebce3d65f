"""The list of pages at the side of each page. Sphinx's own copies the headings of all pages for each page: a fifth of the build."""

from __future__ import annotations

from html import escape
from typing import Any


def setup(app: Any) -> dict[str, bool]:
    """Have Sphinx use it, before the theme asks for the list."""
    app.connect("html-page-context", _provide, priority=100)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _provide(app: Any, page: str, _template: str, context: dict[str, Any], _doctree: Any) -> None:
    def listed(parent: str, level: int) -> str:
        entries = [entry(name, level) for name in app.env.toctree_includes.get(parent, ())]
        return f"<ul>{''.join(entries)}</ul>" if entries else ""

    def entry(name: str, level: int) -> str:
        is_here = name == page
        classes = f"toctree-l{level}" + (" current" if is_here or page in _below(app.env, name) else "")
        address = "#" if is_here else app.builder.get_relative_uri(page, name)
        link = f'<a class="reference internal{" current" * is_here}" href="{escape(address)}">'
        return f'<li class="{classes}">{link}{escape(app.env.titles[name].astext())}</a>{listed(name, level + 1)}</li>'

    context["toctree"] = lambda **_options: listed(app.config.root_doc, 1)


def _below(env: Any, name: str) -> set[str]:
    inside = set(env.toctree_includes.get(name, ()))
    return inside.union(*(_below(env, one) for one in inside))
