"""Ready credentials for `token` and `exec`, which pass them on to other programs.

Layer 3; uses the network if an access token must be renewed. With a simulator, writes its CA certificate to a temporary file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from connform.engine.run.client import client_settings
from connform.engine.run.state_location import StateLocation
from connform.errors import Refused, UnknownConnection
from connform.http.credential import HeaderLines
from connform.http.header import BEARER_SCHEME
from connform.http.net import deadline
from connform.http.settings import Network
from connform.manifest.model import Connection
from connform.secret import Secret
from connform.tracebacks import hidden_frames

if TYPE_CHECKING:
    from connform.engine.run.context import RunContext


class ReadyCredential(NamedTuple):
    """What a program needs to use a connection without connform."""

    connection: str
    """Its name."""
    base_url: str
    """The API root."""
    carrier: str
    """The header that carries the credential: `Authorization`, `api_key`, …; or the parameter of the query; empty where nothing is sent."""
    value: Secret
    """The value of the header, without the scheme, or of the parameter, not encoded."""
    scheme: str = ""
    """The authentication scheme in front of the value, such as `Bearer` (RFC 9110 §11.1); empty for none."""
    expires_at: datetime | None = None
    """When it expires, aware UTC; `None` if unknown."""
    scopes: tuple[str, ...] = ()
    """Granted scopes; empty if unknown."""
    ca_file: str = ""
    """PEM file of the certificates to trust; empty for those of the system."""
    in_query: bool = False
    """Whether a parameter of the query carries the credential."""

    @property
    def is_token(self) -> bool:
        """Whether it is a bearer token (RFC 6750)."""
        return self.scheme == BEARER_SCHEME

    @property
    def header_value(self) -> Secret:
        """The whole value of the header."""
        with hidden_frames():
            return Secret(f"{self.scheme} {self.value.reveal()}") if self.scheme else self.value


class ExportedCredential(NamedTuple):
    """The credentials for other programs, and the secrets to mask in their output."""

    credentials: tuple[ReadyCredential, ...]
    """In the order in which their names were given."""
    secrets: tuple[Secret, ...]
    """All secrets that this run has read, and those of the credentials."""


def export_credential(
    connection: Connection, context: RunContext, timeout_s: float | None = None, *, force_renewal: bool = False
) -> ReadyCredential:
    """Return the credential of a connection; an access token is renewed if needed, or if it is forced and not new.

    Raises:
        ConnectionFailed: a secret can't be resolved, a login is required, the access token can't be renewed.
        Refused: the credential is more than one header or parameter, or a renewal is forced of one that is never renewed.
    """
    settings = client_settings(connection, context, total_s=timeout_s)
    credential = settings.credential
    assert credential is not None  # noqa: S101  (every auth method makes one)
    if force_renewal and not credential.is_renewable:
        message = (
            f"{connection.name} authenticates with {connection.auth.method}, which connform reads and never renews"
        )
        raise Refused(message)
    lines = credential.headers()
    if credential.is_renewable:
        with deadline.within(settings.total_s):
            lines = lines or credential.renew()
            if force_renewal:
                lines = credential.renew(refused=lines)
    facts = credential.facts
    if len(lines) > 1:
        message = (
            f"{connection.name} authenticates with {len(lines)} headers or parameters, and only one can be handed over"
        )
        raise Refused(message)
    return ReadyCredential(
        connection.name,
        settings.base_url,
        *_carrier_and_value(lines, credential.scheme),
        "" if lines.parameters else credential.scheme,
        expires_at=facts.expires_at if facts else None,
        scopes=facts.scopes if facts else (),
        ca_file=str(settings.ca_file.absolute()) if settings.ca_file else "",
        in_query=bool(lines.parameters),
    )


def _carrier_and_value(lines: HeaderLines, scheme: str) -> tuple[str, Secret]:
    """Return the name of a parameter with its value, or that of a header with its value without the scheme; empty ones for nothing."""
    if not lines:
        return "", Secret("")
    if lines.parameters:
        return lines.parameters[0]
    with hidden_frames():
        ((name, value),) = lines.reveal()
        return name.decode("ascii"), Secret(value.decode("ascii").removeprefix(f"{scheme} "))


@contextmanager
def export_credentials(
    files: Sequence[str],
    names: Sequence[str],
    *,
    simulate: bool,
    timeout_s: float | None,
    state: StateLocation,
    policies: Sequence[str] = (),
    force_renewal: bool = False,
) -> Iterator[ExportedCredential]:
    """Yield the credentials of connections.

    The tables of grants are closed before the block begins. A simulator runs until the block ends; the base URLs lead to it.

    Args:
        files: manifests; empty for the default search.
        names: the connections.
        simulate: return synthetic credentials, which work with an embedded simulator.
        timeout_s: the limit for each credential.
        state: where grants are stored.
        policies: policy files and folders that judge every connection.
        force_renewal: renew access tokens that have not ended.

    Raises:
        ManifestInvalid: a manifest has errors.
        UnknownConnection: no connection has that name.
        ConnectionFailed: as for `export_credential`.
        Refused: the same.
    """
    from connform.engine.load.manifest import load_manifest
    from connform.engine.load.selection import unknown_connection
    from connform.engine.run.context import run_context

    manifest = load_manifest(files, policies)
    for name in names:
        if name not in manifest:
            raise UnknownConnection(unknown_connection(name, manifest))
    with run_context(manifest, simulate=simulate, state=state) as context, _ca_file(context.network) as ca_file:
        credentials = [
            export_credential(manifest[name], context, timeout_s, force_renewal=force_renewal) for name in names
        ]
        context.tokens.close()
        context.grants.close()
        if ca_file:
            credentials = [_for_simulator(one, context.network, ca_file) for one in credentials]
        sent = (one.value for one in credentials if one.carrier)
        yield ExportedCredential(tuple(credentials), (*context.source.known(), *sent))


@contextmanager
def _ca_file(network: Network) -> Iterator[str]:
    """Yield the name of a file with the CA certificate of the simulator; an empty name without a simulator."""
    if network.ca_pem is None:
        yield ""
        return
    with TemporaryDirectory(prefix="connform-") as folder:
        file = Path(folder, "ca.pem")
        file.write_bytes(network.ca_pem)
        yield str(file)


def _for_simulator(credential: ReadyCredential, network: Network, ca_file: str) -> ReadyCredential:
    """Return the credential with the address and CA file of the simulator, for programs that can't use its route."""
    assert network.route is not None  # noqa: S101  (a simulator has one)
    url = urlsplit(credential.base_url)
    host, port = network.route(url.hostname or "", url.port or 443)
    return credential._replace(base_url=f"https://{host}:{port}{url.path}", ca_file=ca_file)
