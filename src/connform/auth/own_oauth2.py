"""The auth method `oauth2` of a connection that describes its server itself: the keys of `oauth2.py`, and what else servers want.

Layer 2, no IO.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from connform.auth.inline import InlineMethod
from connform.auth.inline_client import CLIENT, assertion_findings
from connform.auth.oauth2 import OAUTH2
from connform.manifest.rules import Finding
from connform.manifest.urls import URL

_SHAPE = OAUTH2.shape._replace(
    properties={
        **OAUTH2.shape.properties,
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
    yield from OAUTH2.rules(auth)
    yield from assertion_findings(auth)


METHOD = InlineMethod(OAUTH2, _SHAPE, rules=_rules, endpoints=("authorize_url", "token_url"))
