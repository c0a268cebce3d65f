"""A token endpoint that behaves as a test wants, and a grant that is renewed there."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connform.auth.oauth.client_authentication import App
from connform.auth.oauth.credential import GrantCredential
from connform.auth.oauth.renewed_credential import now_utc
from connform.auth.oauth.server import AuthorizationServer
from connform.database.memory import MemoryStore
from connform.errors import ConnectionFailed
from connform.grant import Grant, GrantFacts, GrantStore
from connform.http.settings import ClientSettings
from connform.secret import Secret
from tests.canary import API_KEY, AWKWARD, assert_no_canary
from tests.http.exchanging import settings_for
from tests.http.servers import HOST, Behaviour, Connection, Server, answer, head

TOKEN_URL = f"https://{HOST}/connect/token"
LONG_AGO = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
APP_SECRET = "s:%+&=/"


def body(**changes: Any) -> bytes:
    content = {"access_token": "new", "token_type": "Bearer", "expires_in": 3600, "refresh_token": "next"} | changes
    return json.dumps({key: value for key, value in content.items() if value is not None}).encode()


def error(name: str, status: int = 400) -> Behaviour:
    return answer(json.dumps({"error": name, "error_description": API_KEY}).encode(), status=status)


RENEWS = answer(body())


def grant(**facts: Any) -> Grant:
    """Return a grant whose access token has ended."""
    known = GrantFacts(
        "customer", TOKEN_URL, "acme", ("profile",), LONG_AGO, LONG_AGO + timedelta(hours=1), is_renewable=True
    )
    return Grant(known._replace(**facts), Secret("old"), Secret(AWKWARD))


def credential(server: Server, store: GrantStore, client_id: str = "acme", **settings: Any) -> GrantCredential:
    """Return what a process makes of the grant in a store."""
    secret = None if settings.pop("is_public", False) else Secret(APP_SECRET)
    app = App(client_id, secret, settings.pop("authentication", "basic"))
    clock = settings.pop("clock", now_utc)
    declared = settings.pop("declared", AuthorizationServer(token_url=TOKEN_URL))
    reach: ClientSettings = settings_for(server, **settings)
    return GrantCredential("customer", store, declared, app, reach, clock=clock)


def after(pause_s: float, answered: bytes, *more: bytes) -> Behaviour:
    """Answer the first request with `answered`, later ones with the next; each after a pause."""

    def behave(connection: Connection) -> None:
        while connection.read_request():
            content = (answered, *more)[min(len(connection.server.requests) - 1, len(more))]
            connection.pause(pause_s)
            connection.send(head(200, [f"Content-Length: {len(content)}"]) + content)

    return behave


class Setting:
    """A token endpoint, a store with a grant whose access token has ended, and the app."""

    def __init__(self, server: Server, **facts: Any) -> None:
        self.server = server
        self.store = MemoryStore()
        self.keep(grant(**facts))

    def keep(self, grant: Grant) -> None:
        self.store.grants["customer"] = grant

    @property
    def facts(self) -> GrantFacts:
        return self.store.grants["customer"].facts

    @property
    def refresh_token(self) -> str:
        token = self.store.grants["customer"].refresh_token
        assert token is not None
        return token.reveal()

    def credential(self, client_id: str = "acme", **settings: Any) -> GrantCredential:
        """Return what another process would make of it."""
        return credential(self.server, self.store, client_id, **settings)


def failure_of(credential: GrantCredential) -> ConnectionFailed:
    with pytest.raises(ConnectionFailed) as caught:
        credential.renew()
    assert_no_canary(caught.value.message, caught.value.hint)
    return caught.value


def fault_of(credential: GrantCredential) -> str:
    return failure_of(credential).fault.name


def end_access_token(store: GrantStore) -> None:
    """Let the access token of `customer` have ended for its holders: the server still takes it, so that nothing depends on clocks."""
    with store.lock("customer", 5) as locked:
        kept = locked.read()
        assert kept is not None
        locked.write(kept._replace(facts=kept.facts._replace(expires_at=LONG_AGO)))
