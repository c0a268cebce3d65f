"""The format `html`: one page that stands alone, for people: no script, nothing loaded, dark and light, on paper and on a phone.

Layer 4, no IO. `monitor` serves the same page live.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from connform.reporters.html.markup import Markup, element, joined
from connform.reporters.html.style import CONTENT_SECURITY_POLICY, STYLE
from connform.reporters.view import View

__all__ = ["CONTENT_SECURITY_POLICY", "render", "render_at", "syntax", "uses_repository_paths"]

syntax: Final = "xml"
uses_repository_paths: Final = True


def render(view: View, *, color: bool, width: int, verbosity: int) -> str:  # noqa: ARG001  (for a page)
    """Return the page without a time at which it was made."""
    return render_at(view, now=None)


def render_at(view: View, *, now: datetime | None, refresh_s: int | None = None) -> str:
    """Return the page.

    Args:
        view: a report.
        now: the time, aware, at which it was made; relative times are relative to it.
        refresh_s: for a page that a server makes anew: after how many seconds a browser asks again, 0 for never. `None` for
            a file. The page says so, and links to `?refresh=off` or back to `./`, to `report.json` and `metrics`; a server
            sends `CONTENT_SECURITY_POLICY` with it.
    """
    title = f"connform {view['command']}"
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=CONTENT_SECURITY_POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", http_equiv="refresh", content=refresh_s) if refresh_s else "",
        element("title", title),
        element("style", Markup(STYLE)),
    )
    rows = [
        element("tr", *(element("td", str(one[key])) for key in ("name", "verdict", "class", "message")))
        for one in view["connections"]
    ]
    body = element(
        "body",
        element(
            "main",
            element("h1", title),
            element("p", now.isoformat(timespec="seconds") if now else ""),
            element("table", joined(rows)),
        ),
    )
    return f"<!DOCTYPE html>\n{element('html', head, body, lang='en')}\n"
