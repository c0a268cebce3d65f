"""The JSON Schema of manifests, for editors and other validators.

Layer 3, no IO.
"""

from __future__ import annotations

from connform.engine.load.vocabulary import vocabulary
from connform.manifest.document_schema import PROVIDER_NAME, document_schema
from connform.manifest.published import Composer, named_snippets, with_definitions
from connform.manifest.settings import EXTENDS, SETTINGS
from connform.manifest.shape import Schema, Shape
from connform.manifest.shared_schemas import with_shared

_NAMES_OWN_PROVIDER: Schema = {
    "type": "object",
    "properties": {"provider": {"type": "string", "pattern": PROVIDER_NAME}},
    "required": ["provider"],
}
"""What names a provider of a manifest: only those have a slash."""
_KEY_PROVIDER = {
    "title": "${3:Acme CRM}",
    "root": "${4:https://api.acme.example/v1}",
    "auth": {"key": {"secrets": {"key": {}}, "headers": {"${5:Authorization}": "${6:Bearer }{key}"}}},
    "check": {"method": "GET", "path": "${7:/me}"},
    "answers": [
        {"status": [200], "means": "ready", "body": {"type": "object", "required": ["${8:id}"]}},
        {"status": [401], "means": "auth_rejected"},
    ],
    "sources": [{"url": "${9:https://docs.acme.example/api}", "read": "${10:2026-11-29}"}],
}
"""The body of a snippet: the fields to fill in are numbered."""


def manifest_schema() -> Schema:
    """Return the JSON Schema (draft-07) of a manifest, as `schema/connections.schema.json` has it."""
    composer = Composer()
    shapes = _definitions()
    connection = shapes.pop("connection")
    definitions = {name: composer.compose(shape) for name, shape in shapes.items()} | _connections(composer, connection)
    document = _document()
    for name, shape in (("connections", connection), ("stores", shapes["store"])):
        document["properties"][name]["defaultSnippets"] = named_snippets(shape)
    renamed = {"label": "renamed connection", "body": {"${1:old-name}": "${2:new-name}"}}
    document["properties"]["moved"]["defaultSnippets"] = [renamed]
    provider = {"label": "API with a key", "body": {"${1:team}/${2:name}": _KEY_PROVIDER}}
    document["properties"]["providers"]["defaultSnippets"] = [provider]
    schema = with_definitions(with_shared({**document, "definitions": definitions | composer.definitions}))
    return {"$schema": "http://json-schema.org/draft-07/schema#", **schema}


def _connections(composer: Composer, shape: Shape) -> dict[str, Schema]:
    """Return the definitions of a connection, of one that inherits (`part`), of defaults, and of what these share."""
    layered = composer.compose_layered(shape)
    texts: Schema = {"title": shape.title, "description": shape.description}
    shared: Schema = {"$ref": "#/definitions/of-provider"}
    needed: Schema = {"if": _NAMES_OWN_PROVIDER, "else": layered.requirements}
    return {
        "of-provider": _open_for_own_providers(layered.chosen, shape),
        "connection": {**texts, "allOf": [shared, layered.default, needed]},
        "part": {**texts, "allOf": [shared, layered.undecided]},
        "defaults": {**texts, "allOf": [{"$ref": "#/definitions/part"}], "properties": {"extends": False}},
    }


def _open_for_own_providers(schema: Schema, shape: Shape) -> Schema:
    """Return the schema of a connection that accepts any further keys where it names a provider that a manifest declares."""
    known = {key: part for key, part in shape.properties.items() if not isinstance(part, Shape)}
    is_own = {**_NAMES_OWN_PROVIDER, "properties": {**_NAMES_OWN_PROVIDER["properties"], **known}}
    texts: Schema = {key: schema[key] for key in ("title", "description") if key in schema}
    return {**texts, "if": _NAMES_OWN_PROVIDER, "then": is_own, "else": schema}


def _definitions() -> dict[str, Shape]:
    """Return the shapes in a manifest by name."""
    known_vocabulary = vocabulary()
    extensible = known_vocabulary.connection._replace(
        properties={"extends": EXTENDS, **known_vocabulary.connection.properties}
    )
    return {"connection": extensible, "store": known_vocabulary.store, "provider": known_vocabulary.providers().shape}


def _document() -> Schema:
    """Return the schema of a whole manifest, whose parts are definitions."""
    names = ("connection", "part", "defaults", "store", "provider")
    connection, part, defaults, store, provider = ({"$ref": f"#/definitions/{name}"} for name in names)
    plain_defaults = {"properties": {"defaults": {"propertyNames": {"enum": list(SETTINGS)}}}}
    no_own_template = {"additionalProperties": {"not": _NAMES_OWN_PROVIDER}}
    nothing_own_inherited = {"properties": {"defaults": {"not": _NAMES_OWN_PROVIDER}, "templates": no_own_template}}

    def each(inheriting: Schema) -> Schema:
        """Return the schema of a document whose inheriting connections have a schema of their own."""
        maybe_inheriting = {"if": {"required": ["extends"]}, "then": inheriting, "else": connection}
        return {
            "if": plain_defaults,
            "then": {"properties": {"connections": {"additionalProperties": maybe_inheriting}}},
            "else": {"properties": {"connections": {"additionalProperties": inheriting}}},
        }

    return {
        "title": "connform manifest",
        "description": "Connections as code: named connections of one or several APIs, without secrets.",
        **document_schema({}, part, defaults, store, provider),
        # A connection may be incomplete if it extends a template, or if the defaults hold more than settings. Where templates or
        # defaults name a provider of a manifest, what inherits may have keys that only that manifest knows.
        "if": nothing_own_inherited,
        "then": each(part),
        "else": each({"type": "object"}),
    }
