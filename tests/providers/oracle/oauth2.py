"""The auth method `oauth2` as it was when the provider `iinked-sign` was a class: the scopes, and the demand for a secret and an
https redirect, were the method's own, and are the provider's data now. Its other keys are those of today.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from connform.auth.oauth2 import OAUTH2 as NOW
from connform.auth.oauth2 import OAuth2 as Today
from connform.manifest.references import REFERENCE
from connform.manifest.rules import Finding
from connform.manifest.urls import url_findings

DEFAULT_SCOPES = ("profile", "offline_access", "organization")
"""The scopes requested by default, as the vendor's OAuth page documents them. `offline_access` gives a refresh token."""
SERVER_URLS = ("issuer", "authorize_url", "token_url", "revoke_url")
"""The settings that name the server: people, the client secret and tokens are sent there."""


class OAuth2(Today):
    """The method `oauth2`."""

    shape = NOW.shape._replace(
        properties={
            **NOW.shape.properties,
            "client_secret": {**REFERENCE, "description": "A secret reference to the app's secret at the vendor."},
        },
        required=("client_id", "client_secret", "redirect_uri"),
    )

    def rules(self, auth: Mapping[str, Any]) -> Iterator[Finding]:
        """Yield findings about the URLs, the client id and the scopes."""
        yield from url_findings(auth["redirect_uri"], ("redirect_uri",), loopback_http=False, query=True)
        for key in SERVER_URLS:
            if key in auth:
                yield from url_findings(auth[key], (key,), query=key == "authorize_url")
        if re.match(r"(?!https?:)(?:ref\+)?[a-z][a-z0-9-]*://", auth["client_id"]):
            detail = "a client id is no secret and no reference is resolved here: write it in clear"
            yield Finding("malformed-value", ("client_id",), detail)
        if "offline_access" not in auth.get("scopes", DEFAULT_SCOPES):
            detail = "without the scope `offline_access` there is no refresh token: the login must be repeated when the token ends"
            yield Finding("no-refresh-token", ("scopes",), detail, "add offline_access")


OAUTH2 = OAuth2()
