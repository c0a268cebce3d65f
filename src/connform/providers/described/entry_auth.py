"""The keys of an auth method in a provider's entry.

Layer 2, no IO.
"""

from __future__ import annotations

from connform.manifest.shape import Schema
from connform.providers.described.entry_texts import URL_TEXT, closed, listed, named, names, sentence

HEADER_NAME = r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+(?!\n)$"
"""The pattern of a header's name (RFC 9110 §5.6.2)."""
HEADER_MESSAGE = "the name of a header has letters, digits and hyphens (RFC 9110 §5.6.2)"
_HEADER: Schema = {
    "type": "string",
    "pattern": r"^[!-~]([ -~]*[!-~])?(?!\n)$",
    "maxLength": 253,
    "description": "A constant text, then at most one `{secret}` at its end.",
    "errorMessage": "a header's text is printable ASCII, without blanks around it",
}
_SECRET = closed(
    "One secret: a key under `auth:` that takes a reference.",
    {"optional": {"type": "boolean", "default": False, "description": "Whether a connection may leave it out; its header isn't sent then."}},
)  # fmt: skip
METHOD = closed(
    "One way to authenticate: headers with secrets, or an OAuth flow.",
    {
        "use": sentence("When to choose it."),
        "secrets": named(_SECRET, "The secrets by name: keys under a connection's `auth:`.", limit=8),
        "headers": {
            "type": "object",
            "description": "The headers that carry the secrets, each with its text.",
            "minProperties": 1,
            "maxProperties": 16,
            "propertyNames": names(HEADER_NAME, HEADER_MESSAGE),
            "additionalProperties": _HEADER,
        },
        "flow": {"enum": ["authorization_code"], "description": "An OAuth 2.0 flow (RFC 6749 §4.1)."},
        "authorize_url": {**URL_TEXT, "description": "The authorization endpoint (RFC 6749 §3.1)."},
        "token_url": {**URL_TEXT, "description": "The token endpoint (RFC 6749 §3.2)."},
        "revoke_url": {**URL_TEXT, "description": "The revocation endpoint (RFC 7009)."},
        "scopes": {
            **listed(
                {
                    "type": "string",
                    "pattern": r"^[!#-\[\]-~]+(?!\n)$",
                    "errorMessage": "a scope is one word; each scope is an item of the list (RFC 6749 §3.3)",
                },
                256,
            ),
            "description": "What a login requests if a connection names no scopes (RFC 6749 §3.3).",
        },
        "refresh_scope": sentence("The scope with which the server issues refresh tokens, where one is needed."),
        "redirect": {
            "enum": ["https", "loopback"],
            "default": "loopback",
            "description": "Where a login comes back to: by plain http to this machine as well, or by https alone. Default: loopback.",
        },
    },
)
"""The schema of one auth method."""
