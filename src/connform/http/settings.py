"""Settings of one connection's client, and the protocol of its observer.

Layer 1, no IO, imports neither httpx nor httpcore.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, Protocol

from connform.faults import Stage
from connform.http.credential import Credential
from connform.secret import Secret

if TYPE_CHECKING:
    from pathlib import Path


class Observer(Protocol):
    """Receives a report of each stage of a connection that succeeds."""

    def stage(self, stage: Stage, elapsed_s: float, facts: Mapping[str, object]) -> None:
        """Receive the report that the stage `dns`, `tcp` or `tls` succeeded.

        Args:
            stage: the stage. One that fails raises instead; a connection that is used again reports none.
            elapsed_s: how long it took.
            facts: JSON-ready. dns: `addresses`; tcp: `address`; tls: `tls_version`, `cert_expires_at`, `cert_issuer`.
        """


class Network(NamedTuple):
    """Redirects dialing to other addresses, as those of the simulator."""

    route: Callable[[str, int], tuple[str, int]] | None = None
    """Maps host and port to the IP address and port to dial; no name is looked up and no proxy used."""
    ca_pem: bytes | None = None
    """If set, only these certificates are trusted, and no certificate file is read."""


REAL = Network()
"""The real network, without redirection."""
NO_PROXY = Secret("")
"""No proxy."""


class BasicAuth(NamedTuple):
    """A user name and a password for Basic authentication (RFC 7617)."""

    username: str
    """Without a colon."""
    password: Secret
    """The password."""


class ClientSettings(NamedTuple):
    """Settings of one connection's client."""

    base_url: str
    """API root; requests to any other origin are refused."""
    credential: Credential | None = None
    """The credential that is added to each request."""
    name: str = ""
    """Of the connection or the secret store, for the log; empty for the host."""
    account: str = ""
    """Identifies the credential through all renewals, for rate limits; empty where it is never renewed."""
    connect_s: float = 5.0
    """Time-out of the look-up, of the TCP connection and of the TLS handshake, each."""
    read_s: float = 30.0
    """How long the server may send nothing."""
    write_s: float = 30.0
    """How long the server may accept no bytes."""
    pool_s: float = 5.0
    """How long a request waits for one of the client's connections."""
    total_s: float = 60.0
    """Time-out of the whole exchange, from the look-up to the last byte of the body."""
    retry_after_max_s: float = 60.0
    """The longest wait that the server may ask for (`Retry-After`). No longer one is remembered, or waited for before a retry."""
    ca_file: "Path | None" = None
    """PEM file of trusted certificates, instead of the system's."""
    trusts_system: bool = False
    """Whether the system's certificates are trusted beside those of `ca_file`."""
    client_cert: "Path | None" = None
    """PEM file of the client certificate."""
    client_key: "Path | None" = None
    """PEM file of its key, if that is a separate file."""
    proxy: Secret = NO_PROXY
    """`http://…` or `https://…`, perhaps with a user and password inside; `ENVIRONMENT_PROXY`; empty for none."""
    proxy_auth: BasicAuth | None = None
    """The credentials for the proxy at that URL; those of `ENVIRONMENT_PROXY` are inside of its own URL."""
    max_body_bytes: int = 64 * 1024 * 1024
    """The largest body accepted, after decoding."""
    safe_posts: frozenset[str] = frozenset()
    """Paths of POST calls, below the base URL, that only read, and may be repeated like GET."""
    attempts: int = 3
    """How often a request is sent at most, the first time included."""
    network: Network = REAL
    """The network to dial on."""
    user_agent: str = "connform"
    """The `User-Agent`."""
    headers: Mapping[str, str] = MappingProxyType({})
    """Plain headers of every request; a request may have others in their place."""
    query: Mapping[str, str] = MappingProxyType({})
    """Plain parameters of the query of every request; a request may have others in their place."""

    def __repr__(self) -> str:
        return f"<ClientSettings {self.name or self.base_url}>"
