"""Revocation and deletion of a grant. Layer 3; uses the network and the state database."""

from __future__ import annotations

from connform.auth.interface import AuthInputs
from connform.auth.kit import client
from connform.auth.oauth import pending_refresh
from connform.auth.oauth.token_answer import GrantRefused
from connform.auth.oauth.token_endpoint import TokenEndpoint
from connform.engine.run.revocation import revoke_url
from connform.grant import Grant

LOCK_S = pending_refresh.MAX_AGE.total_seconds()
"""How long to wait for another process that is renewing the grant."""


def end_grant(inputs: AuthInputs, *, force: bool = False) -> str:
    """Revoke a grant if its server supports that, delete it, and return a message. Errors as for `logout`."""
    with inputs.grants().lock(inputs.connection, LOCK_S) as locked:
        grant = locked.read()
        if grant is None:
            return f"{inputs.connection} has no grant"
        locked.check_writable()  # a state that was copied elsewhere, where the grant is in use, is only read
        result = _revoke(inputs, grant, force=force)
        locked.delete()
        return f"the grant of {inputs.connection} was {result}"


def _revoke(inputs: AuthInputs, grant: Grant, *, force: bool) -> str:
    server, token_url = client.server(inputs.settings, inputs.server), grant.facts.token_url
    if not server.may_renew(token_url):
        return f"deleted here, not revoked: the manifest no longer speaks of {token_url}, which gave it"
    url = revoke_url(server, grant.facts, inputs.client, force=force)
    if not url:
        return "deleted here; its server is not known to revoke grants"
    endpoint = TokenEndpoint(token_url, client.app(inputs), inputs.client)
    token, kind = (
        (grant.refresh_token, "refresh_token") if grant.refresh_token else (grant.access_token, "access_token")
    )
    try:
        is_revoked = endpoint.revoke(url, token, kind)
    except GrantRefused:
        return "deleted here; at its server it had ended already"
    if is_revoked:
        return "revoked and deleted"
    return "deleted here; its server has no revocation where one is expected: end it in the vendor's own pages"
