"""Connections of a plan with the same change, so that a report says it once. Layer 4, no IO."""

from __future__ import annotations

from collections.abc import Iterable

from connform.reporters.view import View

_SHOWN_OF_ALL = ("environment", "region", "auth_method", "base_url")
"""What the row of a creation and of a removal says of the connection, besides its name."""


def by_change(connections: Iterable[View]) -> list[list[View]]:
    """Return the connections grouped by action, changed values, reasons and ended grant, in the order of the first of each.

    Only connections with the same environment, address and method are created, or removed, together.
    """
    groups: dict[str, list[View]] = {}
    for one in connections:
        shown = [one[key] for key in _SHOWN_OF_ALL] if one["action"] in {"create", "remove"} else []
        key = repr([one["action"], one["changes"], one["reasons"], one["revokes"], shown])
        groups.setdefault(key, []).append(one)
    return list(groups.values())


def merged_sends(group: list[View]) -> list[tuple[list[str], View]]:
    """Return each destination of a group's secrets once, behind the secrets that are sent there."""
    destinations: dict[tuple[str, ...], tuple[dict[str, None], View]] = {}
    for one in group:
        for send in one["sends"]:
            secrets, _ = destinations.setdefault((send["origin"], *send["how"]), ({}, send))
            secrets[send["secret"]] = None
    return [(list(secrets), send) for secrets, send in destinations.values()]
