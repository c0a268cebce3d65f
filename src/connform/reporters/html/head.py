"""The beginning of a page: its result in a sentence, the numbers, when and by what it was made. Layer 4, no IO."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple
from urllib.parse import quote

from connform import __version__
from connform.reporters.html.markup import Markup, element, joined, with_links
from connform.reporters.html.outcomes import SIGNS
from connform.reporters.html.parts import moment
from connform.reporters.html.result import result
from connform.reporters.terminal import format_policy_count
from connform.reporters.text_change import SIGNS as ACTIONS
from connform.reporters.view import View

_ICON_COLORS = {"failed": "cf222e", "unknown": "9a6700", "ready": "1a7f37", "": "59636e"}
_FILES = 3
"""How many manifests are named; more are counted."""
_VERDICTS = ("failed", "unknown", "ready")
_MISTAKES = {"error": ("errors",), "warning": ("warnings", "remarks")}
"""Severity → the sections that have its mistakes."""
_SIMULATED = " no secret was read, and nothing left this machine. The simulator answered instead of the APIs."


class _Number(NamedTuple):
    """How many of one kind there are."""

    number: int
    """How many."""
    kind: str
    """A class of the style sheet."""
    words: str
    """What is counted."""
    anchors: tuple[str, ...]
    """The sections that may have them: the first that the page has."""


def header(view: View, items: Sequence[View], sections: str, now: datetime | None) -> Markup:
    """Return the result, how many of what, the facts of the run, and whether it was only simulated; `sections` follow it."""
    verdict, sentence = result(view, items)
    sign = element("span", SIGNS[verdict], class_=f"sign {verdict}", aria_hidden="true") if verdict else ""
    numbers = [_shown(one, sections) for one in _numbers(view, items)]
    simulated = element("p", element("strong", "Simulated:"), _SIMULATED, class_="banner")
    return element(
        "header",
        element("p", f"connform {view['command']}", class_="kind"),
        element("h1", sign, sentence, class_=verdict),
        element("ul", *numbers, class_="numbers", aria_label="how many of what") if numbers else "",
        _facts(view, now),
        simulated if view["simulated"] else "",
        *map(_unrecorded, view.get("unrecorded", ())),
    )


def _unrecorded(one: View) -> Markup:
    what = element("strong", "Not recorded: ")
    code = element("code", one["class"], class_="chip")
    return element(
        "div",
        element("p", what, with_links(one["message"]), code),
        element("p", with_links(one["hint"])),
        class_="banner",
    )


def _numbers(view: View, items: Sequence[View]) -> Iterator[_Number]:
    counts = Counter(item["verdict"] for item in items)
    if any(counts[verdict] for verdict in _VERDICTS):
        yield from (_Number(counts[verdict], verdict, verdict, (verdict,)) for verdict in _VERDICTS)
    if counts["skipped"]:
        yield _Number(counts["skipped"], "skipped", "not looked at", ("skipped",))
    if view["command"] == "plan" and (plan := view.get("plan")):
        yield from (_Number(plan[action], action, f"to {action}", ("changes",)) for action in ACTIONS if plan[action])
    for what, anchors in _MISTAKES.items():
        if number := view["summary"][f"{what}s"]:
            yield _Number(number, what, what if number == 1 else f"{what}s", anchors)


def _shown(one: _Number, sections: str) -> Markup:
    """Return the number as a link to its section, if the page has that."""
    content = joined([element("strong", f"{one.number:,}"), f" {one.words}"])
    anchor = next((each for each in one.anchors if f'<section id="{each}"' in sections), "")
    shown = element("a", content, href=f"#{anchor}") if anchor and one.number else element("span", content)
    return element("li", shown, class_=one.kind if one.number else "none")


def _facts(view: View, now: datetime | None) -> Markup:
    files = view["files"]
    named = [element("code", file) for file in files[:_FILES]]
    more = [f"and {len(files) - _FILES} more manifests"] if len(files) > _FILES else []
    pieces: list[str] = []
    if now:
        pieces.append(joined(["made ", moment(now.isoformat(), None)]))
    pieces.append(f"by connform {__version__}")
    pieces += [f"in {view['elapsed_ms'] / 1000:,.1f} s"] if view["elapsed_ms"] else []
    pieces += [format_policy_count(view["summary"]["policies"])] if view["summary"]["policies"] else []
    pieces += [joined(["of ", joined([*named, *more], ", ")])] if files else []
    pieces += (
        [joined(["digest ", element("code", view["plan"]["digest"])])]
        if view["command"] == "plan" and view.get("plan")
        else []
    )
    return element("p", joined(pieces, " · "), class_="muted")


def icon(verdict: str) -> Markup:
    """Return the icon of the page in the colour of a verdict. It is part of the page, so that no browser asks for one."""
    drawn = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><circle cx="8" cy="8" r="7" fill="#{_ICON_COLORS[verdict]}"/></svg>'
    return element("link", rel="icon", href=f"data:image/svg+xml,{quote(drawn)}")
