"""Certificate authority of the simulator: one certificate for all hosts of a domain, selected by SNI.

Layer 2; IO: a temporary file only, from which Python's ssl module reads a key.
"""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Iterable
from threading import Lock

from connform.errors import ConnformError
from connform.http.net.tls_socket import TLSSocket
from connform.process_local import ProcessLocal
from connform.temporary_files import require_temporary_folder

try:
    import trustme
except ModuleNotFoundError as missing:
    _ADVICE = "the simulator needs an optional library: pip install trustme"
    raise ConnformError(_ADVICE) from missing


class Certificates:
    """A certificate authority; a certificate is issued when a client first asks for a host that it covers."""

    def __init__(self) -> None:
        require_temporary_folder()
        self._ca = trustme.CA(organization_name="connform simulator")
        self._addresses = {"127.0.0.1", "::1"}
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._lock = ProcessLocal(Lock)

    @property
    def ca_pem(self) -> bytes:
        """The CA's certificate, in PEM."""
        return self._ca.cert_pem.bytes()

    def cover(self, host: str) -> None:
        """Add an IP address to the certificate for clients without SNI; they send none for addresses (RFC 6066 §3)."""
        try:
            address = str(ipaddress.ip_address(host))
        except ValueError:
            return
        with self._lock.own:
            if address not in self._addresses:
                self._addresses.add(address)
                self._contexts.pop("", None)

    def listening_context(self) -> ssl.SSLContext:
        """Return the context for the listening socket; it selects the certificate in the handshake, by SNI."""
        context = _server_context()
        context.sni_callback = self._select_certificate
        return context

    def _select_certificate(self, connection: ssl.SSLObject, server_name: str | None, _: ssl.SSLContext) -> int | None:
        name = _covering((server_name or "").lower())
        try:
            with self._lock.own:
                context = self._contexts.get(name)
                if context is None:
                    identities = [name] if name else ["localhost", *sorted(self._addresses)]
                    context = self._contexts[name] = self._issue(identities)
        except ValueError:
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        connection.context = context
        return None

    def _issue(self, identities: Iterable[str]) -> ssl.SSLContext:
        context = _server_context()
        self._ca.issue_cert(*identities).configure_cert(context)
        return context


def _covering(name: str) -> str:
    """Return the name of the certificate for a host: `*.acme.example` for `api.acme.example` (RFC 6125 §6.4.3).

    A context takes some 40 kB, and a run over thousands of connections has a host for each.
    """
    _, _, domain = name.partition(".")
    return f"*.{domain}" if "." in domain else name


def _server_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.sslsocket_class = TLSSocket
    context.num_tickets = 0  # tickets that a client closes without reading would cause a reset
    return context
