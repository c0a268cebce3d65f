"""The renewal of a grant: the only code that spends a refresh token to get a new access token.

Layer 2; uses the table of grants and the token endpoint. Rules that prevent the loss of a grant:

- One renewal at a time, in all threads, processes and machines: lock the grant, then read it again.
- A lock can be lost. So wait for a pending refresh of another process, and never replace a record that another process wrote.
- Before a refresh token is sent, write the pending refresh. This checks that the record is as it was read, and that the database can be
  written. A token that is not sent by the end of its call is not sent at all: another process may have taken over.
- One POST, never repeated after bytes were sent. Then write the whole record.
- Delete nothing. A grant that can't be renewed is marked as ended, and stays.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from time import monotonic, sleep

from connform.auth.oauth import pending_refresh
from connform.auth.oauth.client_authentication import App
from connform.auth.oauth.cool_down import CoolDown
from connform.auth.oauth.freshness import is_fresh, is_young
from connform.auth.oauth.renewed_credential import SendableToken
from connform.auth.oauth.server import AuthorizationServer
from connform.auth.oauth.stored_grant import RETRY_HINT, StoredGrant
from connform.auth.oauth.token_answer import AnswerLost, EndpointFailed, GrantRefused, Tokens
from connform.auth.oauth.token_call import CALL_S
from connform.auth.oauth.token_endpoint import TokenEndpoint
from connform.debug_log import TOKENS
from connform.errors import ConnectionFailed
from connform.faults import FAULTS
from connform.grant import Grant, GrantFacts, GrantStore, LockedGrant, Pending
from connform.http.credential import HeaderLines
from connform.http.header import bearer
from connform.http.settings import ClientSettings
from connform.secret import Secret

_POLL_S = 0.2
_ENDED = {
    "login_required": "the server no longer accepts the grant: it was revoked, or has ended",
    "refresh_interrupted": "a refresh was interrupted, and the answer with the new token was lost",
}


class Renewal:
    """Renews the grant of one connection; used by one thread at a time."""

    def __init__(
        self,
        connection: str,
        store: GrantStore,
        server: AuthorizationServer,
        app: App,
        settings: ClientSettings,
        clock: Callable[[], datetime],
        lines: Callable[[Secret], HeaderLines],
    ) -> None:
        """Take the arguments of `GrantCredential`."""
        self.connection = connection
        """Its name."""
        self._store = store
        self._server = server
        self._app = app
        self._settings = settings
        self._clock = clock
        self._lines = lines
        self._stored_grant = StoredGrant(connection)
        self._cool_down = CoolDown()
        self.present: SendableToken | None = None
        """The access token of the grant that was read or renewed last; `None` once the grant has ended."""
        self._reading_database = ("store_unavailable", f"the store has not yet said what {connection} was granted", "")
        self._waiting_for = self._reading_database

    def timeout_failure(self) -> ConnectionFailed:
        """Return the failure for a caller that can't wait any longer; it says what the renewal is waiting for."""
        return ConnectionFailed(*self._waiting_for)

    def run(self, refused: HeaderLines, lock_timeout_s: float) -> HeaderLines:
        """Return the header line of a usable access token, after a renewal if needed (`TokenRenewal.run`).

        Args:
            refused: the header lines that the API refused with 401 or 403; empty if none were sent.
            lock_timeout_s: how long to wait for the lock and for a pending refresh; not for the answer of the token endpoint.

        Raises:
            ConnectionFailed: `login_required`, `refresh_interrupted`, `client_credentials_rejected`,
                `token_endpoint_unavailable`, a fault of the state database or of the network.
        """
        started_at, deadline = self._clock(), monotonic() + lock_timeout_s
        name = self.connection
        self._waiting_for = self._reading_database
        stored = self._store.read(name)
        if stored is None:  # `lock` would make the folder of the database, and reading must not
            self.present = None
            raise self._login_needed("login_required", f"no customer has granted {name} access yet")
        if not self._stored_grant.has_unsaved:
            self._note(stored)
            if self._is_usable(stored, refused, started_at):
                self._say("the grant has an access token that can be used; it ends %s", stored.facts)
                return self._lines(stored.access_token)
        self._say(f"the access token {'was refused' if refused else 'must be renewed'}; it ends %s", stored.facts)
        self._cool_down.check()
        self._waiting_for = (
            "store_locked",
            f"somebody else holds the grant of {name}, and this request can't wait",
            "",
        )
        with self._store.lock(name, lock_timeout_s) as locked:
            while True:
                grant = self._stored_grant.read(locked)
                self._note(grant)
                self._require_not_ended(grant)
                pending = grant.facts.pending
                if self._is_usable(grant, refused, started_at) or self._is_refusal_final(grant, refused):
                    return self._lines(grant.access_token)
                if pending and pending_refresh.is_under_way(pending, name, self._clock()):
                    self._wait_for(pending, deadline)
                elif renewed := self._refresh(locked, grant):
                    self._say("the grant was renewed and stored; its access token ends %s", renewed.facts)
                    return self._lines(renewed.access_token)

    def _say(self, message: str, facts: GrantFacts) -> None:
        """Write to the log, with the end of the access token for `%s`."""
        if TOKENS.is_on:
            ends = f"at {facts.expires_at:%FT%TZ}" if facts.expires_at else "at no known time"
            TOKENS.write(f"%s: {message}", self.connection, ends, connection=self.connection)

    def _note(self, grant: Grant) -> None:
        """Make a grant the present one, unless it has ended or is not the declared app's."""
        is_alive = not grant.facts.ended and self._is_declared(grant.facts)
        self.present = SendableToken(grant.facts, self._lines(grant.access_token)) if is_alive else None

    def _require_not_ended(self, grant: Grant) -> None:
        facts = grant.facts
        if not self._is_declared(facts):
            raise self._login_needed(
                "login_required",
                f"the grant was given to {facts.client_id} by {facts.token_url}, of which the manifest no longer speaks",
            )
        if facts.ended:
            raise self._login_needed(facts.ended, _ENDED[facts.ended])

    def _login_needed(self, fault: str, message: str) -> ConnectionFailed:
        return ConnectionFailed(fault, message, FAULTS[fault].hint_for(self.connection))

    def _wait_for(self, pending: Pending, deadline: float) -> None:
        """Wait a moment for another process that lost its lock while its refresh is pending."""
        message = f"{pending.holder} has been renewing the grant of {self.connection} since {pending.since:%FT%TZ}"
        if TOKENS.is_on and message not in self._waiting_for:
            TOKENS.write("%s: waits: %s", self.connection, message, connection=self.connection)
        self._waiting_for = ("store_locked", message, "")
        if monotonic() + _POLL_S > deadline:
            raise self.timeout_failure()
        sleep(_POLL_S)

    def _refresh(self, locked: LockedGrant, grant: Grant) -> Grant | None:
        """Send the refresh token, and return the renewed grant; `None` if another process has replaced the record."""
        if grant.refresh_token is None:
            raise self._login_needed("login_required", "the access token has ended, and there is no refresh token")
        message = f"the grant of {self.connection} is still being renewed: the token endpoint has not answered yet"
        hint = "allow more time (`--timeout`, `timeouts: {total_s}`), or try again: the answer will be kept"
        self._waiting_for = ("token_endpoint_unavailable", message, hint)
        pending_before = grant.facts.pending
        with pending_refresh.track_refresh(self.connection):
            ends_at = self._begin(locked, grant)
            if ends_at is None:
                return None
            try:
                endpoint = TokenEndpoint(
                    grant.facts.token_url,
                    self._app,
                    self._settings,
                    options=self._server.options,
                    refresh_url=self._server.refresh_url,
                )
                tokens = endpoint.refresh(grant.refresh_token, ends_at)
            except GrantRefused as refused:
                ended = "refresh_interrupted" if pending_before else "login_required"
                facts = grant.facts._replace(pending=None, ended=ended)
                if not locked.replace(grant, grant._replace(facts=facts)):
                    return None
                self.present = None
                raise self._login_needed(ended, f"{_ENDED[ended]} (it said {refused})") from None
            except AnswerLost as lost:  # the record stays pending: if the next refresh is refused, this is the cause
                message = f"{_ENDED['refresh_interrupted']}: {lost}"
                failure = ConnectionFailed("refresh_interrupted", message, "" if pending_before else RETRY_HINT)
                self._raise_unless_replaced(locked, grant, failure, may_be_spent=True)
                return None
            except ConnectionFailed as failure:
                may_be_spent = isinstance(failure, EndpointFailed) and failure.may_be_spent
                self._raise_unless_replaced(locked, grant, failure, may_be_spent=may_be_spent)
                return None
            self._cool_down.end()
            renewed = self._with_tokens(grant, tokens)
            if not self._stored_grant.save(locked, grant, renewed):
                return None
            self._note(renewed)
            return renewed

    def _begin(self, locked: LockedGrant, grant: Grant) -> float | None:
        """Write the pending refresh, and return the end of the call; `None` if another process has replaced the record.

        A process that is stopped from here on, until another one takes over, must not send the token when it goes on.
        """
        began_at, ends_at = self._clock(), monotonic() + CALL_S
        if not locked.begin_refresh(grant):
            return None
        has_slept = self._clock() - began_at > timedelta(seconds=CALL_S)  # the monotonic clock may stand meanwhile
        return monotonic() if has_slept else ends_at

    def _raise_unless_replaced(
        self, locked: LockedGrant, grant: Grant, failure: ConnectionFailed, *, may_be_spent: bool
    ) -> None:
        """Write that no process waits any more, and raise the failure; return if another process has replaced the record."""
        pending = Pending(self._clock(), holder="") if may_be_spent else grant.facts.pending
        if not self._stored_grant.save_pending(locked, grant, pending):
            return
        if isinstance(failure, EndpointFailed):
            self._cool_down.begin(failure, failure.retry_after_s)
        elif may_be_spent and grant.facts.pending:  # this was already the second try
            self._cool_down.begin(failure)
        raise failure from None

    def _with_tokens(self, grant: Grant, tokens: Tokens) -> Grant:
        now = self._clock()
        facts = grant.facts._replace(
            obtained_at=now,
            expires_at=_end(now, tokens.lifetime_s),
            scopes=tokens.scopes if tokens.scopes is not None else grant.facts.scopes,
            pending=None,
            refresh_ends_at=_end(now, tokens.refresh_lifetime_s)
            if tokens.refresh_lifetime_s or tokens.refresh_token
            else grant.facts.refresh_ends_at,
        )
        return Grant(facts, tokens.access_token, tokens.refresh_token or grant.refresh_token)

    def _is_usable(self, grant: Grant, refused: HeaderLines, started_at: datetime) -> bool:
        """Whether the token may be sent. A token issued since this renewal started is used even if it expires soon."""
        facts = grant.facts
        is_good = is_fresh(facts, self._clock()) or facts.obtained_at >= started_at
        return is_good and self._is_declared(facts) and self._lines(grant.access_token) != refused

    def _is_refusal_final(self, grant: Grant, refused: HeaderLines) -> bool:
        """Whether the API refused this token although it is new, so that another renewal would not help."""
        return self._lines(grant.access_token) == refused and is_young(grant.facts, self._clock())

    def _is_declared(self, facts: GrantFacts) -> bool:
        return facts.client_id == self._app.client_id and self._server.may_renew(facts.token_url)


def _end(now: datetime, lifetime_s: float | None) -> datetime | None:
    return None if lifetime_s is None else now + timedelta(seconds=lifetime_s)


def bearer_lines(token: Secret) -> HeaderLines:
    """Return the header line of a bearer token (RFC 6750 §2.1)."""
    return bearer(token, key="access_token").headers()
