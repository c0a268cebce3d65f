"""A client for the JSON API of a secret store, `RestApi`, over connform's own HTTP client.

Layer 2; uses the network: https, or http on loopback; no redirects, one deadline for a call.
Until then, a call is repeated after 502, 503 and 504. Without an answer it is sent three times at most, and a POST such as a login
again only if the server can't have got it. A 429 is `RateLimited`, without a repetition: the engine slows all reads of the store down.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from threading import Lock
from time import sleep
from typing import TYPE_CHECKING, Any, NamedTuple

from connform.errors import ConnectionFailed, RateLimited, SecretUnresolved, StoreFailed
from connform.http.net import deadline
from connform.process_local import ProcessLocal
from connform.secret import Secret

if TYPE_CHECKING:
    import httpx

    from connform.http.credential import Credential
    from connform.http.settings import BasicAuth

_NO_PROXY = Secret("")
_SUCCESS = range(200, 300)
_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _TOO_MANY_REQUESTS, _SERVER_ERROR = 401, 403, 404, 429, 500
_TRANSIENT = frozenset({502, 503, 504})
_MAX_UNANSWERED = 3
"""How often a call is sent at most if there is no answer."""
_SHORTEST_PAUSE_S = 0.1
"""Also where the server asks for a pause of 0."""
_MAX_BODY_BYTES = 8 * 1024 * 1024
_HINT_SLOW = "see why the store is slow, or raise its `timeout_s`"
_HINT_ADDRESS = "correct the address of the store"
_HINTS = {
    "dns_no_such_host": f"{_HINT_ADDRESS}, or the resolver of this machine",
    "tls_wrong_host": f"the certificate belongs to another host: {_HINT_ADDRESS}",
    "tls_not_tls": f"the port does not speak TLS: {_HINT_ADDRESS}",
    "tls_untrusted_issuer": "if you trust the issuer, name its certificate in the store's `ca_file`, where it has one; otherwise somebody intercepts the connection",
    "http_deadline": _HINT_SLOW,
    "http_timeout": _HINT_SLOW,
}
"""Hints for faults whose own hint fits a connection, but not a store."""


class RestReply(NamedTuple):
    """An answer: its status and content."""

    status: int
    """The HTTP status: never 429, and below 500 unless the caller asked for server errors."""
    content: Any
    """The decoded JSON; `None` if the body is no JSON."""

    @property
    def is_success(self) -> bool:
        """Whether it has a JSON object and any status of success: a proxy may have made 203 of 200."""
        return self.status in _SUCCESS and isinstance(self.content, dict)


class RestApi:
    """The client of one HTTP API. Threads may share it."""

    def __init__(
        self,
        base_url: str,
        name: str,
        *,
        timeout_s: float,
        ca_file: Path | None = None,
        client_cert: Path | None = None,
        client_key: Path | None = None,
        proxy: Secret = _NO_PROXY,
        proxy_auth: BasicAuth | None = None,
        trusts_system: bool = False,
        credential: Credential | None = None,
    ) -> None:
        """Take the settings. The first call makes the HTTP client.

        Args:
            base_url: `https://…`; `http://` on loopback only.
            name: of the API in messages: `Vault`.
            timeout_s: how long a call may take, its repetitions included.
            ca_file: PEM certificates to trust instead of the system's.
            client_cert: PEM chain of the client's certificate.
            client_key: its key.
            proxy: a URL, `environment`, or empty for none; plain http uses none.
            proxy_auth: the credentials for the proxy at that URL.
            trusts_system: whether the system's certificates are trusted beside those of `ca_file`.
            credential: authenticates each call.
        """
        from connform.http.settings import ClientSettings

        self._name = name
        self._settings = ClientSettings(
            base_url=base_url,
            name=name,
            credential=credential,
            ca_file=ca_file,
            client_cert=client_cert,
            client_key=client_key,
            proxy=proxy,
            proxy_auth=proxy_auth,
            trusts_system=trusts_system,
            connect_s=min(5.0, timeout_s),
            read_s=timeout_s,
            total_s=timeout_s,
            max_body_bytes=_MAX_BODY_BYTES,
            attempts=1,  # `call` repeats
        )
        self._client: httpx.Client | None = None
        self._client_lock = ProcessLocal(Lock)

    def call(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        server_errors: bool = False,
        transient: Collection[int] = _TRANSIENT,
        before_repeating: Callable[[int], object] = lambda _: None,
    ) -> RestReply:
        """Return the answer to one call.

        Args:
            method: upper case.
            path: below the base URL, percent-encoded.
            json: the body, as JSON.
            form: the body, as a form.
            headers: more headers, nothing secret.
            server_errors: return answers from 500 on instead of raising: the caller judges them.
            transient: after these statuses, the call is repeated as long as its time allows.
            before_repeating: is called with such a status; it may raise, if repeating is useless.

        Raises:
            RateLimited: the answer was 429.
            StoreFailed: the network failed, or the answer was a server error.
            SecretUnresolved: `secret_malformed`, no header can carry the credential. No message quotes request or answer.
        """
        body = {"json": json} if json is not None else {"data": form} if form is not None else {}
        with deadline.within(self._settings.total_s):
            attempt = 1
            outcome = self._send(method, path, headers, body)
            while (pause_s := self._pause_s(outcome, attempt, transient, is_read=method == "GET")) is not None:
                if not isinstance(outcome, ConnectionFailed):
                    before_repeating(outcome.status_code)
                sleep(pause_s)
                attempt += 1
                repeated = self._send(method, path, headers, body)
                if isinstance(repeated, ConnectionFailed) and deadline.is_spent():
                    break  # the time was too short for one more answer: the one before says more
                outcome = repeated
        if isinstance(outcome, ConnectionFailed):
            raise self._failure(outcome)
        if outcome.status_code == _TOO_MANY_REQUESTS:
            raise RateLimited(f"{self._name} answered {outcome.status_code}", retry_after_s=_asked_s(outcome))
        if outcome.status_code >= _SERVER_ERROR and not server_errors:
            raise StoreFailed(f"{self._name} answered {outcome.status_code}")
        try:
            content = outcome.json()
        except (ValueError, RecursionError):
            content = None
        return RestReply(outcome.status_code, content)

    def _send(
        self, method: str, path: str, headers: Mapping[str, str] | None, body: Mapping[str, Any]
    ) -> httpx.Response | ConnectionFailed:
        from connform.http import sync_client

        try:
            with self._client_lock.own:
                if self._client is None:
                    self._client = sync_client(self._settings)
            return self._client.request(method, path.lstrip("/"), headers=headers, **body)
        except ConnectionFailed as failure:
            return failure

    def _pause_s(
        self, outcome: httpx.Response | ConnectionFailed, attempt: int, transient: Collection[int], *, is_read: bool
    ) -> float | None:
        """Return for how long to wait before the call is repeated; `None` if its outcome is final."""
        from connform.http import RequestFailed, retry  # start-up: they import httpx

        if isinstance(outcome, ConnectionFailed):
            if attempt >= _MAX_UNANSWERED or not isinstance(outcome, RequestFailed):
                return None
            pause_s = retry.after_failure(outcome, attempt, safe=is_read)
            return None if pause_s is None or pause_s >= deadline.left_s() else pause_s
        if outcome.status_code not in transient:
            return None
        asked_s = _asked_s(outcome)
        if asked_s and asked_s >= deadline.left_s():
            message = f"{self._name} answered {outcome.status_code}, and asks to wait for {asked_s:.0f} s"
            raise StoreFailed(f"{message}; `timeout_s` is {self._settings.total_s:g}", _HINT_SLOW)
        # At most half of the time that is left: one long pause shall not be the last.
        pause_s = max(asked_s or 0.0, min(retry.backoff(attempt), deadline.left_s() / 2), _SHORTEST_PAUSE_S)
        return pause_s if pause_s < deadline.left_s() else None

    def _failure(self, failure: ConnectionFailed) -> SecretUnresolved:
        message, hint = f"{self._name}: {failure.message}", _HINTS.get(failure.fault.name, failure.hint)
        if failure.fault.name == "secret_malformed":
            return SecretUnresolved(failure.fault.name, message, hint)
        return StoreFailed(message, hint)

    def close(self) -> None:
        """Close connections."""
        if self._client is not None:
            self._client.close()


def _asked_s(answer: httpx.Response) -> float | None:
    from connform.http import retry

    return retry.asked_s(answer.status_code, answer.headers.get("retry-after", ""), answer.headers.get("date", ""))


def content_of(reply: RestReply, name: str, *, login_hint: str, denied_hint: str = "") -> dict[str, Any]:
    """Return the JSON object of an answer; raise the fault that its status usually means.

    Args:
        reply: the answer.
        name: of the API in messages.
        login_hint: what to do after 401, the API does not accept the login.
        denied_hint: what to do after 403, the login may not read this secret.

    Raises:
        SecretUnresolved: `secret_denied`, `secret_not_found` or `secret_backend_unavailable`.
    """
    if reply.status == _UNAUTHORIZED:
        raise SecretUnresolved("secret_denied", f"{name} does not accept the login", login_hint)
    if reply.status == _FORBIDDEN:
        raise SecretUnresolved("secret_denied", f"{name} refuses this login the secret", denied_hint)
    if reply.status == _NOT_FOUND:
        raise SecretUnresolved("secret_not_found", f"{name} has no such secret")
    if not reply.is_success:
        raise SecretUnresolved(
            "secret_backend_unavailable", f"{name} answered {reply.status}, which is none of its answers"
        )
    content: dict[str, Any] = reply.content
    return content
