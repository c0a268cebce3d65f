"""An auth method with a token request of its own, as a plug-in: `auth: {method: issued, token_url: …, secret: env://…, audience: …}`."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from time import monotonic
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from connform.auth.oauth.token_answer import AnswerLost, EndpointFailed, GrantRefused, TokenAnswer, Tokens, read_tokens
from connform.auth.tokens.renewal import issued_credential
from connform.errors import ConnectionFailed
from connform.http.credential import Credential, HeaderLines
from connform.http.header import bearer
from connform.manifest.references import REFERENCE
from connform.manifest.shape import Shape
from connform.plugin import AuthInputs, AuthMethod
from connform.secret import Secret
from connform.tracebacks import hidden_frames


class Request(NamedTuple):
    """One call of a token endpoint."""

    token_url: str
    secret: Secret
    audience: str = "orders"

    @property
    def binding(self) -> Mapping[str, Any]:
        return {"token_url": self.token_url, "parameters": {"audience": self.audience}}

    def obtain(self, ends_at: float) -> Tokens:
        url = urlsplit(self.token_url)
        with hidden_frames():
            try:
                calling = http.client.HTTPConnection(url.hostname or "", url.port, timeout=ends_at - monotonic())
                calling.request("POST", url.path, json.dumps({"secret": self.secret.reveal(), "for": self.audience}))
                answer = calling.getresponse()
                read = TokenAnswer(answer.status, answer.headers.get("Retry-After", ""), answer.read())
                calling.close()
            except OSError:
                raise ConnectionFailed("tcp_refused", f"{url.hostname} does not answer") from None
            try:
                return read_tokens(read)
            except (AnswerLost, GrantRefused) as other:
                raise EndpointFailed("token_endpoint_unavailable", str(other)) from None


def lines(token: Secret) -> HeaderLines:
    return bearer(token, key="access_token").headers()


class Method(AuthMethod):
    shape = Shape(
        properties={"token_url": {"type": "string"}, "audience": {"type": "string"}, "secret": REFERENCE},
        required=("token_url", "secret"),
    )

    def judge(self, key: str, secret: Secret) -> None:
        pass

    def credential(self, inputs: AuthInputs) -> Credential:
        settings = inputs.settings
        request = Request(settings["token_url"], inputs.secrets["secret"], settings.get("audience", "orders"))
        return issued_credential(inputs.connection, request, inputs.tokens(), lines, "Bearer")


METHOD = Method()
