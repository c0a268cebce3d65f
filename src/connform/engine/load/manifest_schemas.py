"""The JSON Schemas of manifests: for other validators, and for editors.

Layer 3, no IO.
"""

from __future__ import annotations

from connform.engine.load.catalog import vocabulary
from connform.manifest.document import document_schema
from connform.manifest.settings import EXTENDS, SETTINGS
from connform.manifest.shape import Schema, Shape, published


def manifest_schema() -> Schema:
    """Return the JSON Schema (2020-12) of a manifest, as `schema/connections.schema.json` has it."""
    definitions = {name: published(shape, partial=partial) for name, (shape, partial) in _definitions().items()}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **_document("$defs"), "$defs": definitions}


def editor_schema() -> Schema:
    """Return the JSON Schema (draft-07) of a manifest for editors, as `schema/connections.draft-07.schema.json` has it."""
    from connform.manifest.editors import Edition, named_snippets  # `validate` never needs them

    edition = Edition()
    shapes = _definitions()
    definitions = {name: edition.compose(shape, partial=partial) for name, (shape, partial) in shapes.items()}
    document = _document("definitions")
    for name, kind in (("connections", "connection"), ("stores", "store")):
        document["properties"][name]["defaultSnippets"] = named_snippets(shapes[kind][0])
    renamed = {"label": "renamed connection", "body": {"${1:old-name}": "${2:new-name}"}}
    document["properties"]["moved"]["defaultSnippets"] = [renamed]
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        **document,
        "definitions": definitions | edition.definitions,
    }


def _definitions() -> dict[str, tuple[Shape, bool]]:
    """Return the shape of each part of a manifest by name, and whether all of its keys are optional."""
    known_vocabulary = vocabulary()
    extensible = known_vocabulary.connection._replace(
        properties={"extends": EXTENDS, **known_vocabulary.connection.properties}
    )
    return {
        "connection": (extensible, False),
        "part": (extensible, True),
        "defaults": (known_vocabulary.connection, True),
        "store": (known_vocabulary.store, False),
    }


def _document(definitions: str) -> Schema:
    """Return the schema of a whole manifest.

    Args:
        definitions: the keyword under which the schemas of the parts stand: `$defs` or `definitions`.
    """
    connection, part, defaults, store = ({"$ref": f"#/{definitions}/{name}"} for name in _definitions())
    maybe_inheriting = {"if": {"required": ["extends"]}, "then": part, "else": connection}
    plain_defaults = {"properties": {"defaults": {"propertyNames": {"enum": list(SETTINGS)}}}}
    return {
        "title": "connform manifest",
        "description": "Connections as code: named connections of one or several APIs, without secrets.",
        **document_schema({}, part, defaults, store),
        # A connection may be incomplete if it extends a template, or if the defaults hold more than settings.
        "if": plain_defaults,
        "then": {"properties": {"connections": {"additionalProperties": maybe_inheriting}}},
        "else": {"properties": {"connections": {"additionalProperties": part}}},
    }
