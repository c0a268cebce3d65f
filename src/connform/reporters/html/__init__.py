"""The format `html`: one page that stands alone, for people: no script, nothing loaded, dark and light, on paper and on a phone.

Layer 4, no IO. `monitor` serves the same page live.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from connform.reporters.html import tables
from connform.reporters.html.causes import PageSetting, failures, warnings
from connform.reporters.html.changes import changes, refusals
from connform.reporters.html.details import detailed, details
from connform.reporters.html.diagnostics import diagnostics
from connform.reporters.html.ends import certificates_and_grants
from connform.reporters.html.groups import groups
from connform.reporters.html.head import header, icon
from connform.reporters.html.hours import hours_key, period
from connform.reporters.html.markup import Markup, element, joined
from connform.reporters.html.outcomes import settled
from connform.reporters.html.parts import section
from connform.reporters.html.result import result
from connform.reporters.html.stages import longest_ms, stages_key
from connform.reporters.html.style import CONTENT_SECURITY_POLICY, STYLE
from connform.reporters.text_plan import changed_connections
from connform.reporters.view import View

__all__ = ["CONTENT_SECURITY_POLICY", "render", "render_at", "syntax", "uses_repository_paths"]

syntax: Final = "xml"
uses_repository_paths: Final = True

_REST = {"ready": ("ready", "Ready"), "": ("others", "Connections"), "skipped": ("skipped", "Not looked at")}
"""Verdict → the anchor and the title of the section of connections that didn't fail."""


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
    items = [settled(item) for item in view["connections"]]
    verdict, sentence = result(view, items)
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=CONTENT_SECURITY_POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="referrer", content="no-referrer"),
        element("meta", http_equiv="refresh", content=refresh_s) if refresh_s else "",
        element("title", f"{sentence} · connform {view['command']}"),
        icon(verdict),
        element("style", Markup(STYLE)),
    )
    sections = joined(_sections(view, items, now))
    main = element("main", header(view, items, sections, now), _live(refresh_s), sections)
    return f"<!DOCTYPE html>\n{element('html', head, element('body', main), lang='en')}\n"


def _sections(view: View, items: Sequence[View], now: datetime | None) -> list[str]:
    with_details = detailed(items)
    setting = PageSetting(now, period(items), longest_ms(items), {item["name"] for item in with_details})
    planned = changed_connections(view) if view["command"] == "plan" else []
    changing = {item["name"] for item in planned}
    others = [item for item in items if item["name"] not in changing]
    rest = [item for item in others if not (item.get("login") or item.get("values") or item.get("secrets"))]
    return [
        refusals(view["plan"]) if view.get("plan") else "",
        diagnostics(view["diagnostics"]),
        *(failures(others, verdict, setting) for verdict in ("failed", "unknown")),
        changes(planned),
        warnings(others, setting),
        *(_rest(rest, verdict, setting, view["command"]) for verdict in _REST),
        tables.logins(items, now),
        tables.secrets(items, now),
        tables.backends(view.get("backends", ())),
        tables.findings(view.get("findings", ())),
        certificates_and_grants(items, now),
        details(with_details, now),
    ]


def _rest(items: Sequence[View], verdict: str, setting: PageSetting, command: str) -> Markup:
    chosen = [item for item in items if item["verdict"] == verdict]
    if not chosen:
        return Markup()
    anchor, title = _REST[verdict]
    title = "Unchanged" if command == "plan" else title
    key = (
        hours_key(setting.period) if setting.period else stages_key() if any(item["stages"] for item in chosen) else ""
    )
    return section(anchor, title, key, groups(chosen, setting))


def _live(refresh_s: int | None) -> Markup:
    if refresh_s is None:
        return Markup()
    links = [element("a", "JSON", href="report.json"), element("a", "metrics", href="metrics")]
    if refresh_s:
        renewal = [f"This page is renewed every {refresh_s} s: ", element("a", "stop", href="?refresh=off")]
    else:
        renewal = ["This page isn't renewed: ", element("a", "renew it by itself", href="./")]
    return element("nav", joined([joined(renewal), *links], " · "), aria_label="this page")
