"""The report line of a declared connection, without live results.

Layer 3, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from connform.engine.load.catalog import provider
from connform.engine.report import ConnectionReport

if TYPE_CHECKING:
    from connform.manifest.model import Connection


def describe(connection: Connection, base_url: str = "") -> ConnectionReport:
    """Return what the manifest says of a connection; `base_url` is its resolved API root, where that is known already."""
    return ConnectionReport(
        name=connection.name,
        provider=connection.provider,
        environment=connection.environment,
        region=connection.region,
        base_url=base_url or provider(connection.provider).instance(connection).base_url,
        auth_method=connection.settings["auth"]["method"],  # `auth` would parse references that nobody asks for
        tags=connection.tags,
        place=connection.span,
    )
