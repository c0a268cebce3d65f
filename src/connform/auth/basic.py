"""The auth method `basic`: a user name and a password (RFC 7617), of which one may be empty.

Layer 2, no IO.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from connform.auth.kit.inline import InlineMethod
from connform.auth.kit.sent_secrets import SENT_SECRETS
from connform.manifest.references import REFERENCE
from connform.manifest.rules import Finding
from connform.manifest.shape import Shape

_SHAPE = Shape(
    properties={
        "username": {
            "type": "string",
            "pattern": r"^[^:\x00-\x1f\x7f{}]+$",
            "maxLength": 253,
            "description": "The user name, in clear.",
            "examples": ["bot@acme.example"],
            "errorMessage": "a user name has no colon (RFC 7617 §2), brace or control character",
        },
        "password": {
            **REFERENCE,
            "description": "A secret reference to the password; without it, the password is empty.",
        },
        "api_key": {
            **REFERENCE,
            "description": "A secret reference to a key that is sent in place of the user name, as many APIs want it.",
        },
    },
    description="A user name and a password.",
)


def _words(auth: Mapping[str, Any]) -> Mapping[str, Any]:
    username = "{api_key}" if "api_key" in auth or "username" not in auth else auth["username"]
    return {"basic": {"username": username, "password": "{password}"}}


def _rules(auth: Mapping[str, Any]) -> Iterator[Finding]:
    if "username" in auth and "api_key" in auth:
        detail = "`username` and `api_key` both stand in place of the user name: keep one of them"
        yield Finding("unknown-key", ("api_key",), detail, at_key=True, related=(("username",),))
    elif not {"password", "api_key"} & auth.keys():
        detail = "nothing secret is sent: write `password`, or `api_key` where a key stands in place of the user name"
        yield Finding("missing-key", (), detail)
    elif not {"username", "api_key"} & auth.keys():
        yield Finding("missing-key", (), "write `username`, or `api_key` where a key stands in place of the user name")


METHOD = InlineMethod(SENT_SECRETS, _SHAPE, _words, rules=_rules)
