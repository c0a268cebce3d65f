"""JSON Schemas of the keys of auth methods: headers and parameters with secrets, a Basic pair, the OAuth client.

Layer 2, no IO. Providers' entries and connections share them.
"""

from __future__ import annotations

from connform.manifest.schema_parts import closed, names
from connform.manifest.shape import Schema

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
_PARAMETER_PATTERN = r"^[!-%'-<>-~]+(?!\n)$"
_PARAMETER_MESSAGE = "the name of a parameter has no blanks, `&` or `=`"
PARAMETER_NAME: Schema = {
    "type": "string",
    "pattern": _PARAMETER_PATTERN,
    "maxLength": 253,
    "errorMessage": _PARAMETER_MESSAGE,
}
"""The schema of a parameter's name."""


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
    _PARAMETER_PATTERN,
    _PARAMETER_MESSAGE,
    _PLAIN_TEXT,
    "Query parameters that every request needs, such as `api-version`.",
)
"""The schema of query parameters without secrets."""
SECRET_HEADERS = _texts(
    HEADER_NAME, HEADER_MESSAGE, _SECRET_TEXT, "The headers that carry the secrets or the token, each with its text."
)
"""The schema of headers with secrets."""
SECRET_QUERY = _texts(
    _PARAMETER_PATTERN,
    _PARAMETER_MESSAGE,
    _SECRET_TEXT,
    "The query parameters that carry the secrets, each with its text.",
)
"""The schema of query parameters with secrets."""
BASIC_PAIR = closed(
    "A user name and a password (RFC 7617); each is a constant, one `{setting}` or one `{secret}`. One that is left out is empty.",
    {
        "username": {**_SECRET_TEXT, "description": "The user name."},
        "password": {**_SECRET_TEXT, "description": "The password."},
    },
)
"""The schema of a Basic pair."""
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
