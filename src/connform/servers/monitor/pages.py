"""What the server of a monitor shows: the page, the report as JSON, and the metrics by Prometheus's client library. Layer 4, no IO."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from time import monotonic

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder

from connform.database.check_table import LATEST
from connform.engine.monitor.monitor import Monitor
from connform.engine.monitor.overview import Overview
from connform.reporters import html, json
from connform.reporters.metrics import BUILD_INFO, FAMILIES
from connform.reporters.view import View, build
from connform.servers.monitor.app import Content

_MOST_FIGURES = 12_000
"""How many hourly figures of all connections are shown together: more would take more memory than everything else."""
_LEAST_HOURS = 6
_FRESH_S = 1.0
"""How long metrics are good for further scrapers, so that many of them cost no more than one."""
_REFRESH_S = 30
"""How often the page is loaded again."""


class MonitorPages:
    """The pages of a monitor."""

    def __init__(self, monitor: Monitor) -> None:
        self._monitor = monitor
        self._overview = Overview(monitor)
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(_Collector(monitor, self._overview))
        self._metrics: dict[str, tuple[float, Content]] = {}

    def page(self, *, refresh: bool) -> Content:
        """Return the page for people."""
        view = build(self._overview.report(self._hours()))
        text = html.render_at(view, now=datetime.now(UTC), refresh_s=_REFRESH_S if refresh else 0)
        return Content("text/html; charset=utf-8", text.encode(), html.CONTENT_SECURITY_POLICY)

    def report(self) -> Content:
        """Return the report as JSON."""
        view = build(self._overview.report(self._hours()))
        return Content("application/json", json.render(view, color=False, width=0, verbosity=0).encode())

    def metrics(self, accept: str) -> Content:
        """Return the metrics, in a format that a header `Accept` names."""
        encoder, content_type = choose_encoder(accept)
        made_at, content = self._metrics.get(content_type, (0.0, None))
        if content is None or monotonic() - made_at > _FRESH_S:
            content = Content(content_type, encoder(self._registry))
            self._metrics = {content_type: (monotonic(), content)}
        return content

    def _hours(self) -> int:
        """Return how many of the latest changes and hourly figures of each connection are shown."""
        count = len(self._monitor.declared.connections)
        return max(_LEAST_HOURS, min(LATEST, _MOST_FIGURES // max(count, 1)))

    def is_ready(self) -> bool:
        """Whether manifest and state are in order."""
        return self._monitor.status.is_ready

    def close(self) -> None:
        """Close files and connections."""
        self._overview.close()


class _Collector:
    """Makes the metrics anew for each scrape: a connection that is gone leaves no series."""

    def __init__(self, monitor: Monitor, overview: Overview) -> None:
        self._monitor = monitor
        self._overview = overview

    def collect(self) -> Iterator[Metric]:
        """Yield every family."""
        view: View = build(self._overview.report(0))
        for family in FAMILIES:
            kind = CounterMetricFamily if family.is_counter else GaugeMetricFamily
            metric = kind(family.name, family.help, labels=family.labels)
            for connection in view["connections"]:
                for labels, value in family.samples(connection):
                    metric.add_metric(labels, value)
            yield metric
        yield _gauge(
            "connform_next_check_timestamp_seconds", "When the connection is due.", "name", self._overview.due_times()
        )
        versions = GaugeMetricFamily(
            "connform_secret_version_timestamp_seconds",
            "When the version of the secret was written, where its store says so.",
            labels=("name", "key"),
        )
        for one in self._overview.secret_versions():
            versions.add_metric((one.connection, one.key), one.written_at.timestamp())
        yield versions
        yield from self._of_the_monitor()

    def _of_the_monitor(self) -> Iterator[Metric]:
        status, settings = self._monitor.status, self._monitor.settings
        name, text, labels = BUILD_INFO
        info = GaugeMetricFamily(name, text, labels=[*labels])
        info.add_metric([*labels.values()], 1.0)
        yield info
        for name, text, value in (
            ("connform_check_interval_seconds", "How often each connection is checked.", settings.interval_s),
            (
                "connform_manifest_last_reload_successful",
                "1 if the manifest that lies there is at work; 0 if it is not valid, and an earlier one is at work.",
                status.is_manifest_valid,
            ),
            (
                "connform_manifest_last_reload_success_timestamp_seconds",
                "When the manifest at work was read.",
                status.manifest_loaded_at,
            ),
            ("connform_secrets_last_read_timestamp_seconds", "When secrets were last read.", status.secrets_read_at),
            ("connform_state_up", "1 if the state database can be written.", status.is_state_reachable),
            (
                "connform_state_last_write_timestamp_seconds",
                "When this replica last wrote to the state database; 0 for never.",
                status.recorded_at,
            ),
            (
                "connform_state_unrecorded_checks",
                "Connections whose latest check waits until the state database can be written.",
                status.unrecorded,
            ),
        ):
            yield GaugeMetricFamily(name, text, value=float(value))


def _gauge(name: str, text: str, label: str, values: Mapping[str, float]) -> Metric:
    gauge = GaugeMetricFamily(name, text, labels=(label,))
    for one, value in values.items():
        gauge.add_metric((one,), value)
    return gauge
