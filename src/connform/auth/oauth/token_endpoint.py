"""The client of a token endpoint: exchanges a code, refreshes and revokes tokens; no call is repeated.

Layer 2; uses the network, without user hooks, retries and proxies from the environment. RFC 6749 §4.1.3, §5, §6; RFC 7009.
Secrets are in clear only inside of `hidden_frames()`, so that no traceback shows them.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping
from time import monotonic
from typing import NamedTuple, TypeAlias, TypeVar
from urllib.parse import quote_plus, urlencode

from connform.auth.oauth.server import settings_for
from connform.auth.oauth.token_answer import AnswerLost, TokenAnswer, Tokens, read_revocation, read_tokens
from connform.errors import ConnectionFailed
from connform.http.header import HeaderCredential
from connform.http.net import deadline
from connform.http.settings import ClientSettings
from connform.secret import Secret
from connform.tracebacks import hidden_frames

T = TypeVar("T")
_Form: TypeAlias = "Mapping[str, str | Secret]"

CALL_S = 60.0
"""The limit of a call. The deadline of the caller does not shorten it: a call that is cut off loses the tokens of its answer."""


class App(NamedTuple):
    """The OAuth client: the app as it is registered at the vendor (RFC 6749 §2)."""

    client_id: str
    """The public name of the app."""
    client_secret: Secret | None
    """The secret of the app; `None` for a public client (RFC 6749 §2.1), which sends its name in the body."""
    authentication: str = "basic"
    """How both are sent: `basic` (in a header) or `body` (RFC 6749 §2.3.1)."""


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
        return self._call(self.url, form, read_tokens)

    def refresh(self, refresh_token: Secret, ends_at: float | None = None) -> Tokens:
        """Return new tokens for a refresh token (RFC 6749 §6); errors as for `exchange`.

        Args:
            refresh_token: the token to spend.
            ends_at: the end of the call, on the monotonic clock; nothing is sent after it. The default is `CALL_S` from now.
        """
        form: _Form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        return self._call(self.url, form, read_tokens, ends_at)

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
            return self._call(revoke_url, {"token": token, "token_type_hint": kind}, read_revocation)
        except AnswerLost as lost:
            raise ConnectionFailed("token_endpoint_unavailable", str(lost)) from None

    def _call(self, url: str, form: _Form, read: Callable[[TokenAnswer], T], ends_at: float | None = None) -> T:
        with hidden_frames():
            return read(self._send(url, form, monotonic() + CALL_S if ends_at is None else ends_at))

    def _send(self, url: str, form: _Form, ends_at: float) -> TokenAnswer:
        from dataclasses import replace

        from connform.http import RequestFailed, sync_client

        credential = _basic_credential(self.app)
        if credential is None:
            form = {**form, "client_id": self.app.client_id}
            if self.app.client_secret is not None:
                form["client_secret"] = self.app.client_secret
        settings = replace(
            settings_for(url, self._settings),
            credential=credential,
            attempts=1,
            read_s=CALL_S,
            write_s=CALL_S,
            total_s=CALL_S,
        )
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        with sync_client(settings) as client, deadline.until(ends_at):
            try:
                answer = client.post(url, content=_encode(form), headers=headers)
            except RequestFailed as failure:  # `from None`: the failure holds the request with its secrets
                if failure.sent:
                    raise AnswerLost(failure.message) from None
                raise ConnectionFailed(failure.fault.name, failure.message, failure.hint) from None
            return TokenAnswer(answer.status_code, answer.headers.get("retry-after", ""), answer.content)


def _encode(form: _Form) -> bytes:
    clear = {key: value.reveal() if isinstance(value, Secret) else value for key, value in form.items()}
    return urlencode(clear).encode("ascii")


def _basic_credential(app: App) -> HeaderCredential | None:
    """Return the `Basic` credential; `None` if the app is named in the body.

    Both parts are form-encoded first (RFC 6749 §2.3.1), because of colons and percent signs.
    """
    if app.client_secret is None or app.authentication == "body":
        return None
    pair = f"{quote_plus(app.client_id)}:{quote_plus(app.client_secret.reveal())}"
    value = Secret(b64encode(pair.encode("ascii")).decode("ascii"))
    return HeaderCredential("Authorization", value, key="client_secret", scheme="Basic")
