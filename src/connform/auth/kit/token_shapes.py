"""The keys of an auth method by which its token is obtained: the JWT, the login call, parameters of token requests.

Layer 2, no IO.
"""

from __future__ import annotations

from connform.manifest.schema_parts import JSON, URL_TEXT, closed, names
from connform.manifest.shape import Schema

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""The signature algorithms of a JWT: asymmetric ones alone (RFC 7518 §3.1, RFC 8037 §3.1)."""
MAX_JWT_S = 300
"""How long a JWT is valid at most."""
_POINTER: Schema = {
    "type": "string",
    "pattern": r"^(/[^\n]*)?(?!\n)$",
    "maxLength": 253,
    "errorMessage": "a JSON Pointer starts with a slash (RFC 6901): /data/token",
}
_TEXT: Schema = {"type": "string", "minLength": 1, "maxLength": 1024}
_SECONDS: Schema = {"type": "integer", "minimum": 1, "maximum": 31_536_000}
_NAME = r"^[!-~]+(?!\n)$"

TOKEN_PARAMS: Schema = {
    "type": "object",
    "description": "Further parameters of token requests: `audience`, `resource`. A setting or a secret may stand in their texts.",
    "minProperties": 1,
    "maxProperties": 16,
    "propertyNames": names(_NAME, "the name of a parameter has no blanks"),
    "additionalProperties": _TEXT,
}
"""The schema of further parameters of token requests."""
JWT = closed(
    "A JWT that is signed for each use (RFC 7519): as an assertion of a flow, or as `{jwt}` in a header.",
    {
        "alg": {
            "enum": list(ALGORITHMS),
            "description": "The signature algorithm (RFC 7518 §3.1).",
        },
        "key": {
            "type": "string",
            "pattern": r"^\{[a-z][a-z0-9_]*\}(?!\n)$",
            "description": "The secret that holds the private key, as PEM: `{private_key}`.",
            "errorMessage": "the name of a secret stands here, in braces: `{private_key}`",
        },
        "key_at": {
            **_POINTER,
            "description": "Where the key stands in a secret that is a JSON document, as a JSON Pointer (RFC 6901): `/private_key`.",
        },
        "key_id": {**_TEXT, "description": "The id of the key (`kid`, RFC 7515 §4.1.4); a setting may stand in it."},
        "thumbprint": {
            **_TEXT,
            "description": "The SHA-256 fingerprint of the key's certificate, in hex (`x5t#S256`, RFC 7515 §4.1.8); a setting may stand in it.",
        },
        "issuer": {**_TEXT, "description": "The claim `iss`; default: the client id."},
        "subject": {**_TEXT, "description": "The claim `sub`; default: the client id where there is one, else none."},
        "audience": {**_TEXT, "description": "The claim `aud`; default: the URL that the JWT is sent to."},
        "lifetime_s": {
            "type": "integer",
            "minimum": 1,
            "maximum": MAX_JWT_S,
            "default": MAX_JWT_S,
            "description": f"How long it is valid, in seconds; {MAX_JWT_S} at most, which is the default.",
        },
        "claims": {
            "type": "object",
            "description": "Further claims; settings may stand in their texts, and `{scope}` for the scopes.",
            "maxProperties": 16,
            "propertyNames": names(_NAME, "the name of a claim has no blanks"),
            "additionalProperties": _TEXT,
        },
    },
    ("alg", "key"),
)
"""The schema of a JWT."""
LOGIN = closed(
    "One POST that returns the token.",
    {
        "url": {**URL_TEXT, "description": "Its address."},
        "json": {**JSON, "description": "Its body, as JSON; settings and secrets may stand in its texts."},
        "form": {
            "type": "object",
            "description": "Its body, as a form; settings and secrets may stand in its texts.",
            "maxProperties": 16,
            "additionalProperties": _TEXT,
        },
        "basic": closed(
            "A user name and a password in its header (RFC 7617).",
            {
                "username": {**_TEXT, "description": "The user name: a constant, one `{setting}` or one `{secret}`."},
                "password": {**_TEXT, "description": "The password, likewise."},
            },
        ),
        "headers": {
            "type": "object",
            "description": "Its headers, each a constant, then at most one `{secret}` or `{jwt}` at its end.",
            "maxProperties": 16,
            "additionalProperties": _TEXT,
        },
        "token_at": {
            **_POINTER,
            "description": "Where the token stands in the answer, as a JSON Pointer (RFC 6901): `/token`.",
        },
        "lifetime": closed(
            "How long the token is valid; without it, until it is refused.",
            {
                "seconds": {**_SECONDS, "description": "So many seconds."},
                "seconds_at": {**_POINTER, "description": "Where the answer says the seconds."},
                "time_at": {**_POINTER, "description": "Where the answer says when it ends, as RFC 3339 has it."},
            },
        ),
    },
    ("url", "token_at"),
)
"""The schema of the login call."""
