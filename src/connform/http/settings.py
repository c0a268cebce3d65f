"""Settings of one connection's client, and the protocols of its credential and observer.

Layer 1, no IO, nothing heavy.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable

from connform.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from connform.faults import Stage


class HeaderLines:
    """The header lines that carry a credential. Nothing shows them; they are true where there are any, and can be compared."""

    __slots__ = ("_lines",)

    def __init__(self, *lines: tuple[str, Secret]) -> None:
        """Take names and values."""
        self._lines = lines

    def reveal(self) -> list[tuple[bytes, bytes]]:
        """Return the lines themselves. Called where a request is built, and inside of `hidden_frames`."""
        return [(name.encode(), value.reveal().encode(errors="surrogatepass")) for name, value in self._lines]

    def __bool__(self) -> bool:
        return bool(self._lines)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, HeaderLines) and self.reveal() == other.reveal()

    __hash__ = None  # type: ignore[assignment]  # a digest of a secret is kept in `limits` alone, where it has a key

    def __repr__(self) -> str:
        return "<credential>"


NO_LINES: Final = HeaderLines()
"""Nothing is sent, or known yet."""


class Credential(Protocol):
    """What the transport adds to a request, below everything that a user can see."""

    def headers(self) -> HeaderLines:
        """Return the header lines that carry the credential; empty where it must be renewed first. No IO."""


@runtime_checkable
class Renewable(Credential, Protocol):
    """A credential that ends, and can be had anew."""

    def renew(self, refused: HeaderLines = NO_LINES) -> HeaderLines:
        """Return the lines of a credential that works, as far as one can be had; blocks, and may use a store and the network.

        Many threads may ask at once; one of them does the work. It ends by the deadline of `http.deadline`.

        Args:
            refused: the lines that the server answered with 401; empty where none were sent. The same come back where
                nothing newer can be had: then the 401 stands.

        Raises:
            ConnectionFailed: no credential can be had.
        """


class Observer(Protocol):
    """Whoever wants to know how a connection comes about."""

    def stage(self, stage: Stage, elapsed_s: float, facts: Mapping[str, object]) -> None:
        """Take note that the stage `dns`, `tcp` or `tls` ended well.

        Args:
            stage: which; one that fails raises instead, and a connection that is used again has none.
            elapsed_s: how long it took.
            facts: JSON-ready. dns: `addresses`; tcp: `address`; tls: `tls_version`, `cert_expires_at`, `cert_issuer`.
        """


@dataclass(frozen=True, slots=True)
class Network:
    """Where sockets really go: the simulator's way in."""

    route: Callable[[str, int], tuple[str, int]] | None = None
    """Host and port to the IP address and port to dial instead; no name is looked up and no proxy asked."""
    ca_pem: bytes | None = None
    """With it, only these certificates are trusted, and no certificate file is read."""


REAL: Final = Network()
"""The network as it is."""
NO_PROXY: Final = Secret("")
"""Servers are reached directly."""


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """Everything that one connection's client is made of."""

    base_url: str
    """API root; requests to any other origin are refused."""
    credential: Credential | None = field(default=None, repr=False)
    """What is added to each request."""
    account: str = ""
    """Whose credential that is, the same through all renewals; empty where it is never renewed. Rate limits are remembered for it."""
    connect_s: float = 5.0
    """The look-up, the TCP connection and the TLS handshake may take that long each."""
    read_s: float = 30.0
    """The server may be silent that long."""
    write_s: float = 30.0
    """The server may refuse to take more bytes that long."""
    pool_s: float = 5.0
    """A request waits that long for one of the client's connections."""
    total_s: float = 60.0
    """The whole exchange, from the look-up to the last byte of the body."""
    ca_file: Path | None = None
    """PEM file of trusted certificates, instead of the system's."""
    client_cert: Path | None = None
    """PEM file of the certificate that the client shows."""
    client_key: Path | None = None
    """Its key, where that lies apart."""
    proxy: Secret = NO_PROXY
    """`http://…` or `https://…`, perhaps with a user and password inside; empty for none."""
    max_body_bytes: int = 64 * 1024 * 1024
    """The largest body accepted, after decoding."""
    safe_posts: frozenset[str] = frozenset()
    """Paths of POST calls, below the base URL, that only read: as safe to repeat as GET."""
    attempts: int = 3
    """How often a request is tried at most, the first time included."""
    network: Network = REAL
    """Where sockets go."""
    user_agent: str = "connform"
    """The `User-Agent`."""
