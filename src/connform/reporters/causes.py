"""Causes: connections that failed for the same reason, so that a report says it once. Layer 4, no IO."""

import re
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import urlsplit

from connform.reporters.view import View

_REFERENCE = re.compile(r" \((?P<reference>[a-z][\w+.-]*://(?P<path>[^\s?#)]*)[^\s)]*)\)$")
"""The reference that the message of a secret ends with (`SecretUnresolved.about`)."""


class Cause(NamedTuple):
    """Connections that have one outcome for one reason."""

    connections: list[View]
    """The connections, in the order of the report."""
    message: str
    """What happened; in place of what differs between the connections, `NAME` or `HOST`."""
    hint: str
    """What to do, in the same way."""
    own_parts: list[str]
    """For each connection what differs: the reference of its secret, or its host. Empty texts where nothing does."""


class _Text(NamedTuple):
    """What a report says of a connection."""

    message: str
    hint: str
    own_part: str = ""


def by_cause(connections: Iterable[View]) -> list[Cause]:
    """Return the connections grouped by their cause, in the order of the first connection of each."""
    groups: dict[object, list[View]] = {}
    for one in connections:
        general = _general_text(one)
        key = (one["verdict"], one.get("action", ""), one["class"], *general[:2], tuple(one["warnings"]))
        groups.setdefault(key, []).append(one)
    return list(map(_cause, groups.values()))


def _cause(group: list[View]) -> Cause:
    if len(group) == 1:
        return Cause(group, group[0]["message"], group[0]["hint"], [""])
    texts = list(map(_text, group))
    if len(set(texts)) > 1:
        texts = list(map(_general_text, group))
    return Cause(group, texts[0].message, texts[0].hint, [text.own_part for text in texts])


def _text(one: View) -> _Text:
    """Return what a report says of a connection, without the reference of its secret."""
    return _Text(_REFERENCE.sub("", one["message"]), one["hint"])


def _general_text(one: View) -> _Text:
    """Return the same without what is the connection's own: its name, the path of its secret, its host."""
    message, hint, own_part = _text(one)
    reference = _REFERENCE.search(one["message"])
    host = urlsplit(one["base_url"]).hostname or ""
    replacements = [(host, "HOST", host), (one["name"], "NAME", "")]
    if reference:
        replacements.insert(0, (reference["path"], "NAME", reference["reference"]))
    for word, general, shown in replacements:
        pattern = rf"(?<![\w-]){re.escape(word)}(?![\w-])"
        if word and re.search(pattern, f"{message}\n{hint}"):
            message, hint = re.sub(pattern, general, message), re.sub(pattern, general, hint)
            own_part = own_part or shown
    return _Text(message, hint, own_part)
