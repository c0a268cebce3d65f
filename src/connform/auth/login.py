"""The auth method `login`: one POST with secrets returns a token.

Layer 2, no IO.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from connform.auth.described.kinds import JWT
from connform.auth.kit.inline import InlineMethod, secret_findings
from connform.auth.kit.inline_client import CLIENT, JWT_KEYS, jwt_findings, token_header_findings
from connform.auth.kit.jwt_settings import PRIVATE_KEY
from connform.auth.kit.login_rules import login_findings
from connform.auth.kit.obtained_token import OBTAINED_TOKEN
from connform.auth.kit.token_shapes import LOGIN
from connform.manifest.named_text_rules import braces_finding, secret_text_findings, unknown_name
from connform.manifest.named_texts import names_in, texts_in
from connform.manifest.references import REFERENCE
from connform.manifest.rules import Finding
from connform.manifest.shape import Shape
from connform.manifest.urls import url_findings

_SECRETS = ("password", "api_key", "second_key")
_SHAPE = Shape(
    properties={
        "login": LOGIN,
        **dict.fromkeys(_SECRETS, REFERENCE),
        "jwt": JWT_KEYS,
        PRIVATE_KEY: CLIENT[PRIVATE_KEY],
        "headers": CLIENT["headers"],
    },
    required=("login",),
    description="A token that one POST with secrets returns.",
)


def _rules(auth: Mapping[str, Any]) -> Iterator[Finding]:
    login = auth["login"]
    yield from url_findings(login["url"], ("login", "url"), query=True)
    yield from login_findings(("login",), login)
    used = {name for _, text in texts_in((), [login, auth.get("headers")]) for name in names_in(text)}
    for key in ("json", "form", "basic"):
        for path, text in texts_in(("login", key), login.get(key)):
            yield from braces_finding(path, text)
            yield from (unknown_name(path, name, _SECRETS) for name in names_in(text) if name not in _SECRETS)
    for header, text in login.get("headers", {}).items():
        yield from secret_text_findings(("login", "headers", header), text, [*_SECRETS, JWT], what="header")
    yield from token_header_findings(auth, _SECRETS)
    yield from jwt_findings(auth, needs_jwt=JWT in used)
    yield from secret_findings(auth, _SECRETS, used)


METHOD = InlineMethod(OBTAINED_TOKEN, _SHAPE, rules=_rules)
