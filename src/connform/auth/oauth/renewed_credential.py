"""The credential of an access token that is renewed: concurrent callers share one renewal.

Layer 2; no IO of its own. A renewal runs in its own thread: a caller that stops waiting does not stop it, so new tokens are always stored.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from datetime import UTC, datetime
from threading import Lock
from time import monotonic
from typing import NamedTuple, Protocol

from connform.auth.oauth import pending_refresh
from connform.auth.oauth.freshness import is_fresh, is_valid
from connform.auth.oauth.renewal_thread import RenewalThread
from connform.errors import ConnectionFailed
from connform.grant import GrantFacts
from connform.http.credential import NO_LINES, Credential, HeaderLines
from connform.http.net import deadline
from connform.issued_token import TokenFacts
from connform.process_local import ProcessLocal

_LOCK_WAIT_SHARE = 0.9
"""The share of a caller's time to wait for the lock: at its end the message says who holds the lock, before the caller's deadline."""
_MOMENT_S = 2.0
"""How long a caller waits for a renewal while the present token is valid; half of its time if that is less."""
_PAUSE_S = 5.0
"""How long the present token is used without a renewal after one has failed."""
_APP_REFUSED = "client_credentials_rejected"
"""The fault that is raised even if the present token is valid: the client secret is read again then."""


def now_utc() -> datetime:
    """Return the current time, aware UTC."""
    return datetime.now(UTC)


class SendableToken(NamedTuple):
    """An access token as it is sent."""

    facts: GrantFacts | TokenFacts
    """Its facts."""
    lines: HeaderLines
    """The header lines that carry it."""


class TokenRenewal(Protocol):
    """Renews the access token of one connection; used by one thread at a time."""

    @property
    def connection(self) -> str:
        """The name of the connection."""

    @property
    def present(self) -> SendableToken | None:
        """The token that was read or renewed last; `None` if there is none, or if it may no longer be used."""

    def run(self, refused: HeaderLines, lock_timeout_s: float) -> HeaderLines:
        """Return the header lines of a usable token, after a renewal if needed.

        Args:
            refused: the header lines that the API refused with 401 or 403; empty if none were sent. The same lines are returned if
                another renewal would not help.
            lock_timeout_s: how long to wait for the lock; not for the answer of the token endpoint.

        Raises:
            ConnectionFailed: there is no usable token.
        """

    def timeout_failure(self) -> ConnectionFailed:
        """Return the failure for a caller that can't wait any longer; it says what the renewal is waiting for."""


class _CurrentRenewal:
    """The renewal that runs in this process."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.outcome: Future[HeaderLines] | None = None


class RenewedCredential(Credential):
    """The credential of one connection whose access token is renewed. Threads and tasks may share it."""

    is_renewable = True

    def __init__(self, renewal: TokenRenewal, scheme: str, clock: Callable[[], datetime] = now_utc) -> None:
        """Make the credential. Nothing is read before the first request.

        Args:
            renewal: renews the token.
            scheme: the authentication scheme of its header lines; empty for none.
            clock: returns the current time, aware UTC.
        """
        self._renewal = renewal
        self._scheme = scheme
        self._clock = clock
        self._pause_ends_at = 0.0
        self._current = ProcessLocal(_CurrentRenewal)

    @property
    def scheme(self) -> str:
        """The authentication scheme of its header lines."""
        return self._scheme

    @property
    def facts(self) -> GrantFacts | TokenFacts | None:
        """The facts of the token that was renewed or read last; `None` before the first request."""
        present = self._renewal.present
        return present.facts if present else None

    def headers(self) -> HeaderLines:
        """Return the header line of the token in memory while it is fresh, or valid and its renewal has just failed; otherwise nothing."""
        present = self._renewal.present
        if present is None:
            return NO_LINES
        (facts, lines), now = present, self._clock()
        if is_fresh(facts, now) or (monotonic() < self._pause_ends_at and is_valid(facts, now)):
            return lines
        return NO_LINES

    def renew(self, refused: HeaderLines = NO_LINES) -> HeaderLines:
        """Return the header line of a usable token, after a renewal if needed (`http.credential.Credential`).

        If the renewal fails, or takes longer than a moment, that is the present token while it is valid and was not refused.

        Raises:
            ConnectionFailed: as for `TokenRenewal.run`. At the deadline of the caller, the message says what the renewal waits for; the
                renewal goes on.
        """
        while True:
            lines = self.headers()
            if lines and lines != refused:
                return lines
            limit_s = self._remaining_s()
            outcome, is_own = self._join_or_start(refused, limit_s)
            try:
                lines = self._result(outcome, limit_s, refused)
            except (TimeoutError, ConnectionFailed) as error:
                failure = error if isinstance(error, ConnectionFailed) else self._renewal.timeout_failure()
                if failure.fault.name != _APP_REFUSED and (lines := self._still_valid(refused)):
                    self._pause_ends_at = monotonic() + _PAUSE_S
                    return lines
                if is_own or failure is not error or failure.fault.name != "store_locked":
                    raise failure from None
                continue  # the caller that started it had less time to wait for the lock
            if is_own or lines != refused:  # a renewal of another caller may return the token that was refused here
                return lines

    def _result(self, outcome: Future[HeaderLines], limit_s: float | None, refused: HeaderLines) -> HeaderLines:
        """Return the header lines of the renewed token.

        Raises:
            ConnectionFailed: of the renewal.
            TimeoutError: the time of the caller is over, or a moment has passed and the present token is valid.
        """
        moment_s = _MOMENT_S if limit_s is None else min(_MOMENT_S, limit_s / 2)
        for timeout_s in (moment_s, None if limit_s is None else limit_s - moment_s):
            try:
                return outcome.result(timeout_s)
            except TimeoutError:
                if self._still_valid(refused):
                    break
        raise TimeoutError

    def _still_valid(self, refused: HeaderLines) -> HeaderLines:
        """Return the header line of the present token if it is valid and was not refused; otherwise nothing."""
        present = self._renewal.present
        if present is None or not is_valid(present.facts, self._clock()) or present.lines == refused:
            return NO_LINES
        return present.lines

    def _remaining_s(self) -> float | None:
        try:
            return deadline.allow(None)
        except TimeoutError:
            message = f"no time was left to renew the access token of {self._renewal.connection}"
            raise ConnectionFailed("http_deadline", message) from None

    def _join_or_start(self, refused: HeaderLines, limit_s: float | None) -> tuple[Future[HeaderLines], bool]:
        """Return the outcome of the running renewal, or of a new one, and whether it is this caller's own."""
        current = self._current.own
        with current.lock:
            if current.outcome is not None and not current.outcome.done():
                return current.outcome, False
            current.outcome = self._start(refused, limit_s)
            return current.outcome, True

    def _start(self, refused: HeaderLines, limit_s: float | None) -> Future[HeaderLines]:
        """Start a renewal in a thread, which completes even if all callers give up or the process is ending."""
        outcome: Future[HeaderLines] = Future()
        lock_timeout_s = pending_refresh.MAX_AGE.total_seconds() if limit_s is None else limit_s * _LOCK_WAIT_SHARE

        def work() -> None:
            try:
                lines = self._renewal.run(refused, lock_timeout_s)
            except BaseException as error:  # noqa: BLE001  (it is raised in the callers)
                outcome.set_exception(error)
            else:
                outcome.set_result(lines)

        RenewalThread(self._renewal.connection, work).start()
        return outcome
