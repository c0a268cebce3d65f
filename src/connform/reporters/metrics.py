"""The metrics of connections, as data: of `monitor`, and of the format openmetrics. Layer 4, no IO.

All but `connform_checks_total` are gauges, so that one text is valid for Prometheus and for OpenMetrics. Times are Unix seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from connform import __version__
from connform.faults import Verdict
from connform.reporters.view import View

VERDICTS = (Verdict.READY, Verdict.FAILED, Verdict.UNKNOWN)

Sample = tuple[tuple[str, ...], float]
"""The values of a family's labels, and the sample's value."""


class Family(NamedTuple):
    """One metric."""

    name: str
    """Its name; that of a counter ends with `_total`."""
    help: str
    """What it says, in one sentence without quotation marks."""
    labels: tuple[str, ...]
    """The names of its labels."""
    samples: Callable[[View], Iterable[Sample]]
    """Returns its samples, from one connection of a report."""

    @property
    def is_counter(self) -> bool:
        """Whether it is a counter; all others are gauges."""
        return self.name.endswith("_total")


def _verdict(connection: View) -> Iterator[Sample]:
    place = connection["name"], connection["provider"], connection["environment"], connection["region"]
    if connection["verdict"] in VERDICTS:
        for verdict in VERDICTS:
            yield (*place, str(verdict)), float(connection["verdict"] == verdict)


def _fault(connection: View) -> Iterator[Sample]:
    if connection["class"]:
        yield (connection["name"], connection["class"]), 1.0


def _checks(connection: View) -> Iterator[Sample]:
    for verdict in VERDICTS if connection.get("checks") else ():
        yield (connection["name"], str(verdict)), float(connection["checks"]["counts"].get(verdict, 0))


def _stages(connection: View) -> Iterator[Sample]:
    for stage in connection["stages"]:
        if stage["status"] != "skipped":
            yield (connection["name"], stage["name"]), stage["elapsed_ms"] / 1000


def _recorded_time(key: str) -> Callable[[View], Iterator[Sample]]:
    def samples(connection: View) -> Iterator[Sample]:
        text = (connection.get("checks") or {}).get(key)
        if text and connection["verdict"] in VERDICTS:
            yield (connection["name"],), datetime.fromisoformat(text).timestamp()

    return samples


def _certificate(connection: View) -> Iterator[Sample]:
    text = (connection.get("checks") or {}).get("certificate_expires_at", "")
    text = text or next((one["cert_expires_at"] for one in connection["stages"] if "cert_expires_at" in one), "")
    if text:
        yield (connection["name"],), datetime.fromisoformat(text).timestamp()


FAMILIES = (
    Family(
        "connform_connection_verdict",
        "The verdict of the latest check: 1 for the one that it has, 0 for the others.",
        ("name", "provider", "environment", "region", "verdict"),
        _verdict,
    ),
    Family(
        "connform_connection_fault_info",
        "Always 1: the class of the failure of the latest check, where it failed or could not verify.",
        ("name", "class"),
        _fault,
    ),
    Family("connform_checks_total", "Checks that were recorded, by their verdict.", ("name", "verdict"), _checks),
    Family(
        "connform_stage_seconds",
        "How long each stage of the latest check took, as far as it came; latency is the whole request.",
        ("name", "stage"),
        _stages,
    ),
    Family(
        "connform_last_check_timestamp_seconds",
        "When the latest check ended.",
        ("name",),
        _recorded_time("at"),
    ),
    Family(
        "connform_verdict_since_timestamp_seconds",
        "Since when all checks have had this verdict.",
        ("name",),
        _recorded_time("since"),
    ),
    Family(
        "connform_certificate_not_after_timestamp_seconds",
        "When the certificate of the server ends.",
        ("name",),
        _certificate,
    ),
    Family(
        "connform_grant_end_timestamp_seconds",
        "When the grant of the customer ends, unless it is renewed.",
        ("name",),
        _recorded_time("grant_ends_at"),
    ),
)
"""Of each connection."""

BUILD_INFO = ("connform_build_info", "Always 1: the version of connform.", {"version": __version__})
"""Name, help and labels."""
