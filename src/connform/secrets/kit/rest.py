"""A client for the JSON API of a secret store, `RestApi`, over connform's own HTTP client.

Layer 2; uses the network: https, or http on loopback; no redirects, no proxy from the environment, one deadline for a call.
Calls are repeated as by a ready client: reads, and a POST such as a login only if the server can't have acted on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

from connform.errors import ConnectionFailed, SecretUnresolved
from connform.process_local import ProcessLocal

if TYPE_CHECKING:
    import httpx

    from connform.http.settings import Credential

_SUCCESS = range(200, 300)
_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _TOO_MANY_REQUESTS, _SERVER_ERROR = 401, 403, 404, 429, 500
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
            credential: authenticates each call.
        """
        from connform.http.settings import ClientSettings

        self._name = name
        self._settings = ClientSettings(
            base_url=base_url,
            credential=credential,
            ca_file=ca_file,
            client_cert=client_cert,
            client_key=client_key,
            connect_s=min(5.0, timeout_s),
            read_s=timeout_s,
            total_s=timeout_s,
            max_body_bytes=_MAX_BODY_BYTES,
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
    ) -> RestReply:
        """Return the answer to one call.

        Args:
            method: upper case.
            path: below the base URL, percent-encoded.
            json: the body, as JSON.
            form: the body, as a form.
            headers: more headers, nothing secret.
            server_errors: return answers from 500 on instead of raising: the caller judges them.

        Raises:
            SecretUnresolved: `secret_backend_unavailable`, the network failed, or the answer was 429 or a server error;
                `secret_malformed`, no header can carry the credential. The message quotes neither request nor answer.
        """
        from connform.http import sync_client

        try:
            with self._client_lock.own:
                if self._client is None:
                    self._client = sync_client(self._settings)
            body = {"json": json} if json is not None else {"data": form} if form is not None else {}
            answer = self._client.request(method, path.lstrip("/"), headers=headers, **body)
        except ConnectionFailed as failure:
            fault = "secret_malformed" if failure.fault.name == "secret_malformed" else "secret_backend_unavailable"
            hint = _HINTS.get(failure.fault.name, failure.hint)
            raise SecretUnresolved(fault, f"{self._name}: {failure.message}", hint) from None
        if answer.status_code == _TOO_MANY_REQUESTS or (answer.status_code >= _SERVER_ERROR and not server_errors):
            raise SecretUnresolved("secret_backend_unavailable", f"{self._name} answered {answer.status_code}")
        try:
            content = answer.json()
        except (ValueError, RecursionError):
            content = None
        return RestReply(answer.status_code, content)

    def close(self) -> None:
        """Close connections."""
        if self._client is not None:
            self._client.close()


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
