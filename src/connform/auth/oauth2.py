"""Turns an OAuth 2.0 grant (RFC 6749 §4.1) into the Authorization header.

Layer 2, no IO. This version declares and validates OAuth connections; it obtains no grants yet, so that the
only token it can send is one that it is given: the simulation's.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from connform.auth.header import bearer
from connform.errors import ConnectionFailed
from connform.manifest.references import REFERENCE
from connform.manifest.rules import Finding
from connform.manifest.shape import Shape
from connform.manifest.urls import URL, url_findings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from connform.auth.interface import Credential
    from connform.secret import Secret

DEFAULT_SCOPES: Final = ("profile", "offline_access", "organization")
"""What the vendor's OAuth page asks for; `offline_access` brings a refresh token."""


class OAuth2:
    """The method `oauth2`."""

    shape = Shape(
        properties={
            "client_id": {
                "type": "string",
                "pattern": r"^[!-~]+(?!\n)$",
                "description": "The app's public name at the vendor (RFC 6749 §2.2); no secret, so it stands here in clear.",
                "examples": ["acme-portal"],
                "errorMessage": "a client id is visible ASCII without spaces (RFC 6749 appendix A.1)",
            },
            "client_secret": {**REFERENCE, "description": "A secret reference to the app's secret at the vendor."},
            "redirect_uri": {
                **URL,
                "description": "Where the vendor sends the person back to; registered with the vendor in advance.",
                "examples": ["https://localhost/auth/syngrafii"],
            },
            "scopes": {
                "type": "array",
                "items": {
                    "type": "string",
                    "pattern": r"^[!#-\[\]-~]+(?!\n)$",
                    "errorMessage": "a scope is one word; each scope is an item of the list (RFC 6749 §3.3)",
                },
                "minItems": 1,
                "uniqueItems": True,
                "default": list(DEFAULT_SCOPES),
                "description": "What the app may do; `offline_access` brings a refresh token.",
            },
        },
        required=("client_id", "client_secret", "redirect_uri"),
        description="OAuth 2.0, authorization code flow: a customer's consent to a third-party app.",
    )

    def rules(self, auth: Mapping[str, Any]) -> Iterator[Finding]:
        """Yield what is wrong with the redirect, the client id and the scopes."""
        yield from url_findings(auth["redirect_uri"], ("redirect_uri",), loopback_http=False, query=True)
        if re.match(r"(?!https?:)(?:ref\+)?[a-z][a-z0-9-]*://", auth["client_id"]):
            detail = "a client id is no secret and no reference is resolved here: write it in clear"
            yield Finding("malformed-value", ("client_id",), detail)
        if "offline_access" not in auth.get("scopes", DEFAULT_SCOPES):
            detail = "without the scope `offline_access` there is no refresh token: the login must be repeated when the token ends"
            yield Finding("no-refresh-token", ("scopes",), detail, "add offline_access")

    def credential(self, secrets: Mapping[str, Secret], api_key_header: str) -> Credential:  # noqa: ARG002
        """Return the access token in the Authorization header.

        Raises:
            ConnectionFailed: `login_required` without a token.
        """
        if "access_token" not in secrets:
            raise ConnectionFailed("login_required", "no customer has granted this connection access yet")
        return bearer(secrets["access_token"], key="access_token")


OAUTH2: Final = OAuth2()
