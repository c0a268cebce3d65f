"""A client of the simulator made of the standard library alone: verified TLS, the host name meant in SNI and Host."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connform.simulator import Simulator

SANDBOX = "sandbox.syngrafii.com"
LIST = "/api/v1/packages/list"
PATIENCE_S = 60
"""What only a hang takes, not a busy machine."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Connection(http.client.HTTPSConnection):
    """One TLS connection to a host as the simulator plays it."""

    def __init__(self, simulator: Simulator, host: str, context: ssl.SSLContext | None = None) -> None:
        self._tls = context or trusting(simulator)
        # a port, lest an IPv6 address be split; a context, lest another one be made of all that this machine trusts
        super().__init__(host, 443, timeout=PATIENCE_S, context=self._tls)
        self._address = simulator.route(host, 443)

    def connect(self) -> None:
        raw = socket.create_connection(self._address, timeout=PATIENCE_S)
        try:
            self.sock = self._tls.wrap_socket(raw, server_hostname=self.host)
        except OSError:
            raw.close()
            raise

    def ask(self, method: str, path: str, headers: Mapping[str, str], body: Any = None) -> Answer:
        """Send one request and read the whole answer; a dict goes as JSON, an iterator of bytes in chunks."""
        content = json.dumps(body).encode() if isinstance(body, dict) else body
        self.request(method, path, content, dict(headers))
        response = self.getresponse()
        return Answer(response.status, dict(response.getheaders()), response.read())


def trusting(simulator: Simulator) -> ssl.SSLContext:
    """Return a context that trusts the simulator's CA and nothing else."""
    return ssl.create_default_context(cadata=simulator.ca_pem.decode())


def ask(
    simulator: Simulator, method: str, path: str, headers: Mapping[str, str], body: Any = None, *, host: str = SANDBOX
) -> Answer:
    """Send one request over a connection of its own."""
    connection = Connection(simulator, host)
    try:
        return connection.ask(method, path, headers, body)
    finally:
        connection.close()
