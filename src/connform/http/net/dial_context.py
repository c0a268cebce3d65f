"""What all connections of one client share: the network, the proxy, and the observer that gets a report of each stage.

Layer 1, reads the clock, no IO.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from time import monotonic
from typing import NamedTuple, Self

from connform.faults import Stage
from connform.http.net import handshake
from connform.http.net.proxy import Proxy
from connform.http.net.resolver import Endpoint, endpoints_without_lookup
from connform.http.request_log import current
from connform.http.settings import ClientSettings, Network, Observer
from connform.origin import Origin


class DialContext(NamedTuple):
    """Settings that all connections of one client share."""

    network: Network
    """The address that is dialed for a host."""
    observer: Observer | None = None
    """Gets a report of each stage that succeeds."""
    proxy: Proxy | None = None
    """The proxy that is dialed instead of the host, and asked for a tunnel."""

    @classmethod
    def of(cls, settings: ClientSettings, origin: Origin, observer: Observer | None) -> Self:
        """Return that of a client's settings; errors as for `Proxy.of`."""
        # not with a route, nor with plain http (loopback only), which would show the credential to the proxy
        uses_proxy = bool(settings.proxy) and settings.network.route is None and origin.scheme == "https"
        return cls(settings.network, observer, Proxy.of(settings, origin) if uses_proxy else None)

    def known_endpoints(self, host: str, port: int) -> list[Endpoint]:
        """Return the endpoints that need no look-up (routed address, IP address, `localhost`); else an empty list."""
        if self.network.route is not None:
            return endpoints_without_lookup(*self.network.route(host, port))
        return endpoints_without_lookup(host, port)

    def unobserved(self) -> DialContext:
        """Return a copy without an observer, for a connection that is not part of the exchange."""
        return self._replace(observer=None)

    def report(self, stage: Stage, started_at: float, facts: Mapping[str, object]) -> None:
        """Report to the observer and to the log, where there is one, that a stage succeeded."""
        elapsed_s = monotonic() - started_at
        if self.observer is not None:
            self.observer.stage(stage, elapsed_s, facts)
        if log := current():
            log.stage(stage, elapsed_s, facts)

    def report_tls(self, started_at: float, connection: ssl.SSLSocket | ssl.SSLObject) -> None:
        """Report the facts of a TLS connection in the same way."""
        if (
            self.observer is not None or current()
        ):  # the facts are computed only if needed: reading a certificate is slow
            self.report(Stage.TLS, started_at, handshake.facts(connection))
