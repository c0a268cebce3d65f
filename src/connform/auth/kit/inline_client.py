"""The keys under `auth:` of OAuth methods that a connection describes itself, and the rules for them.

Layer 2, no IO.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from connform.auth.described.kinds import ACCESS_TOKEN
from connform.auth.kit.client import CLIENT_SECRET, client_findings
from connform.auth.kit.granted_token import GRANTED_TOKEN, URLS_WITH_QUERY
from connform.auth.kit.jwt_settings import PRIVATE_KEY
from connform.auth.kit.shapes import CLIENT_AUTH, SECRET_HEADERS
from connform.auth.kit.token_shapes import JWT, TOKEN_PARAMS
from connform.manifest.named_text_rules import secret_text_findings, unsent_findings
from connform.manifest.references import REFERENCE
from connform.manifest.rules import Finding
from connform.manifest.shape import Schema
from connform.manifest.url_schemas import URL
from connform.manifest.urls import url_findings

JWT_KEYS: Schema = {**JWT, "required": ["alg"]}
"""The schema of `jwt`, whose key is always `private_key`."""
CLIENT: dict[str, Any] = {
    "client_id": GRANTED_TOKEN.shape.properties["client_id"],
    CLIENT_SECRET: GRANTED_TOKEN.shape.properties[CLIENT_SECRET],
    PRIVATE_KEY: {**REFERENCE, "description": "A secret reference to the private key, in PEM, that signs JWTs."},
    "scopes": GRANTED_TOKEN.shape.properties["scopes"],
    "client_auth": {**CLIENT_AUTH, "default": "basic"},
    "jwt": JWT_KEYS,
    "token_params": TOKEN_PARAMS,
    "token_format": {
        "enum": ["form", "json"],
        "default": "form",
        "description": "The format of token requests. Default: form (RFC 6749 §4).",
    },
    "headers": {
        **SECRET_HEADERS,
        "description": 'The headers that carry the token, each with its text; default: `{Authorization: "Bearer {access_token}"}`.',
    },
}
"""The keys of a client and of its token requests."""
TOKEN_URL: Schema = {**URL, "description": "The token endpoint (RFC 6749 §3.2)."}


def inline_client_findings(auth: Mapping[str, Any], *urls: str) -> Iterator[Finding]:
    """Yield what is wrong with the client of a method; `urls` are its keys that hold URLs."""
    for key in urls:
        if key in auth:
            yield from url_findings(auth[key], (key,), query=key in URLS_WITH_QUERY)
    yield from client_findings(auth)
    yield from assertion_findings(auth)


def assertion_findings(auth: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield what is wrong with the JWT of a client, and with the headers that carry its token."""
    yield from jwt_findings(auth, needs_jwt=auth.get("client_auth") == "private_key_jwt")
    yield from token_header_findings(auth)


def token_header_findings(
    auth: Mapping[str, Any], secrets: Collection[str] = (), name: str = ACCESS_TOKEN
) -> Iterator[Finding]:
    """Yield what is wrong with the headers that carry a token, which has a name in texts, and further secrets."""
    headers = auth.get("headers", {})
    for header, text in headers.items():
        yield from secret_text_findings(("headers", header), text, [name, *secrets], what="header")
    yield from unsent_findings(("headers",), headers.values(), name, secrets)


def jwt_findings(auth: Mapping[str, Any], *, needs_jwt: bool) -> Iterator[Finding]:
    """Yield what is missing, or nothing uses, of a JWT and its key."""
    for key, what in (
        ("jwt", "how the JWT is signed: `jwt: {alg: RS256}`"),
        (PRIVATE_KEY, "the key that signs, a secret reference"),
    ):
        if needs_jwt and key not in auth:
            yield Finding("missing-key", (), f"a JWT is signed here: write `{key}`, {what}")
        elif not needs_jwt and key in auth:
            detail = f"nothing here signs a JWT: remove `{key}`, or write `client_auth: private_key_jwt`"
            yield Finding("unknown-key", (key,), detail, at_key=True)
