"""Index of the secrets in recorded specifications: production connections that use them, and destinations.

Layer 3; reads the recorded state.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from connform.engine.changes.origins import sends
from connform.errors import ConnectionFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from connform.engine.changes.origins import Destination
    from connform.engine.changes.secret_identity import SecretIdentity
    from connform.engine.run.states import StateOfRun
    from connform.recorded import Applied, Former

PRODUCTION: Final = "production"


def is_production(spec: Mapping[str, Any]) -> bool:
    """Whether a specification is that of a production connection."""
    environment: str = spec.get("settings", {}).get("environment", "")
    return environment == PRODUCTION


class ProductionSecrets:
    """What recorded connections send where."""

    def __init__(self, specs: Iterable[Former] = (), real_path: Callable[[str], str] = str) -> None:
        """Take connections with what is, or once was, recorded of them, and what says where a file's path leads."""
        self._real_path = real_path
        self._origins: dict[SecretIdentity, dict[Destination, None]] = {}
        self._places: dict[object, dict[SecretIdentity, None]] = {}
        self._users: dict[SecretIdentity, str] = {}
        for name, spec in specs:
            for send in sends(spec):
                place = self._real(send.place)
                for key in place.keys if place not in self._origins else ():
                    self._places.setdefault(key, {})[place] = None
                self._origins.setdefault(place, {})[send.to] = None
                if is_production(spec):
                    self._users.setdefault(place, name)

    def user(self, place: SecretIdentity) -> str:
        """Return a production connection that uses a secret, or once did; empty where none does."""
        return next((self._users[one] for one in self._same(self._real(place)) if one in self._users), "")

    def origins(self, place: SecretIdentity) -> tuple[Destination, ...]:
        """Return the origins that get a secret, or all that it is a part of."""
        real = self._real(place)
        whole = [one for one in self._same(real) if real.is_in(one)]
        return tuple(dict.fromkeys(origin for one in whole for origin in self._origins[one]))

    def _same(self, real: SecretIdentity) -> Iterator[SecretIdentity]:
        return (one for key in real.wanted for one in self._places.get(key, ()) if one.is_same(real))

    def _real(self, place: SecretIdentity) -> SecretIdentity:
        if not place.is_file:
            return place
        path = self._real_path(place.path)
        return place._replace(path=path, is_open=not path.startswith("/"))


def production_secrets(states: StateOfRun) -> ProductionSecrets:
    """Return what is known in the states of a run, and in those of the folders around it, where they are this user's.

    Raises:
        ConnectionFailed: a fault of the store.
    """
    specs = [one for home in states.all for one in home.specifications()]
    for home in states.around():
        with suppress(ConnectionFailed):
            specs += home.specifications()
        home.close()
    return ProductionSecrets(specs, states.real_path)


def records_to_keep(applied: Applied | None, after: Mapping[str, Any]) -> tuple[Former, ...]:
    """Return what was applied of a production connection, by its name, where less of it would be known without it.

    Args:
        applied: what was applied.
        after: the specification that takes its place; empty where none does.
    """
    if applied is None or not is_production(applied.spec):
        return ()
    left = sends(after) if after else ()
    return () if set(sends(applied.spec)) <= set(left) else ((applied.connection, applied.spec),)
