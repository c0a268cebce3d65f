"""Revocation and deletion of the grants of connections that are removed, or no longer use OAuth.

Layer 3; uses the network where there is a grant.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from connform.diagnostics import Span
from connform.engine.changes.definition_part import recorded_definition
from connform.engine.changes.plan import Change
from connform.engine.load.catalog import has_grant
from connform.engine.run.client import bare_settings
from connform.engine.run.context import RunContext
from connform.engine.run.end_grant import LOCK_S, end_grant
from connform.engine.run.resolve import resolve
from connform.engine.run.revocation import declared_server, foreign_server_problem
from connform.engine.run.secret_resolver import SecretResolver
from connform.engine.run.states import StateOfRun
from connform.errors import ConnectionFailed, Refused
from connform.manifest.decode import Manifest
from connform.manifest.model import Connection
from connform.recorded import Applied

_REVOKED = "was revoked and deleted"
"""How the message of `end_grant` ends if the grant was revoked."""


class RemovedGrant(NamedTuple):
    """The result of ending a grant."""

    message: str
    """A message; empty if there was no grant."""
    is_lost: bool = False
    """Whether the grant was deleted here, and may still be valid at its server."""


class GrantRemover:
    """Ends the grants of connections that are removed, or that no longer use OAuth."""

    def __init__(self, manifest: Manifest, context: RunContext, *, force: bool = False) -> None:
        """Set up the remover.

        Args:
            manifest: the manifest of the run, with its secret stores.
            context: the run context.
            force: whether to ignore the safety rules.
        """
        self._manifest = manifest
        self._context = context
        self._force = force
        self._sources: dict[str, SecretResolver] = {}

    def end(self, applied: Applied, folder: Path) -> RemovedGrant:
        """Revoke and delete the grant of a recorded connection.

        Args:
            applied: what was applied.
            folder: the folder of its manifest, which decides where its grant lies.

        Raises:
            ConnectionFailed: the grant could not be revoked, and was not deleted.
        """
        connection = self._recorded_connection(applied, folder)
        try:
            if self._context.grants.of(connection).read(applied.connection) is None:
                return RemovedGrant("")
            if not has_grant(connection):
                return self._delete_grant(connection)
            context = self._context_when_applied(applied, folder)
            message = end_grant(resolve(connection, context, bare_settings(connection, context)), force=self._force)
            return RemovedGrant(message, is_lost=not message.endswith(_REVOKED))
        except Refused as refused:  # its grant was changed after `require_own_servers`
            raise ConnectionFailed("config_invalid", f"its grant stays: {refused}") from None
        except ConnectionFailed as failure:
            message = f"its grant could not be revoked, so that it stays to be done: {failure.message}"
            hint = f"try again; or give the grant up unrevoked: connform logout {applied.connection} --only-here"
            raise ConnectionFailed(failure.fault.name, message, hint) from None

    def require_own_servers(self, removals: Iterable[tuple[Applied, Path]]) -> None:
        """Require that grants are revoked at the server that issued them, or at the URL that their login recorded.

        Args:
            removals: what was applied of the connections whose grants will end, with the folders of their manifests.

        Raises:
            Refused: a refresh token would be sent to another server, and `force` isn't set.
        """
        reasons = (
            []
            if self._force
            else [reason for removal in removals if (reason := self._foreign_server_problem(*removal))]
        )
        if reasons:
            raise Refused(f"refused: {'; '.join(reasons)}. Look at the plan, and give --force if that is what you want")

    def _foreign_server_problem(self, applied: Applied, folder: Path) -> str:
        connection = self._recorded_connection(applied, folder)
        if not has_grant(connection):
            return ""
        with suppress(ConnectionFailed):  # an unreadable grant is not sent anywhere; `end` raises the failure
            grant = self._context.grants.of(connection).read(applied.connection)
            server = declared_server(connection)
            return (
                foreign_server_problem(server, grant.facts) if grant and server.may_renew(grant.facts.token_url) else ""
            )
        return ""

    def _recorded_connection(self, applied: Applied, folder: Path) -> Connection:
        span = Span(applied.summary.file, 1, 1, 1, 1)
        return self._manifest.decode(
            applied.connection, applied.spec["settings"], folder, span, definition=recorded_definition(applied.spec)
        )

    def _delete_grant(self, connection: Connection) -> RemovedGrant:
        """Delete the grant of a connection that was applied with another method later: its client is no longer recorded."""
        with self._context.grants.of(connection).lock(connection.name, LOCK_S) as locked:
            locked.delete()
        return RemovedGrant(
            f"the grant of {connection.name} was deleted here, not revoked: what was applied last is "
            f"{connection.auth.method}, and tells nothing of its app; end it in the vendor's own pages",
            is_lost=True,
        )

    def close(self) -> None:
        """Log out of the secret stores that were opened for removed connections."""
        for source in self._sources.values():
            source.close()

    def _context_when_applied(self, applied: Applied, folder: Path) -> RunContext:
        """Return the run context with the recorded secret stores of a connection that are no longer declared."""
        stores = {
            name: self._manifest.decode_store(name, spec, folder)
            for name, spec in applied.spec["stores"].items()
            if name not in self._manifest.stores
        }
        if not stores:
            return self._context
        # One resolver for equal stores: it logs in once per run.
        key = json.dumps([str(folder), applied.spec["stores"]], sort_keys=True)
        source = self._sources.setdefault(key, SecretResolver({**self._manifest.stores, **stores}))
        return self._context._replace(source=source)


def manifest_folder(applied: Applied, states: StateOfRun, files: Sequence[str]) -> Path | None:
    """Return the folder of a recorded connection's manifest, in the repositories of a run's files; `None` if missing."""
    for file in files:
        depth = len(PurePosixPath(states.paths.of_manifest(file)).parts)
        root = Path(os.path.abspath(file)).parents[depth - 1]  # noqa: PTH100  (without `..`)
        folder = (root / applied.summary.file).parent
        if folder.is_dir():
            return folder
    return None


def recorded_folder(change: Change, applied: Applied, states: StateOfRun, files: Sequence[str]) -> Path:
    """Return the folder of a recorded connection's manifest: that of `manifest_folder`, else the first one of its state table."""
    return manifest_folder(applied, states, files) or states.folder_of(change.table)
