"""Index of the secrets in recorded specifications: production connections that use them, and destinations.

Layer 3; reads the recorded state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from connform.engine.changes.definition_part import recorded_definition
from connform.engine.changes.destination import Destination
from connform.engine.changes.secret_identity import SecretIdentity
from connform.engine.changes.sends import sends
from connform.engine.load.environment_class import environment_class
from connform.engine.run.states import StateOfRun
from connform.errors import ConnectionFailed
from connform.lazy_property import lazy_property
from connform.providers.environments import PRODUCTION
from connform.recorded import Applied, EarlierSpec


def is_production(spec: Mapping[str, Any]) -> bool:
    """Whether a specification is that of a production connection."""
    return environment_class(spec.get("settings", {}), recorded_definition(spec)) == PRODUCTION


class ProductionSecrets:
    """The destinations of secrets in recorded specifications, and the production connections that use them."""

    def __init__(self, specs: Iterable[EarlierSpec] = (), real_path: Callable[[str], str] = str) -> None:
        """Take what is indexed when it is first asked for: a plan whose changes send nothing else needs no index.

        Args:
            specs: the names of connections, with their present and former recorded specifications.
            real_path: returns a file's path with links followed.
        """
        self._specs = specs
        self._real_path = real_path
        self._destinations: dict[SecretIdentity, dict[Destination, None]] = {}
        self._users: dict[SecretIdentity, str] = {}
        self._found: dict[SecretIdentity, Mapping[Destination, set[str]]] = {}

    @lazy_property
    def _index(self) -> Mapping[object, Mapping[SecretIdentity, None]]:
        """The identities by their keys. With it, destinations and users are found."""
        index: dict[object, dict[SecretIdentity, None]] = {}
        for name, spec in self._specs:
            of_production = is_production(spec)
            for send in sends(spec):
                identity = self._with_real_path(send.identity)
                for key in identity.index_keys if identity not in self._destinations else ():
                    index.setdefault(key, {})[identity] = None
                self._destinations.setdefault(identity, {})[send.to] = None
                if of_production:
                    self._users.setdefault(identity, name)
        return index

    @property
    def is_empty(self) -> bool:
        """Whether nothing is recorded."""
        return not self._index

    def user(self, identity: SecretIdentity) -> str:
        """Return the name of a production connection that uses a secret, or once did; empty if there is none."""
        return next(
            (self._users[same] for same in self._matching(self._with_real_path(identity)) if same in self._users), ""
        )

    def destinations(self, identity: SecretIdentity) -> Mapping[Destination, set[str]]:
        """Return the recorded destinations of a secret, or of one that contains it: without their classes → the classes."""
        if identity not in self._found:  # thousands of connections may share one secret
            real = self._with_real_path(identity)
            found: dict[Destination, set[str]] = {}
            for other in self._matching(real):
                for to in self._destinations[other] if real.is_part_of(other) else ():
                    found.setdefault(to.without_class, set()).add(to.environment_class)
            self._found[identity] = found
        return self._found[identity]

    def _matching(self, identity: SecretIdentity) -> Iterator[SecretIdentity]:
        return (
            candidate
            for key in identity.lookup_keys
            for candidate in self._index.get(key, ())
            if candidate.is_same(identity)
        )

    def _with_real_path(self, identity: SecretIdentity) -> SecretIdentity:
        if not identity.is_file:
            return identity
        path = self._real_path(identity.path)
        return identity._replace(path=path, is_open=not path.startswith("/"))


def production_secrets(states: StateOfRun) -> ProductionSecrets:
    """Return the recorded secrets of a run, and those recorded in other folders of its repository, if these can be read.

    The state is read when a secret is first looked for, which raises `ConnectionFailed` for a fault of the run's own state database.
    """
    return ProductionSecrets(_recorded_specs(states), states.paths.real_path)


def _recorded_specs(states: StateOfRun) -> Iterator[EarlierSpec]:
    for table in states.tables:
        yield from table.specifications()
    for table in states.other_tables():
        with suppress(ConnectionFailed):
            yield from table.specifications()
        table.close()


def records_to_keep(applied: Applied | None, after: Mapping[str, Any]) -> tuple[EarlierSpec, ...]:
    """Return the applied specification of a production connection, if a destination in it would no longer be recorded.

    Args:
        applied: what was applied; `None` if nothing was.
        after: the specification that replaces it; empty for a removal.
    """
    if applied is None or not is_production(applied.spec):
        return ()
    sends_after = sends(after) if after else ()
    return () if set(sends(applied.spec)) <= set(sends_after) else ((applied.connection, applied.spec),)
