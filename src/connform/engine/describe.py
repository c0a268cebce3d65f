"""Turns a declared connection into its line of a report, before anything is known of the live side.

Layer 3, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from connform.engine.catalog import provider
from connform.engine.report import ConnectionReport

if TYPE_CHECKING:
    from connform.engine.specification import FieldChange
    from connform.manifest.model import Connection


def describe(
    connection: Connection,
    base_url: str = "",
    *,
    action: str = "",
    changes: tuple[FieldChange, ...] = (),
    reasons: tuple[str, ...] = (),
) -> ConnectionReport:
    """Return what the manifest says of a connection.

    Args:
        connection: the connection.
        base_url: its resolved API root, where that is known already.
        action: what is to be done about it, where that is known; with the values that differ, and why.
        changes: as in the report.
        reasons: as in the report.
    """
    return ConnectionReport(
        name=connection.name,
        provider=connection.provider,
        environment=connection.environment,
        region=connection.region,
        base_url=base_url or provider(connection.provider).instance(connection).base_url,
        auth_method=connection.settings["auth"]["method"],  # `auth` would parse references that nobody asks for
        tags=connection.tags,
        place=connection.span,
        action=action,
        changes=changes,
        reasons=reasons,
    )
