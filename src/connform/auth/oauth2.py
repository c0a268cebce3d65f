"""The auth method `oauth2`: the access token of a customer's grant (RFC 6749 §4.1) in the Authorization header.

Layer 2, no IO: `auth/oauth/renewal.py` renews the grant.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from connform.auth.interface import AuthInputs, AuthMethod
from connform.errors import ConnectionFailed
from connform.http.header import problem_of
from connform.http.settings import Credential
from connform.manifest.references import REFERENCE
from connform.manifest.rules import Finding
from connform.manifest.shape import Shape
from connform.manifest.urls import URL, url_findings
from connform.secret import Secret

if TYPE_CHECKING:
    from connform.auth.oauth.server import AuthorizationServer
    from connform.auth.oauth.token_endpoint import App

SERVER_URLS = ("issuer", "authorize_url", "token_url", "revoke_url")
"""The settings that name the server: people, the client's secret and tokens are sent there."""


class OAuth2(AuthMethod):
    """The method `oauth2`."""

    uses_grant = True

    shape = Shape(
        properties={
            "client_id": {
                "type": "string",
                "pattern": r"^[!-~]+(?!\n)$",
                "description": "The app's public name at the vendor (RFC 6749 §2.2); no secret, so it stands here in clear.",
                "examples": ["acme-portal"],
                "errorMessage": "a client id is visible ASCII without spaces (RFC 6749 appendix A.1)",
            },
            "client_secret": {
                **REFERENCE,
                "description": "A secret reference to the app's secret at the vendor; without it, the app is a public client (RFC 6749 §2.1).",
            },
            "redirect_uri": {
                **URL,
                "x-compare": "text",
                "description": "Where the vendor sends the person back to; registered with the vendor in advance. "
                "Plain http leads to this machine alone (RFC 8252 §7.3).",
                "examples": ["https://localhost/auth/syngrafii", "http://127.0.0.1:8400/callback"],
            },
            "scopes": {
                "type": "array",
                "items": {
                    "type": "string",
                    "pattern": r"^[!#-\[\]-~]+(?!\n)$",
                    "errorMessage": "a scope is one word; each scope is an item of the list (RFC 6749 §3.3)",
                },
                "uniqueItems": True,
                "description": "What the app may do; default: the provider's, if it has any. Without scopes, the server decides (RFC 6749 §3.3).",
            },
            "client_auth": {
                "enum": ["basic", "body"],
                "default": "basic",
                "description": "How the app shows its secret to the token endpoint: in a header, or in the body (RFC 6749 §2.3.1).",
            },
            "issuer": {
                **URL,
                "x-compare": "text",
                "description": "The authorization server's name; it says itself where its endpoints are (RFC 8414), on its own origin only.",
                "examples": ["https://login.acme.example"],
            },
            "authorize_url": {
                **URL,
                "description": "The authorization endpoint (RFC 6749 §3.1); default: the provider's.",
            },
            "token_url": {**URL, "description": "The token endpoint (RFC 6749 §3.2); default: the provider's."},
            "revoke_url": {**URL, "description": "The revocation endpoint (RFC 7009); default: the provider's."},
        },
        required=("client_id", "redirect_uri"),
        description="OAuth 2.0, authorization code flow: a customer's consent to a third-party app.",
    )

    def rules(self, auth: Mapping[str, Any]) -> Iterator[Finding]:
        """Yield findings about the URLs and the client."""
        yield from url_findings(auth["redirect_uri"], ("redirect_uri",), query=True)
        for key in SERVER_URLS:
            if key in auth:
                yield from url_findings(auth[key], (key,), query=key == "authorize_url")
        if re.match(r"(?!https?:)(?:ref\+)?[a-z][a-z0-9-]*://", auth["client_id"]):
            detail = "a client id is no secret and no reference is resolved here: write it in clear"
            yield Finding("malformed-value", ("client_id",), detail)
        if "client_auth" in auth and "client_secret" not in auth:
            detail = "without `client_secret` there is nothing to show: remove `client_auth`, or write `client_secret`"
            yield Finding("missing-key", (), detail)

    def judge(self, key: str, secret: Secret) -> None:
        """Require a client secret of printable ASCII characters (RFC 6749 appendix A.2)."""
        if problem := problem_of(secret):
            message = f"the secret behind `{key}` {problem}, and no app has such a secret"
            raise ConnectionFailed("secret_malformed", message)

    def credential(self, inputs: AuthInputs) -> Credential:
        """Return the credential of the grant. The grant is read at the first request."""
        from connform.auth.oauth.credential import GrantCredential

        return GrantCredential(
            inputs.connection, inputs.grants(), server(inputs.settings, inputs.server), app(inputs), inputs.client
        )


def app(inputs: AuthInputs) -> App:
    """Return the OAuth client (RFC 6749 §2).

    Raises:
        ConnectionFailed: `secret_malformed`.
    """
    from connform.auth.oauth.token_endpoint import App

    settings, secret = inputs.settings, inputs.secrets.get("client_secret")
    if secret is not None:
        OAUTH2.judge("client_secret", secret)
    return App(settings["client_id"], secret, settings.get("client_auth", "basic"))


def server(settings: Mapping[str, Any], known: AuthorizationServer) -> AuthorizationServer:
    """Return the authorization server: the URLs under `auth:` in the manifest, otherwise those of the provider.

    With `issuer`, the URLs of the provider are not used.
    """
    declared = {key: settings[key] for key in SERVER_URLS if key in settings}
    if "issuer" in declared:
        known = known._replace(authorize_url="", token_url="", revoke_url="")
    return known._replace(**declared)


OAUTH2 = OAuth2()
