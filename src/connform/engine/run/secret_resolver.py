"""The secret resolver: reads the secret references of a run from their stores.

Layer 3; calls the secret backends.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from math import inf
from pathlib import Path
from threading import Lock
from typing import NamedTuple, Protocol

from connform.engine.load.catalog import backend, depends_on_folder
from connform.engine.run.progress import SILENT, Progress, waiting_for
from connform.engine.run.store_session import StoreSession
from connform.engine.run.threads import at_most, call_each
from connform.errors import ConnectionFailed, SecretUnresolved
from connform.http.credential import HeaderLines
from connform.manifest.model import Connection, Store
from connform.process_local import ProcessLocal
from connform.secret import Secret, SecretReference
from connform.secrets.kit.interface import DEFAULT_TIMEOUT_S, Backend, Fetched, OpenStore, Outcome, StoreConfig

_STORES_AT_ONCE = at_most(16)
_NO_FOLDER = Path()


class SecretSource(Protocol):
    """A source of the secrets of a run."""

    generation: int
    """How often all secrets were forgotten, or others were read instead of those that a server refused."""

    def prepare(self, connections: Iterable[Connection], progress: Progress = SILENT) -> None:
        """Read the secrets of connections, many at once; `secrets` raises the failures later."""

    def secrets(self, connection: Connection) -> Mapping[str, Secret]:
        """Return a connection's secrets by their key under `auth:`.

        Raises:
            SecretUnresolved: a secret can't be read.
        """

    def secrets_again(self, connection: Connection, refused: Mapping[str, Secret]) -> Mapping[str, Secret]:
        """Return the same, read again from their stores; called after a server refused those of an earlier call."""

    def fetch(self, references: Sequence[SecretReference], base: Path) -> list[Secret]:
        """Return the secrets of other references, in their order; relative paths start at `base`.

        Raises:
            SecretUnresolved: a secret can't be read.
        """

    def expire_all(self) -> None:
        """Let every secret be read again, from stores that are opened anew."""

    def versions(self, connection: Connection) -> Mapping[str, str]:
        """Return the versions of a connection's secrets by their key, of those that were read and have one."""

    def known(self) -> Sequence[Secret]:
        """Return every secret that was read so far."""

    def close(self) -> None:
        """Log out of the stores."""


class RequestedSecret(NamedTuple):
    """A secret reference, with the folder for relative paths."""

    reference: SecretReference
    """The reference."""
    base: Path
    """Relative paths start here, if the reference names no declared store."""


class SecretResolver:
    """The source of secrets of a real run: it opens each store once, and reads each reference once. Or that of a program.

    Safe to share between threads.
    """

    def __init__(self, stores: Mapping[str, Store], *, long_lived: bool = False, max_s: float = inf) -> None:
        """Take the declared stores.

        Args:
            stores: name → store.
            long_lived: whether it serves a program that runs for long, as for `StoreSession`.
            max_s: the time limit of a read, where that of the store is longer.
        """
        self.generation = 0
        self._stores = stores
        self._long_lived = long_lived
        self._max_s = max_s
        self._sessions: dict[tuple[str, Path], StoreSession] = {}
        self._lock = ProcessLocal(Lock)

    def prepare(self, connections: Iterable[Connection], progress: Progress = SILENT) -> None:
        """Read the secrets of connections, many at once; failures are remembered."""
        self.read(
            [
                RequestedSecret(reference, connection.base)
                for connection in connections
                for reference in connection.references.values()
            ],
            progress,
        )

    def secrets(self, connection: Connection) -> Mapping[str, Secret]:
        """Return a connection's secrets by their key under `auth:`."""
        references = connection.auth.references
        outcomes = self.read([RequestedSecret(reference, connection.base) for reference in references.values()])
        return dict(zip(references, map(_require_secret, outcomes), strict=True))

    def secrets_again(self, connection: Connection, refused: Mapping[str, Secret]) -> Mapping[str, Secret]:
        """Return the same, read again from their stores, unless that was done a moment ago."""
        self._expire(list(connection.auth.references.values()), connection.base)
        secrets = self.secrets(connection)
        if not are_same(secrets, refused):
            self.generation += 1  # no other credential sends what was refused
        return secrets

    def expire_all(self) -> None:
        """Let every secret be read again, from stores that are opened anew."""
        for session in self._all_sessions():
            session.expire_all()
        self.generation += 1  # last: a credential that sees it finds no old secret

    def read_failed_again(self, connections: Iterable[Connection]) -> None:
        """Read again the secrets of connections that could not be read, from stores that are opened anew.

        Other threads go on with the failures until the new outcomes are there.
        """
        failed = [
            RequestedSecret(connection.references[key], connection.base)
            for connection in connections
            for key, outcome in self.outcomes(connection).items()
            if isinstance(outcome, SecretUnresolved)
        ]
        again = SecretResolver(self._stores, max_s=self._max_s)
        try:
            for (reference, base), outcome in zip(failed, again.read(failed), strict=True):
                self._session(reference.scheme, base).replace(reference, outcome)
        finally:
            again.close()

    def versions(self, connection: Connection) -> Mapping[str, str]:
        """Return the versions of a connection's secrets, of those that were read and have one."""
        return {
            key: outcome.version
            for key, outcome in self.outcomes(connection).items()
            if isinstance(outcome, Fetched) and outcome.version
        }

    def outcomes(self, connection: Connection) -> Mapping[str, Outcome]:
        """Return the outcomes of a connection's references by their key, of those that were read."""
        return {
            key: outcome
            for key, reference in connection.references.items()
            if (outcome := self._session(reference.scheme, connection.base).outcome(reference)) is not None
        }

    def known(self) -> Sequence[Secret]:
        """Return every secret that was read so far, including those that open stores."""
        return [secret for session in self._all_sessions() for secret in session.secrets]

    def fetch(self, references: Sequence[SecretReference], base: Path) -> list[Secret]:
        """Return the secrets of references, in their order.

        Args:
            references: the references.
            base: relative paths start here, unless the reference names a declared store, which has a folder of its own.

        Raises:
            SecretUnresolved: a secret can't be read.
            ConnectionFailed: `config_invalid`, there is no such scheme.
        """
        return [_require_secret(outcome) for outcome in self.read([RequestedSecret(one, base) for one in references])]

    def read(self, requested: Sequence[RequestedSecret], progress: Progress = SILENT) -> list[Outcome]:
        """Return the outcome of each reference, in their order; `progress` is told which stores are waited for.

        Raises:
            ConnectionFailed: `config_invalid`, there is no such scheme.
        """
        sessions = [self._session(reference.scheme, base) for reference, base in requested]
        groups = _grouped(sessions, [reference for reference, _ in requested])
        progress.begin("reading secrets", len(groups))

        def read_session(session: StoreSession) -> Mapping[SecretReference, Outcome]:
            with waiting_for(session.name, progress):
                return session.read(groups[session])

        if len(groups) == 1:  # the usual case of one connection, without a thread
            outcomes = {session: read_session(session) for session in groups}
        else:
            calls = list(call_each(read_session, deque(groups), _STORES_AT_ONCE))
            outcomes = {session: future.result() for session, future in calls}
        return [outcomes[session][reference] for session, (reference, _) in zip(sessions, requested, strict=True)]

    def log_in(self, scheme: str, base: Path) -> bool:
        """Log in to the store or backend of a scheme; result and errors as for `StoreSession.log_in`."""
        return self._session(scheme, base).log_in()

    def close(self) -> None:
        """Log out of the stores, and forget the secrets; later calls open the stores again."""
        with self._lock.own:
            sessions, self._sessions = list(self._sessions.values()), {}
        for session in sessions:
            session.close()

    def _expire(self, references: Sequence[SecretReference], base: Path) -> None:
        sessions = [self._session(reference.scheme, base) for reference in references]
        for session, its_own in _grouped(sessions, references).items():
            session.expire(its_own)

    def _all_sessions(self) -> list[StoreSession]:
        # Without the lock: a signal handler may have interrupted its holder.
        return list(self._sessions.copy().values())

    def _session(self, scheme: str, base: Path) -> StoreSession:
        store = self._stores.get(scheme)
        folder = base if store is None and depends_on_folder(scheme) else _NO_FOLDER
        if known := self._sessions.get((scheme, folder)):
            return known
        with self._lock.own:
            if (scheme, folder) not in self._sessions:
                self._sessions[scheme, folder] = self._new_session(scheme, store, base)
            return self._sessions[scheme, folder]

    def _new_session(self, scheme: str, store: Store | None, base: Path) -> StoreSession:
        try:
            kind = backend(store.type if store else scheme)
        except LookupError:  # not in a manifest: validation refuses unknown schemes
            raise ConnectionFailed("config_invalid", f"no secret backend has the scheme {scheme}://") from None
        timeout_s = min(store.timeout_s if store else DEFAULT_TIMEOUT_S, self._max_s)
        if store is None:
            name, open_store = f"{scheme}://", partial(kind.open, StoreConfig(base, timeout_s=timeout_s))
        else:
            store = store._replace(timeout_s=timeout_s)
            name, open_store = f"the store {scheme}", partial(self._open_store, kind, store)
        return StoreSession(name, open_store, timeout_s, long_lived=self._long_lived)

    def _open_store(self, kind: Backend, store: Store) -> OpenStore:
        self._expire(list(store.references.values()), store.base)
        try:
            # These are references of bare backends: the credentials of a store lie in no other store.
            values = self.fetch(list(store.references.values()), store.base)
        except SecretUnresolved as failure:
            message = f"the store {store.name} can't be opened: {failure.message}"
            raise SecretUnresolved(failure.fault.name, message, failure.hint) from None
        secrets = dict(zip(store.references, values, strict=True))
        return kind.open(StoreConfig(store.base, store.settings, secrets, store.timeout_s))


def are_same(some: Mapping[str, Secret], others: Mapping[str, Secret]) -> bool:
    """Return whether secrets have the same keys and values."""
    return HeaderLines(*some.items()) == HeaderLines(*others.items())


def _grouped(
    sessions: Iterable[StoreSession], references: Iterable[SecretReference]
) -> dict[StoreSession, list[SecretReference]]:
    groups: dict[StoreSession, list[SecretReference]] = {}
    for session, reference in zip(sessions, references, strict=True):
        groups.setdefault(session, []).append(reference)
    return groups


def _require_secret(outcome: Outcome) -> Secret:
    if isinstance(outcome, SecretUnresolved):
        # A new object, because the cached one may be needed again.
        raise SecretUnresolved(outcome.fault.name, outcome.message, outcome.hint)
    return outcome.secret
