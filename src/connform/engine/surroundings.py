"""Says where the secrets of a run come from and where its sockets go: the real world, or the simulator.

Layer 3.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from connform.engine.resolve import SecretSource, Stores
from connform.http.settings import REAL, Network
from connform.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from connform.manifest.decode import Manifest
    from connform.manifest.model import Connection
    from connform.simulator import Simulator


class Surroundings(NamedTuple):
    """What a run touches."""

    source: SecretSource
    """Where secrets come from."""
    network: Network
    """Where sockets go."""


class SyntheticSecrets:
    """The simulation's source: no reference is resolved, the simulator issues what it will accept."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator

    def secrets(self, connection: Connection) -> Mapping[str, Secret]:
        """Return synthetic secrets for a connection; an OAuth connection gets the token of a granted customer."""
        by_key = connection.auth.method == "api_key"
        issue = self._simulator.issue_api_key if by_key else self._simulator.issue_token
        return {key: Secret(issue()) for key in (*connection.auth.references, "access_token")}


def real(manifest: Manifest) -> Surroundings:
    """Return the world as it is."""
    return Surroundings(Stores(manifest.stores), REAL)


def simulated(simulator: Simulator) -> Surroundings:
    """Return a world in which a running simulator answers for every host."""
    network = Network(route=simulator.route, ca_pem=simulator.ca_pem)
    return Surroundings(SyntheticSecrets(simulator), network)


@contextmanager
def surroundings(manifest: Manifest, *, simulate: bool) -> Iterator[Surroundings]:
    """Yield the world of a run; with `simulate`, a simulator runs meanwhile."""
    if not simulate:
        yield real(manifest)
        return
    from connform.simulator import Simulator

    with Simulator() as simulator:
        yield simulated(simulator)
