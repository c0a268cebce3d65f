"""The auth method `jwt_bearer`: a signed JWT is exchanged for a token (RFC 7523 §2.1).

Layer 2, no IO.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from connform.auth.kit.client import parameter_findings
from connform.auth.kit.granted_token import URLS_WITH_QUERY
from connform.auth.kit.inline import InlineMethod
from connform.auth.kit.inline_client import CLIENT, TOKEN_URL
from connform.auth.kit.jwt_settings import PRIVATE_KEY
from connform.auth.kit.obtained_token import OBTAINED_TOKEN
from connform.manifest.rules import Finding
from connform.manifest.shape import Shape
from connform.manifest.urls import url_findings

_SHAPE = Shape(
    properties={**{key: schema for key, schema in CLIENT.items() if key != "client_auth"}, "token_url": TOKEN_URL},
    required=("token_url", "jwt", PRIVATE_KEY),
    description="A token in exchange for a signed JWT, as for a service account.",
)


def _rules(auth: Mapping[str, Any]) -> Iterator[Finding]:
    yield from url_findings(auth["token_url"], ("token_url",), query="token_url" in URLS_WITH_QUERY)
    yield from parameter_findings(auth.get("token_params", ()), ("token_params",))
    if "client_id" not in auth and "issuer" not in auth["jwt"]:
        yield Finding("missing-key", ("jwt",), "nothing says who signs: write `issuer`, or `client_id` beside `jwt`")


METHOD = InlineMethod(OBTAINED_TOKEN, _SHAPE, defaults={"flow": "jwt_bearer"}, rules=_rules)
