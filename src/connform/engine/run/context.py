"""The run context: the source of secrets, the stores of grants and the network of a run, real or simulated.

Layer 3.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from connform.engine.load.catalog import provider_of
from connform.engine.load.scopes import requested_scopes
from connform.engine.run.grants import GrantsOfRun, StoredGrants
from connform.engine.run.secret_resolver import SecretResolver, SecretSource
from connform.engine.run.state_location import DEFAULT, StateLocation
from connform.engine.run.tokens import TokensOfRun
from connform.errors import ConnectionFailed
from connform.grant import Grant, GrantFacts, GrantStore
from connform.http.settings import REAL, Network
from connform.manifest.decode import Manifest
from connform.manifest.model import Connection
from connform.secret import Secret

if TYPE_CHECKING:
    from pathlib import Path

    from connform.engine.run.reread_credential import RereadCredential
    from connform.secret import SecretReference
    from connform.simulator import Simulator


class RunContext(NamedTuple):
    """The sources and targets of a run: secrets, grants, network."""

    source: SecretSource
    """The source of secrets."""
    grants: GrantsOfRun
    """The stores of grants."""
    tokens: TokensOfRun
    """The stores of issued tokens."""
    network: Network
    """The network to which sockets connect."""
    credentials: dict[str, RereadCredential]
    """The credentials of a program that runs for long, by account: clients of a connection share one until the next `refresh()`."""


class SyntheticSecrets:
    """The simulation's source of secrets: it resolves no reference; the simulator issues secrets that it accepts."""

    generation = 0

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._issued: dict[str, Mapping[str, Secret]] = {}

    def prepare(self, connections: Iterable[Connection]) -> None:
        """Have the simulator give each check an answer that its provider judges ready."""
        for connection in connections:
            with suppress(ConnectionFailed):  # a bug of a plug-in, which the check reports
                self._expect_ready(connection)

    def _expect_ready(self, connection: Connection) -> None:
        api = provider_of(connection)
        ready_answer = getattr(api, "ready_answer", None)
        if ready_answer is not None:
            request, answer = api.check_request(connection), ready_answer(connection)
            url = urlsplit(f"{api.instance(connection).base_url}{request.path}")
            content_type = answer.headers.get("content-type", "")
            reply = (answer.status, content_type, answer.body or b"")
            self._simulator.reply(url.hostname or "", request.method, url.path, *reply)

    def secrets(self, connection: Connection) -> Mapping[str, Secret]:
        """Return synthetic secrets for a connection, the same each time."""
        if connection.name in self._issued:
            return self._issued[connection.name]
        uses_api_key = connection.auth.method == "api_key"
        issue = self._simulator.issue_api_key if uses_api_key else self._simulator.issue_token
        return self._issued.setdefault(connection.name, {key: Secret(issue()) for key in connection.auth.references})

    def secrets_again(self, connection: Connection, refused: Mapping[str, Secret]) -> Mapping[str, Secret]:  # noqa: ARG002  (it issues others each time)
        """Return other synthetic secrets."""
        self._issued.pop(connection.name, None)
        return self.secrets(connection)

    def fetch(self, references: Sequence[SecretReference], base: Path) -> list[Secret]:  # noqa: ARG002  (nothing is read)
        """Return synthetic secrets, as of a proxy that isn't asked."""
        return [Secret(self._simulator.issue_token()) for _ in references]

    def expire_all(self) -> None:
        """Do nothing: no secret was read."""

    def versions(self, connection: Connection) -> Mapping[str, str]:  # noqa: ARG002  (they have none)
        """Return nothing: synthetic secrets have no versions."""
        return {}

    def known(self) -> Sequence[Secret]:
        """Return nothing: synthetic secrets needn't be masked."""
        return ()

    def close(self) -> None:
        """Do nothing: the secrets end with the simulation."""


class SyntheticGrants:
    """The simulation's grants: each connection has a grant with the scopes that the manifest requests."""

    def __init__(self, simulator: Simulator) -> None:
        from connform.database.memory import MemoryStore

        self._simulator = simulator
        self._store = MemoryStore()

    def of(self, connection: Connection) -> GrantStore:
        """Return a store that contains the connection's grant."""
        if connection.name not in self._store.grants:
            settings = connection.auth.settings
            token_url = settings.get("token_url") or settings.get("issuer") or _token_url(connection)
            scopes = requested_scopes(connection.settings, connection.definition)
            host = urlsplit(token_url).hostname or ""
            access, refresh = self._simulator.issue_grant(host, settings["client_id"], scopes)
            facts = GrantFacts(
                connection=connection.name,
                token_url=token_url,
                client_id=settings["client_id"],
                scopes=scopes,
                obtained_at=datetime.now(UTC),
                expires_at=datetime.now(UTC) + timedelta(seconds=self._simulator.token_lifetime_s),
                is_renewable=bool(refresh),
            )
            grant = Grant(facts, Secret(access), Secret(refresh) if refresh else None)
            self._store.grants[connection.name] = grant
        return self._store

    def close(self) -> None:
        """Do nothing: the grants end with the simulation."""


def _token_url(connection: Connection) -> str:
    return provider_of(connection).instance(connection).token_url


def real_context(manifest: Manifest, state: StateLocation = DEFAULT, *, long_lived: bool = False) -> RunContext:
    """Return the context of a real run: secrets from their stores, recorded grants, the network of this machine.

    Args:
        manifest: the connections.
        state: the state database.
        long_lived: whether it serves a program that runs for long, as for `SecretResolver`.
    """
    source = SecretResolver(manifest.stores, long_lived=long_lived)
    grants = StoredGrants(state, source)
    return RunContext(source, grants, TokensOfRun(grants), REAL, {})


def simulated_context(simulator: Simulator) -> RunContext:
    """Return the context of a simulated run, in which a running simulator answers for every host."""
    network = Network(route=simulator.route, ca_pem=simulator.ca_pem)
    return RunContext(SyntheticSecrets(simulator), SyntheticGrants(simulator), TokensOfRun(None), network, {})


_SIMULATIONS: list[RunContext] = []
"""The contexts of the blocks `simulating` that this process is in, the innermost last."""


@contextmanager
def simulating(simulator: Simulator) -> Iterator[None]:
    """Let a running simulator answer what programs of this process ask, in all threads, until the end of the block.

    Only code of this process can say so, and no variable or file: a leftover of a test must not make a `check` ready.
    """
    context = simulated_context(simulator)
    _SIMULATIONS.append(context)
    try:
        yield
    finally:
        _SIMULATIONS.remove(context)


def simulation() -> RunContext | None:
    """Return the context of the block `simulating` that this process is in; `None` outside of any."""
    return _SIMULATIONS[-1] if _SIMULATIONS else None


@contextmanager
def run_context(manifest: Manifest, *, simulate: bool, state: StateLocation = DEFAULT) -> Iterator[RunContext]:
    """Yield the context of a run, and close it at the end; with `simulate`, a simulator runs meanwhile."""
    if not simulate:
        context = real_context(manifest, state)
        try:
            yield context
        finally:
            context.tokens.close()
            context.grants.close()
            context.source.close()
        return
    if outer := simulation():
        yield outer
        return
    from connform.simulator import Simulator

    with Simulator() as simulator:
        yield simulated_context(simulator)
