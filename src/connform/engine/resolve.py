"""Turns a declared connection into a resolved one: its secrets fetched, its credential ready.

Layer 3; calls the secret backends.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn, Protocol

from connform.engine.catalog import auth_method, backend, provider
from connform.secrets.interface import Place

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from connform.auth.interface import Credential
    from connform.manifest.model import Connection, Store
    from connform.providers.interface import Instance
    from connform.secret import Secret, SecretReference


@dataclass(frozen=True, slots=True)
class ResolvedConnection:
    """A connection with its credential: the only type that holds secrets. It can't be pickled or copied."""

    connection: Connection
    """What was declared."""
    instance: Instance
    """Where the API lives."""
    credential: Credential = field(repr=False)
    """What the transport adds to each request."""

    def __reduce__(self) -> NoReturn:
        message = "a resolved connection can't be pickled or copied out of its process"
        raise TypeError(message)


class SecretSource(Protocol):
    """Where the secrets of a run come from."""

    def secrets(self, connection: Connection) -> Mapping[str, Secret]:
        """Return a connection's secrets by their key under `auth:`.

        Raises:
            SecretUnresolved: a reference leads nowhere.
        """


class Stores:
    """The real source: stores and backends, each reference fetched once per run."""

    def __init__(self, stores: Mapping[str, Store]) -> None:
        self._stores = stores
        self._fetched: dict[tuple[str, Path, SecretReference], Secret] = {}

    def secrets(self, connection: Connection) -> Mapping[str, Secret]:
        """Return a connection's secrets; those that lie in one place come from one snapshot of it."""
        references = connection.auth.references
        found: dict[str, Secret] = {}
        for scheme in dict.fromkeys(reference.scheme for reference in references.values()):
            keys = [key for key, reference in references.items() if reference.scheme == scheme]
            found |= zip(keys, self._fetch(scheme, [references[key] for key in keys], connection.base), strict=True)
        return found

    def _fetch(self, scheme: str, references: list[SecretReference], base: Path) -> list[Secret]:
        store = self._stores.get(scheme)
        place = Place(store.base, store.settings) if store else Place(base, {})
        wanted = [(scheme, place.base, reference) for reference in references]
        if not all(key in self._fetched for key in wanted):
            fetched = backend(store.type if store else scheme).fetch(references, place)
            self._fetched.update(zip(wanted, fetched, strict=True))
        return [self._fetched[key] for key in wanted]


def resolve(connection: Connection, source: SecretSource) -> ResolvedConnection:
    """Return the connection with its credential.

    Raises:
        ConnectionFailed: a fault of the stage `secret`, or `login_required`.
    """
    instance = provider(connection.provider).instance(connection)
    secrets = source.secrets(connection) if connection.auth.references else {}
    credential = auth_method(connection.auth.method).credential(secrets, instance.api_key_header)
    return ResolvedConnection(connection, instance, credential)
