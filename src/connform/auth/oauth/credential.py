"""The credential of a grant: sends its access token, and lets concurrent callers share one renewal.

Layer 2; a renewal, which uses a store and the token endpoint, runs in a thread of its own: whoever gives up waiting does not stop it,
and its answer is never thrown away.
"""

from __future__ import annotations

from concurrent.futures import Future
from datetime import UTC, datetime
from threading import Lock, Thread
from typing import TYPE_CHECKING, Final

from connform.auth.oauth import pending_refresh
from connform.auth.oauth.freshness import is_fresh
from connform.auth.oauth.renewal import Renewal, header_lines
from connform.errors import ConnectionFailed
from connform.http.net import deadline
from connform.http.settings import NO_LINES
from connform.process_local import ProcessLocal

if TYPE_CHECKING:
    from collections.abc import Callable

    from connform.auth.oauth.server import AuthorizationServer
    from connform.auth.oauth.token_endpoint import App
    from connform.grant import Grant, GrantFacts, GrantStore
    from connform.http.settings import ClientSettings, HeaderLines

_LOCK_WAIT_SHARE: Final = 0.9
"""Of a caller's time: whoever waits in vain for the lock learns who holds it, before the time is up."""


def _now() -> datetime:
    return datetime.now(UTC)


class _CurrentRenewal:
    """The renewal that is under way in this process."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.outcome: Future[Grant] | None = None


class GrantCredential:
    """The credential of one connection; `Renewable`, and safe to share between threads and tasks."""

    def __init__(
        self,
        connection: str,
        store: GrantStore,
        server: AuthorizationServer,
        app: App,
        settings: ClientSettings,
        *,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        """Take whose grant it is; nothing is read before the first request.

        Args:
            connection: its name.
            store: where the grant lies.
            server: who may renew it.
            app: to whom it was given.
            settings: TLS and proxy on the way to the token endpoint.
            clock: returns the time, aware UTC.
        """
        self._connection = connection
        self._renewal = Renewal(connection, store, server, app, settings, clock)
        self._clock = clock
        self._grant: Grant | None = None
        self._current = ProcessLocal(_CurrentRenewal)

    @property
    def facts(self) -> GrantFacts | None:
        """What may be shown of the grant that was used last; `None` before the first request."""
        return self._grant.facts if self._grant else None

    def headers(self) -> HeaderLines:
        """Return the line of the token in memory, while it is good; else nothing."""
        grant = self._grant
        return header_lines(grant) if grant is not None and is_fresh(grant.facts, self._clock()) else NO_LINES

    def renew(self, refused: HeaderLines = NO_LINES) -> HeaderLines:
        """Return the line of a token that works, as far as one can be had (`http.settings.Renewable`).

        Raises:
            ConnectionFailed: as for `Renewal.run`; by the deadline of the caller what the renewal waits for, while that goes on.
        """
        while True:
            lines = self.headers()
            if lines and lines != refused:
                return lines
            limit_s = self._remaining_s()
            outcome, is_own = self._join_or_start(refused, limit_s)
            try:
                lines = header_lines(outcome.result(limit_s))
            except TimeoutError:
                raise self._renewal.timeout_failure() from None
            except ConnectionFailed as failure:
                if is_own or failure.fault.name != "store_locked":
                    raise
                continue  # whoever began it had less patience
            if is_own or lines != refused:  # another's renewal may know nothing of this caller's refused token
                return lines

    def _remaining_s(self) -> float | None:
        try:
            return deadline.allow(None)
        except TimeoutError:
            message = f"no time was left to renew the grant of {self._connection}"
            raise ConnectionFailed("http_deadline", message) from None

    def _join_or_start(self, refused: HeaderLines, limit_s: float | None) -> tuple[Future[Grant], bool]:
        """Return the outcome of the renewal that is under way, or of a new one, and whether it is this caller's own."""
        current = self._current.own
        with current.lock:
            if current.outcome is not None and not current.outcome.done():
                return current.outcome, False
            current.outcome = self._start(refused, limit_s)
            return current.outcome, True

    def _start(self, refused: HeaderLines, limit_s: float | None) -> Future[Grant]:
        """Renew in a thread that ends its work whatever becomes of the callers; the process waits for it."""
        outcome: Future[Grant] = Future()
        lock_timeout_s = pending_refresh.MAX_AGE.total_seconds() if limit_s is None else limit_s * _LOCK_WAIT_SHARE

        def work() -> None:
            try:
                grant = self._grant = self._renewal.run(refused, lock_timeout_s)
            except BaseException as error:  # noqa: BLE001  (it belongs to whoever waits)
                outcome.set_exception(error)
            else:
                outcome.set_result(grant)

        Thread(target=work, name=f"connform renews {self._connection}", daemon=False).start()
        return outcome
