"""The auth method `oauth2` of a connection that describes its server itself: the keys of `oauth2.py`, and what else servers want.

Layer 2, no IO.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from connform.auth.kit.granted_token import GRANTED_TOKEN
from connform.auth.kit.inline import InlineMethod
from connform.auth.kit.inline_client import CLIENT, assertion_findings
from connform.manifest.rules import Finding
from connform.manifest.url_schemas import URL

_SHAPE = GRANTED_TOKEN.shape._replace(
    properties={
        **GRANTED_TOKEN.shape.properties,
        **CLIENT,
        "refresh_url": {**URL, "description": "Where refresh tokens are sent; default: `token_url`."},
        "device_authorization_url": {**URL, "description": "The device authorization endpoint (RFC 8628 §3.1)."},
        "pkce": {
            "const": False,
            "description": "`false`: the server refuses PKCE (RFC 7636), so that logins do without.",
            "errorMessage": "PKCE is the default: only `false` says something here",
        },
    },
)


def _rules(auth: Mapping[str, Any]) -> Iterator[Finding]:
    yield from GRANTED_TOKEN.rules(auth)
    yield from assertion_findings(auth)


METHOD = InlineMethod(GRANTED_TOKEN, _SHAPE, rules=_rules, endpoints=("authorize_url", "token_url"))
