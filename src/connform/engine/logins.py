"""The verb `login` without a connection: a report of which grants exist and which connections need a login.

Layer 3; reads manifests and tables of grants. Needs no key and no network.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from connform.auth.oauth.freshness import is_valid
from connform.auth.oauth.server import AuthorizationServer
from connform.engine.connection_report import ConnectionReport, Remark
from connform.engine.load.catalog import has_grant
from connform.engine.load.manifest import read_manifest
from connform.engine.load.scopes import requested_scopes, ungranted
from connform.engine.load.selection import EVERYTHING, Selection
from connform.engine.report import Report
from connform.engine.run.describe import describe, with_failure
from connform.engine.run.grants import StoredGrants
from connform.engine.run.revocation import declared_server
from connform.engine.run.secret_resolver import SecretResolver
from connform.engine.run.state_location import StateLocation
from connform.errors import ConnectionFailed
from connform.faults import Verdict
from connform.grant import GrantFacts, GrantStore
from connform.manifest.model import Connection


def logins(
    files: Sequence[str], selection: Selection = EVERYTHING, policies: Sequence[str] = (), *, state: StateLocation
) -> Report:
    """Return a report of the selected OAuth connections: each is ready, or has the reason why it needs a login.

    Arguments and errors as for `validate`; `state` says where grants are stored.
    """
    manifest, validated = read_manifest(files, selection, policies)
    if manifest is None:
        return validated._replace(command="login")
    grants = StoredGrants(state, SecretResolver(manifest.stores))
    facts_by_store: dict[GrantStore, dict[str, GrantFacts]] = {}
    reports = []
    try:
        for connection in manifest.values():
            if has_grant(connection):
                store = grants.of(connection)
                if store not in facts_by_store:
                    facts_by_store[store] = {facts.connection: facts for facts in store.facts()}
                report = _report(connection, facts_by_store[store].get(connection.name))
                reports.append(_add_old_name(report, manifest.moved, facts_by_store[store]))
    finally:
        grants.close()
    return validated._replace(command="login", connections=tuple(reports), connection_count=len(reports))


def _report(connection: Connection, facts: GrantFacts | None) -> ConnectionReport:
    settings, server = connection.auth.settings, declared_server(connection)
    described = describe(connection)._replace(grant=facts)
    name, message = grant_problem(settings, server, facts)
    if name:
        if facts is None or not _is_of_app(settings, server, facts):
            state = "needed"
        else:
            state = "ended" if facts.ended else "expired"
        return with_failure(described._replace(login=state), ConnectionFailed(name, message))
    text = ungranted(requested_scopes(connection.settings, connection.definition), facts) if facts else ""
    warnings = (Remark("scopes-not-granted", text),) if text else ()
    return described._replace(verdict=Verdict.READY, login="granted", warnings=warnings)


def _add_old_name(
    report: ConnectionReport, moved: Mapping[str, str], facts: Mapping[str, GrantFacts]
) -> ConnectionReport:
    """Return the report; if the grant is still stored under the old name of the connection, with a hint to run `apply`."""
    old = next((old for old, new in moved.items() if new == report.name and old in facts), "")
    if not old or report.name in facts:
        return report
    return report._replace(
        message=f"its grant still lies under its old name, {old}",
        hint="run `connform apply`, which moves it; a login would make a second one",
    )


def _is_of_app(settings: Mapping[str, Any], server: AuthorizationServer, facts: GrantFacts) -> bool:
    return facts.client_id == settings["client_id"] and server.may_renew(facts.token_url)


def grant_problem(
    settings: Mapping[str, Any], server: AuthorizationServer, facts: GrantFacts | None
) -> tuple[str, str]:
    """Return why a connection needs a login, as the name of a fault and a message; both empty if its grant works.

    Args:
        settings: the plain keys under `auth:`.
        server: the authorization server that the manifest declares.
        facts: the facts of the stored grant; `None` if there is none.
    """
    if facts is None:
        return "login_required", "no customer has granted this connection access yet"
    if not _is_of_app(settings, server, facts):
        whose = f"the grant was given to {facts.client_id} by {facts.token_url}"
        return "login_required", f"{whose}, of which the manifest no longer speaks"
    if facts.ended:
        return facts.ended, "the server no longer accepts the grant"
    if not facts.is_renewable and not is_valid(facts, datetime.now(UTC)):
        return "login_required", "the access token has ended, and there is no refresh token"
    return "", ""
