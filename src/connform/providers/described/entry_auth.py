"""The keys of an auth method in a provider's entry.

Layer 2, no IO.
"""

from __future__ import annotations

from typing import Any

from connform.manifest.shape import Schema
from connform.providers.described.entry_texts import URL_TEXT, closed, listed, named, names, sentence
from connform.providers.described.entry_token import JWT, LOGIN, TOKEN_PARAMS

HEADER_NAME = r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+(?!\n)$"
"""The pattern of a header's name (RFC 9110 §5.6.2)."""
HEADER_MESSAGE = "the name of a header has letters, digits and hyphens (RFC 9110 §5.6.2)"
_LINE: Schema = {
    "type": "string",
    "pattern": r"^[!-~]([ -~]*[!-~])?(?!\n)$",
    "maxLength": 253,
    "errorMessage": "a header's text is printable ASCII, without blanks around it",
}
_SECRET_TEXT: Schema = {**_LINE, "description": "A constant text, then at most one `{secret}` at its end."}
_PLAIN_TEXT: Schema = {**_LINE, "description": "A text; `{name}` stands for a value of the environment, or a setting."}
_PARAMETER_NAME = r"^[!-%'-<>-~]+(?!\n)$"
_PARAMETER_MESSAGE = "the name of a parameter has no blanks, `&` or `=`"


def _texts(pattern: str, message: str, text: Schema, description: str) -> Schema:
    return {
        "type": "object",
        "description": description,
        "minProperties": 1,
        "maxProperties": 16,
        "propertyNames": names(pattern, message),
        "additionalProperties": text,
    }


PLAIN_HEADERS = _texts(
    HEADER_NAME, HEADER_MESSAGE, _PLAIN_TEXT, "Headers that every request needs, such as the version of the API."
)
"""The schema of headers without secrets."""
PLAIN_QUERY = _texts(
    _PARAMETER_NAME, _PARAMETER_MESSAGE, _PLAIN_TEXT, "Query parameters that every request needs, such as `api-version`."
)
"""The schema of query parameters without secrets."""
SECRET_HEADERS = _texts(
    HEADER_NAME, HEADER_MESSAGE, _SECRET_TEXT, "The headers that carry the secrets or the token, each with its text."
)
"""The schema of headers with secrets."""
_SECRET = closed(
    "One secret: a key under `auth:` that takes a reference.",
    {
        "optional": {
            "type": "boolean",
            "default": False,
            "description": "Whether a connection may leave it out; its header isn't sent then.",
        }
    },
)
_BASIC = closed(
    "A user name and a password (RFC 7617); each is a constant, one `{setting}` or one `{secret}`. One that is left out is empty.",
    {
        "username": {**_SECRET_TEXT, "description": "The user name."},
        "password": {**_SECRET_TEXT, "description": "The password."},
    },
)
_FLAG: Schema = {"const": True, "errorMessage": "only `true` says something here: otherwise, leave the key out"}
_FLOWS = {
    "authorization_code": "a person's consent in a browser (RFC 6749 §4.1)",
    "device_code": "a person's consent on another device (RFC 8628)",
    "client_credentials": "the app by itself (RFC 6749 §4.4)",
    "jwt_bearer": "a signed JWT (RFC 7523 §2.1)",
}
CLIENT_AUTH: Schema = {
    "enum": ["basic", "body", "private_key_jwt", "tls_client_auth"],
    "description": "How the app authenticates at the token endpoint: by its secret in a header or in the body (RFC 6749 §2.3.1), by a JWT "
    "(RFC 7523 §2.2), or by the connection's client certificate (RFC 8705 §2).",
}
"""The schema of `client_auth`."""
SCOPE: Schema = {
    "type": "string",
    "pattern": r"^[!#-\[\]-~]+(?!\n)$",
    "errorMessage": "a scope is one word; each scope is an item of the list (RFC 6749 §3.3)",
}
"""The schema of one scope."""
_PROPERTIES: dict[str, Any] = {
    "use": sentence("When to choose it."),
    "secrets": named(_SECRET, "The secrets by name: keys under a connection's `auth:`.", limit=8),
    "headers": SECRET_HEADERS,
    "query": _texts(
        _PARAMETER_NAME, _PARAMETER_MESSAGE, _SECRET_TEXT, "The query parameters that carry the secrets, each with its text."
    ),
    "basic": _BASIC,
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
