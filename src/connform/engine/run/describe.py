"""Report lines of declared connections: what the manifest says, and the outcome of a failure.

Layer 3, no IO.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from connform.engine.connection_report import ConnectionReport
from connform.engine.load.catalog import provider_of
from connform.errors import ConnectionFailed
from connform.faults import Verdict
from connform.manifest.model import Connection


def describe(connection: Connection, base_url: str = "", **more: Any) -> ConnectionReport:
    """Return the report line of a connection with what its manifest declares.

    Args:
        connection: the declared connection.
        base_url: its resolved API root; empty to resolve it here.
        more: further fields of the report line.
    """
    if not base_url:
        with suppress(ConnectionFailed):  # a bug of a plug-in: a check fails with it
            base_url = provider_of(connection).instance(connection).base_url
    return ConnectionReport(
        name=connection.name,
        provider=connection.provider,
        environment=connection.environment,
        region=connection.region,
        base_url=base_url,
        auth_method=connection.settings["auth"]["method"],  # `connection.auth` would parse the references
        tags=connection.tags,
        place=connection.span,
        **more,
    )


def not_looked_at(report: ConnectionReport) -> ConnectionReport:
    """Return the report line of a connection that an interrupted run did not get to."""
    return report._replace(verdict=Verdict.SKIPPED, message="not looked at: interrupted")


def with_failure(report: ConnectionReport, failure: ConnectionFailed) -> ConnectionReport:
    """Return a report line with a failure: its fault decides verdict, stage and exit code; its hint names the connection."""
    return report._replace(
        verdict=failure.fault.verdict,
        stage=failure.fault.stage,
        fault=failure.fault.name,
        message=failure.message,
        hint=failure.hint.replace(" NAME", f" {report.name}"),
        exit_code=failure.exit_code,
    )
