"""Auth methods that send the access token of a grant, which a person gave (RFC 6749 §4.1, RFC 8628).

Layer 2, no IO: `auth/oauth/renewal.py` renews the grant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from connform.auth.interface import AuthInputs, AuthMethod, SecretUse
from connform.auth.kit.client import CLIENT_SECRET, SERVER_URLS, app, client_findings, grant_server, judge
from connform.auth.kit.sent_secrets import placement_of
from connform.auth.kit.shapes import SCOPE
from connform.http.credential import Credential, HeaderLines
from connform.http.header import BEARER_SCHEME
from connform.manifest.references import REFERENCE
from connform.manifest.rules import Finding
from connform.manifest.shape import Shape
from connform.manifest.url_schemas import URL
from connform.manifest.urls import url_findings
from connform.secret import Secret

if TYPE_CHECKING:
    from connform.auth.oauth.server import AuthorizationServer

CLIENT_KEYS = ("client_id", "scopes", "client_auth")
"""The keys of an OAuth client whatever its flow."""
URLS_WITH_QUERY = frozenset({"authorize_url", "device_authorization_url", "token_url", "refresh_url"})
"""The URLs that may have a query (RFC 6749 §3.1, §3.2)."""


class GrantedToken(AuthMethod):
    """The method `oauth2` of a provider that knows its server; other methods of this kind have more keys or fewer."""

    uses_grant = True
    uses_by_keys = True

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
                "examples": ["https://localhost/callback", "http://127.0.0.1:8400/callback"],
            },
            "scopes": {
                "type": "array",
                "items": SCOPE,
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
        if "redirect_uri" in auth:
            yield from url_findings(auth["redirect_uri"], ("redirect_uri",), query=True)
        for key in SERVER_URLS:
            if key in auth:
                yield from url_findings(auth[key], (key,), query=key in URLS_WITH_QUERY)
        yield from client_findings(auth)

    def judge(self, key: str, secret: Secret) -> None:
        """Require a client secret of printable ASCII characters (RFC 6749 appendix A.2)."""
        judge(key, secret)

    def uses(self, auth: Mapping[str, Any], server: AuthorizationServer) -> Iterator[SecretUse]:
        """Yield where the client's secret is sent, and further secrets that are sent beside the token."""
        for key in SERVER_URLS:
            if url := getattr(server, key):
                yield SecretUse("" if key == "authorize_url" else CLIENT_SECRET, url, key)
        placement = placement_of(auth)
        for key in auth:
            if place := placement.place(key):
                yield SecretUse(key, place=place)

    def credential(self, inputs: AuthInputs) -> Credential:
        """Return the credential of the grant. The grant is read at the first request."""
        from connform.auth.oauth.credential import GrantCredential
        from connform.auth.oauth.renewal import bearer_lines

        lines: Callable[[Secret], HeaderLines] = bearer_lines
        scheme = BEARER_SCHEME
        if "headers" in inputs.settings or "query" in inputs.settings:
            from connform.auth.kit.token_placement import placed_lines

            lines, scheme = placed_lines(inputs)
        store, server = inputs.grants(), grant_server(inputs)
        return GrantCredential(inputs.connection, store, server, app(inputs), inputs.client, lines=lines, scheme=scheme)


GRANTED_TOKEN = GrantedToken()
