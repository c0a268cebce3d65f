"""The auth method `client_credentials`: a token that the app obtains by itself (RFC 6749 §4.4).

Layer 2, no IO.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from connform.auth.kit.client import CLIENT_SECRET
from connform.auth.kit.inline import InlineMethod
from connform.auth.kit.inline_client import CLIENT, TOKEN_URL, inline_client_findings
from connform.auth.kit.obtained_token import OBTAINED_TOKEN
from connform.manifest.rules import Finding
from connform.manifest.shape import Shape

_SHAPE = Shape(
    properties={**CLIENT, "token_url": TOKEN_URL},
    required=("client_id", "token_url"),
    description="A token that the app obtains by itself, without a person.",
)


def _rules(auth: Mapping[str, Any]) -> Iterator[Finding]:
    yield from inline_client_findings(auth, "token_url")
    if "client_auth" not in auth and CLIENT_SECRET not in auth:
        detail = "the app shows nothing: write `client_secret`, or another `client_auth`"
        yield Finding("missing-key", (), detail)


METHOD = InlineMethod(OBTAINED_TOKEN, _SHAPE, defaults={"flow": "client_credentials"}, rules=_rules)
