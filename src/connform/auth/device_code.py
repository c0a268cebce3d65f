"""The auth method `device_code`: a person consents on another device (RFC 8628).

Layer 2, no IO.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from connform.auth.kit.granted_token import GRANTED_TOKEN
from connform.auth.kit.inline import InlineMethod
from connform.auth.kit.inline_client import CLIENT, TOKEN_URL, inline_client_findings
from connform.manifest.rules import Finding
from connform.manifest.shape import Shape
from connform.manifest.url_schemas import URL

_URLS = ("issuer", "token_url", "device_authorization_url", "refresh_url", "revoke_url")
_SHAPE = Shape(
    properties={
        **CLIENT,
        "issuer": GRANTED_TOKEN.shape.properties["issuer"],
        "token_url": TOKEN_URL,
        "device_authorization_url": {**URL, "description": "The device authorization endpoint (RFC 8628 §3.1)."},
        "refresh_url": {**URL, "description": "Where refresh tokens are sent; default: `token_url`."},
        "revoke_url": GRANTED_TOKEN.shape.properties["revoke_url"],
    },
    required=("client_id",),
    description="A person's consent on another device, for hosts without a browser.",
)


def _rules(auth: Mapping[str, Any]) -> Iterator[Finding]:
    yield from inline_client_findings(auth, *_URLS)


METHOD = InlineMethod(GRANTED_TOKEN, _SHAPE, rules=_rules, endpoints=("device_authorization_url", "token_url"))
