"""One login call: a POST with secrets in its body or headers, answered with a token.

Layer 2; uses the network. It is not repeated, and follows no redirect.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from connform.auth.oauth.token_answer import AnswerLost, EndpointFailed, Tokens
from connform.auth.oauth.token_call import post
from connform.auth.oauth.token_log import logged
from connform.auth.tokens.interface import TokenRequest
from connform.auth.tokens.login_answer import TokenLifetime, read_login
from connform.auth.tokens.oauth_request import without_secrets
from connform.http.credential import Credential
from connform.http.settings import ClientSettings
from connform.tracebacks import hidden_frames


class LoginCall(TokenRequest):
    """Obtains a token from an API's own login."""

    def __init__(
        self,
        url: str,
        content: Mapping[str, Any],
        settings: ClientSettings,
        *,
        token_at: str,
        bound_to: Mapping[str, Any],
        body: str = "json",
        credential: Callable[[], Credential | None] = lambda: None,
        lifetime: TokenLifetime = TokenLifetime(),  # noqa: B008  (immutable)
    ) -> None:
        """Set what is sent, and where the token stands in the answer. No IO.

        Args:
            url: where to.
            content: the body, JSON-ready but for its `Secret`s.
            settings: TLS, proxy and connect time-out of the connection.
            token_at: the JSON Pointer of the token in the answer.
            bound_to: what the tokens are issued for besides URL and body, JSON-ready: the API's root, the references with their
                versions, what a JWT says.
            body: `json` or `form`, which has texts and `Secret`s only; empty for none.
            credential: makes what the headers carry, anew for each call: Basic, or a JWT.
            lifetime: how long the token lives.
        """
        self._url = url
        self._content = content
        self._settings = settings
        self._token_at = token_at
        self._bound_to = bound_to
        self._body = body
        self._credential = credential
        self._lifetime = lifetime

    @property
    def binding(self) -> Mapping[str, Any]:
        own = {"login_url": self._url, "content": without_secrets(self._content), "token_at": self._token_at}
        return {**self._bound_to, **own, "body": self._body}

    def obtain(self, ends_at: float) -> Tokens:
        try:
            with hidden_frames():
                return logged(self._settings.name, "login call", lambda: self._send(ends_at))
        except AnswerLost as lost:
            raise EndpointFailed("token_endpoint_unavailable", str(lost), "try again later") from None

    def _send(self, ends_at: float) -> Tokens:
        answer = post(self._url, self._content, self._settings, ends_at, body=self._body, credential=self._credential())
        return read_login(answer, self._token_at, self._lifetime)
