"""The schema of a whole document, given those of its entries.

Layer 1, no IO.
"""

from __future__ import annotations

from connform.manifest.shape import Schema

_PART = "[a-z0-9][a-z0-9._-]{0,62}"
NAME = rf"^{_PART}(?!\n)$"
"""The pattern of the name of a connection, template or store."""
PROVIDER_NAME = rf"^{_PART}/{_PART}(?!\n)$"
"""The pattern of the name of a provider that a manifest declares."""

_NAME_MESSAGE = (
    "a name starts with a small letter or a digit, and goes on with small letters, digits, `-`, `_` or `.` (63 at most)"
)
_PROVIDER_NAME_MESSAGE = (
    "a provider's name is `team/name`, each part in small letters, digits, `-`, `_` or `.` (63 at most), a letter or a digit first; "
    "built-in names have no slash, so no release of connform can take yours"
)


def _mapping_by_name(
    entry: Schema, title: str, description: str, pattern: str = NAME, message: str = _NAME_MESSAGE
) -> Schema:
    return {
        "type": "object",
        "title": title,
        "description": description,
        "propertyNames": {"title": "name", "pattern": pattern, "errorMessage": message},
        "additionalProperties": entry,
    }


_NEW_NAME: Schema = {
    "type": "string",
    "pattern": NAME,
    "x-code": "bad-name",
    "description": "The name that the connection has now.",
    "errorMessage": _NAME_MESSAGE,
}
_CONNECTIONS = "The connections, by name."


def document_schema(
    connections: Schema, templates: Schema, defaults: Schema, stores: Schema, providers: Schema
) -> Schema:
    """Return the schema of a whole document, given the schemas of its parts."""
    return {
        "type": "object",
        "properties": {
            "version": {
                "const": 1,
                "x-code": "unsupported-version",
                "description": "The version of this format: 1.",
                "errorMessage": "this connform reads version 1: write `version: 1`",
            },
            "providers": _mapping_by_name(
                providers,
                "Providers",
                "What the APIs are like that connections name as their `provider`, by name: `team/name`.",
                PROVIDER_NAME,
                _PROVIDER_NAME_MESSAGE,
            ),
            "stores": _mapping_by_name(
                stores, "Stores", "Places where secrets lie, by name; references use the name as their scheme."
            ),
            "defaults": defaults,
            "templates": _mapping_by_name(
                templates, "Templates", "What several connections share, by name; a connection `extends` one."
            ),
            "connections": _mapping_by_name(connections, "Connections", _CONNECTIONS),
            "moved": _mapping_by_name(
                _NEW_NAME,
                "Renames",
                "Connections that were renamed, the old name before the new one: state and grant move along.",
            ),
        },
        "required": ["version"],
        # A file may have providers alone.
        "allOf": [
            {
                "if": {"required": ["providers"]},
                "else": {"properties": {"connections": {"description": _CONNECTIONS}}, "required": ["connections"]},
            }
        ],
        "additionalProperties": False,
    }
