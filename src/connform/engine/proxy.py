"""The verb `proxy`: connections whose requests connform sends for other programs.

Layer 3; reads manifests and secrets. With a simulator, that runs meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from connform.engine.load.manifest import load_manifest
from connform.engine.load.selection import unknown_connection
from connform.engine.run.client import client_settings
from connform.engine.run.context import run_context
from connform.engine.run.secret_variables import secret_variables
from connform.engine.run.state_location import StateLocation
from connform.environment import variables
from connform.errors import UnknownConnection
from connform.http.settings import ClientSettings
from connform.secret import Secret


class OfferedConnection(NamedTuple):
    """One connection, ready to be offered to programs."""

    settings: ClientSettings
    """Of its client."""
    allow: tuple[str, ...] | None
    """The rules of its manifest; `None` for everything below its base URL."""


class OfferedConnections(NamedTuple):
    """What a proxy offers."""

    connections: tuple[OfferedConnection, ...]
    """In the order in which they were named."""
    secrets: tuple[Secret, ...]
    """All secrets that were read, to be masked in outputs."""
    secret_variables: frozenset[str]
    """The environment variables of this process that hold their secrets, or lead to them."""


@contextmanager
def offered_connections(
    files: Sequence[str],
    names: Sequence[str],
    *,
    simulate: bool,
    timeout_s: float | None,
    state: StateLocation,
    policies: Sequence[str] = (),
) -> Iterator[OfferedConnections]:
    """Yield connections with their secrets read. At the end of the block, stores and the state database are closed.

    Args:
        files: manifests; empty for the default search.
        names: the connections.
        simulate: use an embedded simulator and synthetic secrets.
        timeout_s: the limit of an exchange, up to the headers of the answer.
        state: where grants are stored.
        policies: policy files and folders that judge every connection.

    Raises:
        ManifestInvalid: a manifest has errors.
        UnknownConnection: no connection has that name.
        ConnectionFailed: a secret can't be read.
    """
    manifest = load_manifest(files, policies)
    for name in names:
        if name not in manifest:
            raise UnknownConnection(unknown_connection(name, manifest))
    with run_context(manifest, simulate=simulate, state=state, long_lived=True) as context:
        offered = [
            OfferedConnection(
                client_settings(manifest[name], context, total_s=timeout_s, rereads=True),
                manifest[name].allow,
            )
            for name in names
        ]
        chosen = [manifest[name] for name in names]
        hidden = secret_variables(variables(), chosen, manifest.stores, state.url, state.key)
        yield OfferedConnections(tuple(offered), tuple(context.source.known()), hidden)
