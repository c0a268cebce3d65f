"""The renewal of an issued token: uses the stored one, or obtains another in one call.

Layer 2; uses the store of tokens and the token endpoint. One call at a time in all threads, processes and machines that share the store: lock
the token, then read it again. A call spends nothing, so a lost lock or answer costs a second call, and no more.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from hmac import compare_digest
from time import monotonic

from connform.auth.oauth.cool_down import CoolDown
from connform.auth.oauth.freshness import is_fresh, is_young
from connform.auth.oauth.renewed_credential import RenewedCredential, SendableToken, now_utc
from connform.auth.oauth.token_answer import EndpointFailed, Tokens
from connform.auth.oauth.token_call import CALL_S
from connform.auth.tokens.interface import TokenRequest, binding_text
from connform.debug_log import TOKENS
from connform.errors import ConnectionFailed
from connform.faults import Stage
from connform.http.credential import NO_LINES, HeaderLines
from connform.issued_token import IssuedToken, TokenFacts, TokenStore
from connform.secret import Secret
from connform.tracebacks import hidden_frames

_UNREACHED = {Stage.DNS, Stage.TCP, Stage.TLS}
"""The stages of faults after which the endpoint is asked again at once: it was not reached."""


class IssuedTokenRenewal:
    """The `TokenRenewal` of the issued token of one connection; used by one thread at a time."""

    def __init__(
        self,
        connection: str,
        request: TokenRequest,
        store: TokenStore,
        lines: Callable[[Secret], HeaderLines],
        clock: Callable[[], datetime],
        obtained_with: Secret,
    ) -> None:
        """Take the arguments of `issued_credential`."""
        self.connection = connection
        """Its name."""
        self.present: SendableToken | None = None
        """The token that was read or obtained last."""
        self._request = request
        self._store = store
        self._lines = lines
        self._clock = clock
        self._obtained_with = obtained_with
        self._cool_down = CoolDown()
        self._reading_store = (
            "store_unavailable",
            f"the store has not yet said whether it has a token of {connection}",
            "",
        )
        self._waiting_for = self._reading_store

    def timeout_failure(self) -> ConnectionFailed:
        """Return the failure for a caller that can't wait any longer; it says what the renewal is waiting for."""
        return ConnectionFailed(*self._waiting_for)

    def run(self, refused: HeaderLines, lock_timeout_s: float) -> HeaderLines:
        """Return the header lines of a usable token (`TokenRenewal.run`).

        Raises:
            ConnectionFailed: as for `TokenRequest.obtain`; `store_locked`.
        """
        started_at, name = self._clock(), self.connection
        self._waiting_for = self._reading_store
        if lines := self._usable(self._store.read(name), refused, started_at):
            self._say("a stored token can be used; it ends %s")
            return lines
        TOKENS.write(
            "%s: %s", name, "the token was refused" if refused else "no stored token can be used", connection=name
        )
        self._cool_down.check()
        self._waiting_for = (
            "store_locked",
            f"somebody else obtains a token of {name}, and this request can't wait",
            "",
        )
        with self._store.lock(name, lock_timeout_s):
            return self._usable(self._store.read(name), refused, started_at) or self._obtain()

    def _usable(self, token: IssuedToken | None, refused: HeaderLines, started_at: datetime) -> HeaderLines:
        """Return the header lines of a token that may be sent, and make it the present one; otherwise nothing.

        A token issued since this renewal started is used even if it expires soon. One that the API refused is used only if it is new, so
        that another one would not help.
        """
        if token is None or not self._is_own(token):
            return NO_LINES
        lines, facts, now = self._lines(token.access_token), token.facts, self._clock()
        is_good = is_fresh(facts, now) or facts.obtained_at >= started_at
        if not (is_young(facts, now) if lines == refused else is_good):
            return NO_LINES
        self.present = SendableToken(facts, lines)
        return lines

    def _is_own(self, token: IssuedToken) -> bool:
        """Whether a token was obtained with these secrets, for what is asked for."""
        with hidden_frames():
            is_of_secrets = compare_digest(token.obtained_with.reveal(), self._obtained_with.reveal())
        return is_of_secrets and token.binding == binding_text(self._request)

    def _obtain(self) -> HeaderLines:
        message = f"a token of {self.connection} is still being obtained: the token endpoint has not answered yet"
        hint = "allow more time (`--timeout`, `timeouts: {total_s}`), or try again: the answer will be kept"
        self._waiting_for = ("token_endpoint_unavailable", message, hint)
        try:
            token = self._issued(self._request.obtain(monotonic() + CALL_S))
            present = SendableToken(token.facts, self._lines(token.access_token))
        except ConnectionFailed as failure:
            if failure.fault.stage not in _UNREACHED:
                self._cool_down.begin(failure, failure.retry_after_s if isinstance(failure, EndpointFailed) else None)
            raise
        self._cool_down.end()
        self._store.write(token)
        self.present = present
        self._say("another token was obtained and stored; it ends %s")
        return present.lines

    def _say(self, message: str) -> None:
        """Write to the log, with the end of the present token for `%s`."""
        if TOKENS.is_on and self.present:
            end = self.present.facts.expires_at
            ends = f"at {end:%FT%TZ}" if end else "at no known time"
            TOKENS.write(f"%s: {message}", self.connection, ends, connection=self.connection)

    def _issued(self, tokens: Tokens) -> IssuedToken:
        now = self._clock()
        expires_at = None if tokens.lifetime_s is None else now + timedelta(seconds=tokens.lifetime_s)
        facts = TokenFacts(now, expires_at, tokens.scopes or ())
        binding = binding_text(self._request)
        return IssuedToken(self.connection, binding, tokens.access_token, facts, self._obtained_with)


def issued_credential(
    connection: str,
    request: TokenRequest,
    store: TokenStore,
    lines: Callable[[Secret], HeaderLines],
    scheme: str,
    clock: Callable[[], datetime] = now_utc,
    obtained_with: Secret = Secret(""),  # noqa: B008  (immutable)
) -> RenewedCredential:
    """Return the credential that sends an issued token. The token is read or obtained at the first request.

    Args:
        connection: the name of the connection.
        request: obtains a token.
        store: where tokens are stored.
        lines: returns the header lines that carry a token.
        scheme: their authentication scheme, such as `Bearer`; empty for none.
        clock: returns the current time, aware UTC.
        obtained_with: a digest of the secrets that obtain it (`digest_of`).
    """
    renewal = IssuedTokenRenewal(connection, request, store, lines, clock, obtained_with)
    return RenewedCredential(renewal, scheme, clock)
