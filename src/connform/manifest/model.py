"""The typed model of a manifest: what every room above reads.

Layer 1, no IO. Nothing in it is secret: a credential is a `SecretReference` until `engine.resolve`.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from connform.diagnostics import Span
    from connform.manifest.document import Entry
    from connform.secret import SecretReference


class Auth(NamedTuple):
    """How a connection authenticates."""

    method: str
    """A key of `connform.auth.METHODS`: `api_key`, `oauth2`, `bearer`."""
    references: Mapping[str, SecretReference]
    """The secrets that the method needs, by key: `api_key`, `client_id`, …"""
    settings: Mapping[str, Any]
    """The method's other keys, plain data: `redirect_uri`, `scopes`, …"""


class Tls(NamedTuple):
    """Files for TLS; absolute paths. All `None`: the system's trust store, no client certificate."""

    ca_file: Path | None = None
    """PEM certificates trusted instead of the system's."""
    client_cert: Path | None = None
    """PEM certificate chain of this client."""
    client_key: Path | None = None
    """PEM private key of `client_cert`."""


class Timeouts(NamedTuple):
    """Limits in seconds."""

    connect_s: float = 5.0
    """DNS, TCP and TLS, each."""
    read_s: float = 30.0
    """Silence of the server."""
    total_s: float = 60.0
    """The whole exchange, from the name look-up to the last byte."""


class Store(NamedTuple):
    """A place where secrets lie, as declared under `stores:`."""

    name: str
    """Its name, which references use as their scheme."""
    type: str
    """A key of `connform.secrets.BACKENDS`."""
    environment: str
    """The environment that its secrets belong to, or empty for any."""
    settings: Mapping[str, Any]
    """Its keys but for the type, plain data; backends read their own here."""
    base: Path
    """The folder of the manifest that declares it; relative paths start here."""
    timeout_s: float
    """How long one read may take."""
    references: Mapping[str, SecretReference] = MappingProxyType({})
    """The secrets that open it, by their path in the settings: `auth.token`."""


class Connection(NamedTuple):
    """One connection with its effective values: `defaults` < template < its own."""

    name: str
    """Unique over all files of a run."""
    provider: str
    """A key of `connform.providers.PROVIDERS`."""
    environment: str
    """`sandbox`, `production` or `private`; empty where the provider has none."""
    region: str
    """`us`, `ca`, `eu`; empty for a private instance."""
    auth: Auth
    """How it authenticates."""
    settings: Mapping[str, Any]
    """Every effective key as plain data; providers read their own keys here."""
    base: Path
    """The folder of its manifest; relative paths start here."""
    span: Span
    """The place of its name."""
    tls: Tls = Tls()
    """Files for TLS."""
    timeouts: Timeouts = Timeouts()
    """Limits."""
    proxy: str = ""
    """A proxy's URL, `environment`, or empty for none."""
    tags: tuple[str, ...] = ()
    """For `--tag`."""
    owner: str = ""
    """Whom to ask."""
    entry: Entry | None = None
    """Where its values come from: `place_of`, `origin_of`."""

    def place_of(self, *path: str | int) -> Span:
        """Return where the effective value at a path stands, through templates and defaults; else its name."""
        return self.entry.place(path) if self.entry else self.span

    def origin_of(self, *path: str | int) -> str:
        """Return `connection`, `template portal` or `defaults`; empty for connform's own default."""
        return self.entry.origin(path) if self.entry else ""
