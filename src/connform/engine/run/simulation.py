"""Synthetic secrets and grants of a simulated run, which the simulator accepts as the connections send them.

Layer 3, no IO.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from connform.database.memory import MemoryStore
from connform.engine.load.catalog import provider_of
from connform.engine.load.scopes import requested_scopes
from connform.engine.run.progress import SILENT, Progress
from connform.engine.run.simulated_api import play
from connform.errors import ConnectionFailed
from connform.grant import Grant, GrantFacts
from connform.manifest.model import Connection
from connform.secret import Secret

if TYPE_CHECKING:
    from pathlib import Path

    from connform.providers.interface import Answer
    from connform.secret import SecretReference
    from connform.simulator import Simulator


class SyntheticSecrets:
    """The simulation's source of secrets: it resolves no reference; the simulator issues secrets, and plays what takes them."""

    generation = 0

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator

    def prepare(self, connections: Iterable[Connection], progress: Progress = SILENT) -> None:  # noqa: ARG002  (it waits for nothing)
        """Have the simulator answer as the provider of each connection says: ready checks, and refusals."""
        for connection in connections:
            with suppress(ConnectionFailed):  # a bug of a plug-in, which the check reports
                self._play_answers(connection)

    def _play_answers(self, connection: Connection) -> None:
        api = provider_of(connection)
        request = api.check_request(connection)
        url = urlsplit(f"{api.instance(connection).base_url}{request.path}")
        host = url.hostname or ""
        if (ready_answer := getattr(api, "ready_answer", None)) is not None:
            self._simulator.reply(host, request.method, url.path, *_reply(ready_answer(connection)))
        if (example_answers := getattr(api, "example_answers", None)) is not None:
            for fault, answer in example_answers(connection).items():
                self._simulator.reply_to_fault(host, fault, *_reply(answer))

    def secrets(self, connection: Connection) -> Mapping[str, Secret]:
        """Return synthetic secrets for a connection, the same each time.

        Raises:
            ConnectionFailed: as for the auth method's `credential`.
        """
        settings, secrets = self._simulator.secrets.get(place_of(connection), ({}, {}))
        if settings != connection.settings:
            secrets = play(self._simulator, place_of(connection), connection)
            self._simulator.secrets[place_of(connection)] = connection.settings, secrets
        return secrets

    def secrets_again(self, connection: Connection, refused: Mapping[str, Secret]) -> Mapping[str, Secret]:  # noqa: ARG002  (it issues others each time)
        """Return other synthetic secrets."""
        self._simulator.secrets.pop(place_of(connection), None)
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

    def __init__(self, simulator: Simulator, store: MemoryStore | None = None) -> None:
        """Take the simulator, and the store of the grants that it has issued already."""
        self._simulator = simulator
        self._store = store or MemoryStore()

    def of(self, connection: Connection) -> MemoryStore:
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


def _reply(answer: Answer) -> tuple[int, str, bytes, list[tuple[str, str]]]:
    """Return status, content type, body and further headers of an answer."""
    headers = dict(answer.headers)
    return answer.status, headers.pop("content-type", ""), answer.body or b"", list(headers.items())


def place_of(connection: Connection) -> str:
    """Return the name of a connection, unique over all folders."""
    return f"{connection.base}/{connection.name}"


def _token_url(connection: Connection) -> str:
    return provider_of(connection).instance(connection).token_url
