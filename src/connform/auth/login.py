"""The auth method `login`: one POST with secrets returns a token.

Layer 2, no IO.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from connform.auth.kit.inline import InlineMethod
from connform.auth.kit.inline_client import CLIENT, JWT_KEYS, jwt_findings
from connform.auth.kit.jwt_settings import PRIVATE_KEY
from connform.auth.kit.obtained_token import OBTAINED_TOKEN
from connform.auth.kit.token_shapes import LOGIN
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
    used = {name for _, text in texts_in((), [login, auth.get("headers")]) for name in names_in(text)}
    yield from jwt_findings(auth, needs_jwt="jwt" in used)
    for name in _SECRETS:
        if name in used and name not in auth:
            yield Finding("missing-key", (), f"a text has `{{{name}}}`: write `{name}`, a secret reference")
        elif name in auth and name not in used:
            yield Finding(
                "unused-part", (name,), f"no text has `{{{name}}}`: remove the secret, or send it", at_key=True
            )
    for name in sorted(used - {*_SECRETS, "jwt", "access_token"}):
        detail = f"`{{{name}}}` stands for nothing here; known: {', '.join(_SECRETS)}, jwt"
        yield Finding("unknown-placeholder", ("login",), detail)


METHOD = InlineMethod(OBTAINED_TOKEN, _SHAPE, rules=_rules)
