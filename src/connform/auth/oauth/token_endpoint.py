"""The client of a token endpoint: obtains, refreshes and revokes tokens; no call is repeated.

Layer 2; uses the network (`token_call.py`). RFC 6749 §4.1.3, §5, §6; RFC 7009.
Secrets are in clear only inside of `hidden_frames()`, so that no traceback shows them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias, TypeVar

from connform.auth.oauth.client_authentication import App, prove
from connform.auth.oauth.server import TokenOptions
from connform.auth.oauth.token_answer import AnswerLost, TokenAnswer, Tokens, read_revocation, read_tokens
from connform.auth.oauth.token_call import FORM, post
from connform.auth.oauth.token_log import logged
from connform.errors import ConnectionFailed
from connform.http.settings import ClientSettings
from connform.secret import Secret
from connform.tracebacks import hidden_frames

T = TypeVar("T")
_Form: TypeAlias = "Mapping[str, str | Secret]"


class TokenEndpoint:
    """The token endpoint of one app."""

    def __init__(
        self,
        url: str,
        app: App,
        settings: ClientSettings,
        *,
        options: TokenOptions = TokenOptions(),  # noqa: B008  (immutable)
        refresh_url: str = "",
    ) -> None:
        """Make the client. Base URL, credential and attempts of the settings are not used.

        Args:
            url: the token endpoint.
            app: the OAuth client.
            settings: TLS, proxy and connect time-out of the connection; `CALL_S` limits the call.
            options: what the server wants of each token request.
            refresh_url: where refresh tokens are sent; empty for `url`.
        """
        self.url = url
        self.app = app
        self.options = options
        self._refresh_url = refresh_url or url
        self._settings = settings

    def exchange(self, code: Secret, verifier: Secret, redirect_uri: str) -> Tokens:
        """Return the tokens for the code of a login (RFC 6749 §4.1.3, RFC 7636 §4.5); `verifier` is empty without PKCE.

        Raises:
            GrantRefused: the code was used already or is too old.
            AnswerLost: the connection broke after the code was sent.
            ConnectionFailed: `client_credentials_rejected`, `token_endpoint_unavailable`, or a fault of the network.
        """
        form: _Form = {"code": code, "redirect_uri": redirect_uri}
        if verifier:
            form = {**form, "code_verifier": verifier}
        return self.request("authorization_code", form, read_tokens)

    def refresh(self, refresh_token: Secret, ends_at: float | None = None) -> Tokens:
        """Return new tokens for a refresh token (RFC 6749 §6); errors as for `exchange`.

        Args:
            refresh_token: the token to spend.
            ends_at: the end of the call, on the monotonic clock; nothing is sent after it. The default is `CALL_S` from now.
        """
        return self.request("refresh_token", {"refresh_token": refresh_token}, read_tokens, ends_at)

    def request(
        self, grant_type: str, form: _Form, read: Callable[[TokenAnswer], T], ends_at: float | None = None
    ) -> T:
        """Send a token request (RFC 6749 §3.2), and return what `read` makes of its answer.

        Args:
            grant_type: the name of the grant.
            form: the parameters of the grant.
            read: reads the answer, and raises what it stands for.
            ends_at: as for `refresh`.

        Raises:
            AnswerLost: the request was sent, and its answer was lost.
            ConnectionFailed: a fault of the network; what `read` raises.
        """
        form = {**self.options.parameters, "grant_type": grant_type, **form}
        url = self._refresh_url if grant_type == "refresh_token" else self.url
        return self.call(url, form, read, ends_at, body=self.options.body)

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
            return self.call(revoke_url, {"token": token, "token_type_hint": kind}, read_revocation)
        except AnswerLost as lost:
            raise ConnectionFailed("token_endpoint_unavailable", str(lost)) from None

    def call(
        self,
        url: str,
        form: _Form,
        read: Callable[[TokenAnswer], T],
        ends_at: float | None = None,
        *,
        body: str = FORM,
    ) -> T:
        """Send a request of the client to an endpoint of its server; as for `request`."""
        with hidden_frames():
            proof = prove(self.app)
            content = {**form, **proof.parameters}

            def send() -> T:
                return read(post(url, content, self._settings, ends_at, body=body, credential=proof.credential))

            return logged(self._settings.name, _kind_of(form), send)


def _kind_of(form: _Form) -> str:
    """Return what the log calls a request."""
    if grant_type := form.get("grant_type"):
        return f"token request (grant type {grant_type})"
    return f"revocation of the {form['token_type_hint']}" if "token_type_hint" in form else "request of a device code"
