"""The keys of an auth method in a provider's entry.

Layer 2, no IO.
"""

from __future__ import annotations

from typing import Any

from connform.auth.kit.shapes import BASIC_PAIR, CLIENT_AUTH, SCOPE, SECRET_HEADERS, SECRET_QUERY
from connform.auth.kit.token_shapes import JWT, LOGIN, TOKEN_PARAMS
from connform.manifest.schema_parts import URL_TEXT, VARIABLES, closed, listed, named, sentence
from connform.manifest.shape import Schema

_SECRET = closed(
    "One secret: a key under `auth:` that takes a reference.",
    {
        "optional": {
            "type": "boolean",
            "default": False,
            "description": "Whether a connection may leave it out; its header isn't sent then.",
        },
        "variables": VARIABLES,
    },
)
_FLAG: Schema = {"const": True, "errorMessage": "only `true` says something here: otherwise, leave the key out"}
_FLOWS = {
    "authorization_code": "a person's consent in a browser (RFC 6749 §4.1)",
    "device_code": "a person's consent on another device (RFC 8628)",
    "client_credentials": "the app by itself (RFC 6749 §4.4)",
    "jwt_bearer": "a signed JWT (RFC 7523 §2.1)",
}
_PROPERTIES: dict[str, Any] = {
    "use": sentence("When to choose it."),
    "secrets": named(_SECRET, "The secrets by name: keys under a connection's `auth:`.", limit=8),
    "headers": SECRET_HEADERS,
    "query": SECRET_QUERY,
    "basic": BASIC_PAIR,
    "none": {**_FLAG, "description": "The method sends nothing: a public API, or a client certificate alone."},
    "root": {**URL_TEXT, "description": "The API root of its connections; default: that of the entry."},
    "flow": {
        "enum": list(_FLOWS),
        "enumDescriptions": list(_FLOWS.values()),
        "description": "The OAuth 2.0 flow by which it obtains its token.",
    },
    "authorize_url": {**URL_TEXT, "description": "The authorization endpoint (RFC 6749 §3.1)."},
    "token_url": {**URL_TEXT, "description": "The token endpoint (RFC 6749 §3.2)."},
    "refresh_url": {**URL_TEXT, "description": "Where refresh tokens are sent; default: `token_url`."},
    "device_authorization_url": {**URL_TEXT, "description": "The device authorization endpoint (RFC 8628 §3.1)."},
    "revoke_url": {**URL_TEXT, "description": "The revocation endpoint (RFC 7009)."},
    "scopes": {
        **listed(SCOPE, 256),
        "description": "What is requested if a connection names no scopes (RFC 6749 §3.3).",
    },
    "refresh_scope": sentence("The scope with which the server issues refresh tokens, where one is needed."),
    "redirect": {
        "enum": ["https", "loopback"],
        "default": "loopback",
        "description": "Where a login comes back to: by plain http to this machine as well, or by https alone. Default: loopback.",
    },
    "pkce": {
        "const": False,
        "description": "`false`: the server refuses PKCE (RFC 7636), so that logins do without.",
        "errorMessage": "PKCE is the default: only `false` says something here",
    },
    "client_auth": {**CLIENT_AUTH, "description": f"{CLIENT_AUTH['description']} Default: basic."},
    "token_format": {
        "enum": ["form", "json"],
        "default": "form",
        "description": "The format of token requests. Default: form (RFC 6749 §4).",
    },
    "token_params": TOKEN_PARAMS,
    "jwt": JWT,
    "login": LOGIN,
}
METHOD = closed("One way to authenticate: secrets that are sent as they are, or a token that is obtained.", _PROPERTIES)
"""The schema of one auth method."""
