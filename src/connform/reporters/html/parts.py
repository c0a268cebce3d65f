"""Parts of a page that several sections use: sections, tables, names, times, lists of facts. Layer 4, no IO."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime

from connform.reporters.html.markup import Markup, element, joined
from connform.reporters.html.outcomes import SIGNS, WORDS
from connform.reporters.terminal import format_count, format_place
from connform.reporters.text_connection import display_name
from connform.reporters.time_ago import time_ago
from connform.reporters.view import View

_LONG = 1000
"""Days from which on an end is told in years."""
_SOON = 14
"""An end within so many days is marked: that of a certificate is a warning of `check` too."""
_PLACES = 5
"""So many places are listed; more are folded."""


def section(anchor: str, title: str, *content: str, style: str = "") -> Markup:
    """Return a section under a heading of the second level; an empty text where it has no content."""
    inside = joined(content)
    if not inside:
        return inside
    heading = element("h2", title, id=f"{anchor}-title")
    return element("section", heading, inside, id=anchor, class_=style, aria_labelledby=f"{anchor}-title")


def sign(kind: str) -> Markup:
    """Return the sign of a verdict or a severity, for eyes: the word stands beside it, or is read out."""
    return element("span", SIGNS[kind], class_=f"sign {kind or 'declared'}", aria_hidden="true")


def said(kind: str) -> Markup:
    """Return the word of a verdict or a severity, for who can't see its sign."""
    return element("span", f"{WORDS.get(kind, kind)}: ", class_="unseen")


def name_of(item: View, detailed: Collection[str] = ()) -> Markup:
    """Return the name of a connection, as a link to its details where the page has them."""
    name = display_name(item)
    return element("a", name, href=f"#c-{item['name']}") if item["name"] in detailed else element("span", name)


def facts(pairs: Iterable[tuple[str, str]]) -> Markup:
    """Return a list of names with their values, without empty ones."""
    rows = [element("div", element("dt", name), element("dd", value)) for name, value in pairs if value]
    return element("dl", joined(rows)) if rows else Markup()


def moment(at: str, now: datetime | None) -> Markup:
    """Return a time in UTC, to the minute, and how long ago it was; a text that is no time as it is."""
    try:
        when = datetime.fromisoformat(at).astimezone(UTC)
    except ValueError:
        return element("span", at)
    text = element("time", f"{when:%Y-%m-%d %H:%M} UTC", datetime=when.isoformat(timespec="seconds"))
    ago = time_ago(at, now) if now else at
    return text if ago == at else joined([text, element("span", f" ({ago})", class_="muted")])


def day(at: str) -> Markup:
    """Return the day of a time; a text that is no time as it is."""
    try:
        when = datetime.fromisoformat(at).astimezone(UTC)
    except ValueError:
        return element("span", at)
    return element("time", f"{when:%Y-%m-%d}", datetime=when.isoformat(timespec="seconds"))


def days_left(at: str, now: datetime | None) -> int | None:
    """Return how many whole days are left until a time, negative where it is over; `None` if that isn't known."""
    try:
        return (datetime.fromisoformat(at) - now).days if now else None
    except (ValueError, TypeError):
        return None


def milliseconds(number: float | None) -> str:
    """Return `7.2 ms`, `184 ms`, `1,250 ms`; an empty text for `None`."""
    if number is None:
        return ""
    return f"{number:.1f} ms" if number < 10 else f"{number:,.0f} ms"  # noqa: PLR2004  (one decimal for one digit)


def urgency(days: int) -> str:
    """Return `failed` for what has ended, `warning` for what ends soon, else an empty text."""
    return "failed" if days < 0 else "warning" if days < _SOON else ""


def in_days(days: int) -> str:
    """Return how many days are left, in words."""
    if days < 0:
        return "ended"
    if days > _LONG:
        return f"in {days // 365:,} years"
    return f"in {days:,} day{'' if days == 1 else 's'}" if days else "today"


def places(items: Sequence[View]) -> Markup:
    """Return each place once; of several in one file, the name of the file stands before the first. Many are folded."""
    known = {format_place(item): item for item in items}
    known.pop("", None)
    texts: list[str] = []
    file = ""
    for place, item in known.items():
        texts.append(place if item["file"] != file else f"{item['line']}:{item['column']}")
        file = item["file"]
    listed = joined([element("code", text) for text in texts], ", ")
    if len(texts) <= _PLACES:
        return listed
    return element("details", element("summary", format_count(len(texts), "place")), listed)
