"""The client of a token endpoint: exchanges a code, refreshes and revokes tokens; no call is repeated.

Layer 2; uses the network, without user hooks, retries and proxies from the environment. RFC 6749 §4.1.3, §5, §6; RFC 7009.
Secrets are in clear only inside of `hidden_frames()`, so that no traceback shows them.
"""

from __future__ import annotations

import json
from base64 import b64encode
from datetime import UTC, datetime
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias, TypeVar
from urllib.parse import quote_plus, urlencode, urlsplit

from connform.errors import ConnectionFailed
from connform.http.header import HeaderCredential, bearer
from connform.http.net import deadline
from connform.retry_after import parse_retry_after
from connform.secret import Secret
from connform.tracebacks import hidden_frames

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from connform.http.settings import ClientSettings

T = TypeVar("T")
_Form: TypeAlias = "Mapping[str, str | Secret]"

CALL_S: Final = 60.0
"""The limit of a call. The deadline of the caller does not shorten it: a call that is cut off loses the tokens of its answer."""
_MAX_BODY_BYTES: Final = 1024 * 1024
_LONGEST_LIFE_S: Final = 10 * 365 * 86_400.0
"""The longest lifetime of an access token that is used. A longer one means that it does not expire, and may overflow a date."""
_SUCCESS: Final = range(200, 300)
"""Any 2xx: some servers answer 201 or 202."""
_NOT_FOUND, _NO_SUCH_METHOD, _UNAUTHORIZED, _TOO_MANY, _SERVER_ERROR = 404, 405, 401, 429, 500
_GRANT_ERRORS: Final = {"invalid_grant", "bad_refresh_token"}
_APP_ERRORS: Final = {"invalid_client", "unauthorized_client", "incorrect_client_credentials"}
_REQUEST_ERRORS: Final = {"invalid_request", "invalid_scope", "unsupported_grant_type"}
"""Errors of the request. These three sets are the errors of RFC 6749 §5.2 and two of GitHub's; messages repeat no other error."""


class GrantRefused(Exception):
    """`invalid_grant`: the code or the refresh token was used, has expired or was revoked (RFC 6749 §5.2)."""


class AnswerLost(Exception):
    """The request was sent, but its answer was lost or is unusable: the code or refresh token may be spent."""


class EndpointFailed(ConnectionFailed):
    """The token endpoint answered with an error, and the code or refresh token was not spent."""

    def __init__(self, fault: str, message: str, hint: str = "", retry_after_s: float | None = None) -> None:
        super().__init__(fault, message, hint)
        self.retry_after_s = retry_after_s
        """The pause that the server asked for (`Retry-After`); `None` without one."""


class App(NamedTuple):
    """The OAuth client: the app as it is registered at the vendor (RFC 6749 §2)."""

    client_id: str
    """The public name of the app."""
    client_secret: Secret
    """The secret of the app."""
    authentication: str = "basic"
    """How both are sent: `basic` (in a header) or `body` (RFC 6749 §2.3.1)."""


class Tokens(NamedTuple):
    """The tokens in a successful answer (RFC 6749 §5.1)."""

    access_token: Secret
    """The access token."""
    refresh_token: Secret | None
    """A new refresh token; `None` if the answer has none, so that the old one stays valid (RFC 6749 §6)."""
    lifetime_s: float | None
    """The lifetime of the access token in seconds; `None` if unknown."""
    scopes: tuple[str, ...] | None
    """The granted scopes; `None` if they are the requested ones."""


class _Answer(NamedTuple):
    status: int
    retry_after: str
    body: bytes


class TokenEndpoint:
    """The token endpoint of one app."""

    def __init__(self, url: str, app: App, settings: ClientSettings) -> None:
        """Make the client. Base URL, credential and attempts of the settings are not used.

        Args:
            url: the token endpoint.
            app: the OAuth client.
            settings: TLS, proxy and connect time-out of the connection; `CALL_S` limits the call.
        """
        self.url = url
        self.app = app
        self._settings = settings

    def exchange(self, code: Secret, verifier: Secret, redirect_uri: str) -> Tokens:
        """Return the tokens for the code of a login (RFC 6749 §4.1.3, RFC 7636 §4.5).

        Raises:
            GrantRefused: the code was used already or is too old.
            AnswerLost: the connection broke after the code was sent.
            ConnectionFailed: `client_credentials_rejected`, `token_endpoint_unavailable`, or a fault of the network.
        """
        form: _Form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        return self._call(self.url, form, _read_tokens)

    def refresh(self, refresh_token: Secret) -> Tokens:
        """Return new tokens for a refresh token (RFC 6749 §6); errors as for `exchange`."""
        return self._call(self.url, {"grant_type": "refresh_token", "refresh_token": refresh_token}, _read_tokens)

    def revoke(self, revoke_url: str, token: Secret, kind: str) -> bool:
        """Revoke a token (RFC 7009 §2.1); return false if `revoke_url` does not revoke tokens of this kind.

        Args:
            revoke_url: the revocation endpoint.
            token: the token to revoke.
            kind: `refresh_token` or `access_token`.

        Raises:
            GrantRefused: the server answers that the token is not valid, although RFC 7009 requires a 200.
            ConnectionFailed: as for `exchange`.
        """
        try:
            return self._call(revoke_url, {"token": token, "token_type_hint": kind}, _read_revocation)
        except AnswerLost as lost:
            raise ConnectionFailed("token_endpoint_unavailable", str(lost)) from None

    def _call(self, url: str, form: _Form, read: Callable[[_Answer], T]) -> T:
        with hidden_frames():
            return read(self._send(url, form))

    def _send(self, url: str, form: _Form) -> _Answer:
        from dataclasses import replace

        from connform.http import RequestFailed, sync_client

        parts = urlsplit(url)
        in_body = self.app.authentication == "body"
        if in_body:
            form = {**form, "client_id": self.app.client_id, "client_secret": self.app.client_secret}
        settings = replace(
            self._settings,
            base_url=f"{parts.scheme}://{parts.netloc}",
            credential=None if in_body else _basic_credential(self.app),
            attempts=1,
            read_s=CALL_S,
            write_s=CALL_S,
            total_s=CALL_S,
            max_body_bytes=_MAX_BODY_BYTES,
        )
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        with sync_client(settings) as client, deadline.until(monotonic() + CALL_S):
            try:
                answer = client.post(url, content=_encode(form), headers=headers)
            except RequestFailed as failure:  # `from None`: the failure holds the request with its secrets
                if failure.sent:
                    raise AnswerLost(failure.message) from None
                raise ConnectionFailed(failure.fault.name, failure.message, failure.hint) from None
            return _Answer(answer.status_code, answer.headers.get("retry-after", ""), answer.content)


def _encode(form: _Form) -> bytes:
    clear = {key: value.reveal() if isinstance(value, Secret) else value for key, value in form.items()}
    return urlencode(clear).encode("ascii")


def _basic_credential(app: App) -> HeaderCredential:
    """Return the `Basic` credential. Both parts are form-encoded first (RFC 6749 §2.3.1), because of colons and percent signs."""
    pair = f"{quote_plus(app.client_id)}:{quote_plus(app.client_secret.reveal())}"
    value = Secret(b64encode(pair.encode("ascii")).decode("ascii"))
    return HeaderCredential("Authorization", value, key="client_secret", scheme="Basic")


def _raise_error(answer: _Answer) -> None:
    """Raise the error in an answer of the token endpoint; a success raises nothing."""
    status, error = answer.status, str((_parse_json(answer.body) or {}).get("error"))
    message, hint = f"the token endpoint answered {status}", ""
    if error in _GRANT_ERRORS:
        raise GrantRefused
    if error in _APP_ERRORS:
        raise EndpointFailed("client_credentials_rejected", f"{message} {error}")
    if status == _UNAUTHORIZED:
        raise EndpointFailed("client_credentials_rejected", message)
    if error in _REQUEST_ERRORS:
        message, hint = f"{message} {error}", "ask the vendor what the app may ask for; the grant is as it was"
    elif status in _SUCCESS:
        return
    elif status != _TOO_MANY and status < _SERVER_ERROR:
        message = f"{message}, which is none of its answers"
    retry_after_s = parse_retry_after(answer.retry_after, datetime.now(UTC))
    raise EndpointFailed("token_endpoint_unavailable", message, hint, retry_after_s)


def _read_revocation(answer: _Answer) -> bool:
    error = (_parse_json(answer.body) or {}).get("error")
    if answer.status in {_NOT_FOUND, _NO_SUCH_METHOD} or error == "unsupported_token_type":  # RFC 7009 §2.2.1
        return False
    if error == "invalid_token":  # not in RFC 7009; some servers answer it for a token that is no longer valid
        raise GrantRefused
    _raise_error(answer)
    return True


def _read_tokens(answer: _Answer) -> Tokens:
    content = _parse_json(answer.body) or {}
    access, refresh, scope = (content.get(key) for key in ("access_token", "refresh_token", "scope"))
    if answer.status not in _SUCCESS or access is None:
        _raise_error(answer)
    if not isinstance(access, str) or not isinstance(refresh, str | None):
        # An unreadable success: the refresh token is spent, and the new tokens are lost.
        what = "an access token" if content else "tokens: with a page, perhaps"
        raise AnswerLost(f"the token endpoint answered {answer.status} without {what}")
    if str(content.get("token_type", "bearer")).lower() != "bearer":
        raise AnswerLost("the token endpoint issued a token of another type than bearer")
    token = Secret(access)
    try:
        bearer(token, key="access_token")
    except ConnectionFailed as unusable:  # its message never contains the token
        raise AnswerLost(unusable.message) from None
    scopes = tuple(scope.split()) if isinstance(scope, str) and scope.strip() else None
    return Tokens(token, Secret(refresh) if refresh else None, _lifetime(content.get("expires_in")), scopes)


def _lifetime(value: Any) -> float | None:
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        return None
    except OverflowError:
        return _LONGEST_LIFE_S
    return min(seconds, _LONGEST_LIFE_S) if seconds >= 0 else None


def _parse_json(body: bytes) -> dict[str, Any] | None:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None
