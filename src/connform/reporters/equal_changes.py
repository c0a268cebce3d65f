"""Connections of a plan with the same change, so that a report says it once. Layer 4, no IO."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import NamedTuple

from connform.reporters.text_connection import display_name
from connform.reporters.view import View

_SHOWN = ("environment", "region", "auth_method", "base_url")
"""What the row of a creation and of a removal says of the connection, besides its name."""


class EqualChange(NamedTuple):
    """A change, with all connections that have it."""

    action: str
    """`create`, `update`, `move` or `remove`."""
    names: list[str]
    """The names of the connections; of renamed ones, the old and the new name."""
    shown: tuple[str, ...]
    """Environment, region, auth method and address; empty where those of the connections differ."""
    changes: list[View]
    """The values that differ."""
    reasons: list[str]
    """Why, beyond the values."""
    revokes: View | None
    """The grant that ends; `None` for none."""
    sends: Callable[[], list[tuple[list[str], str]]]
    """Returns each destination of their secrets once, behind the secrets that are sent there."""


def equal_changes(connections: Iterable[View]) -> list[EqualChange]:
    """Return each change once, in the order of the first connection that has it."""
    return [
        EqualChange(
            first["action"],
            list(map(display_name, group)),
            tuple(_common(group, key) for key in _SHOWN),
            first["changes"],
            first["reasons"],
            first["revokes"],
            partial(_sends_as_text, group),
        )
        for group in by_change(connections)
        for first in group[:1]
    ]


def by_change(connections: Iterable[View]) -> list[list[View]]:
    """Return the connections grouped by action, changed values, reasons and ended grant, in the order of the first of each.

    Only connections with the same environment, address and method are created, or removed, together.
    """
    groups: dict[str, list[View]] = {}
    for one in connections:
        shown = [one[key] for key in _SHOWN] if one["action"] in {"create", "remove"} else []
        key = repr([one["action"], one["changes"], one["reasons"], one["revokes"], shown])
        groups.setdefault(key, []).append(one)
    return list(groups.values())


def _common(group: list[View], key: str) -> str:
    """Return a value that all connections of a group have, or an empty text."""
    value: str = group[0][key]
    return value if all(one[key] == value for one in group) else ""


def merged_sends(group: list[View]) -> list[tuple[list[str], View]]:
    """Return each destination of a group's secrets once, behind the secrets that are sent there."""
    destinations: dict[tuple[str, ...], tuple[dict[str, None], View]] = {}
    for one in group:
        for send in one["sends"]:
            secrets, _ = destinations.setdefault((send["origin"], *send["how"]), ({}, send))
            secrets[send["secret"]] = None
    return [(list(secrets), send) for secrets, send in destinations.values()]


def _sends_as_text(group: list[View]) -> list[tuple[list[str], str]]:
    return [(secrets, destination_text(send)) for secrets, send in merged_sends(group)]


def destination_text(send: View) -> str:
    """Return where a secret is sent: the origin, with what is said of it in brackets."""
    how = send["how"]
    return f"{send['origin']} ({', '.join(how)})" if how else str(send["origin"])
