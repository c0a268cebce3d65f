"""The JSON Schema of manifests, for editors and other validators.

Layer 3, no IO.
"""

from __future__ import annotations

from connform.engine.load.catalog import vocabulary
from connform.manifest.document import document_schema
from connform.manifest.published import Composer, named_snippets
from connform.manifest.settings import EXTENDS, SETTINGS
from connform.manifest.shape import Schema, Shape


def manifest_schema() -> Schema:
    """Return the JSON Schema (draft-07) of a manifest, as `schema/connections.schema.json` has it."""
    composer = Composer()
    shapes = _definitions()
    definitions = {name: composer.compose(shape, partial=partial) for name, (shape, partial) in shapes.items()}
    document = _document()
    for name, kind in (("connections", "connection"), ("stores", "store")):
        document["properties"][name]["defaultSnippets"] = named_snippets(shapes[kind][0])
    renamed = {"label": "renamed connection", "body": {"${1:old-name}": "${2:new-name}"}}
    document["properties"]["moved"]["defaultSnippets"] = [renamed]
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        **document,
        "definitions": definitions | composer.definitions,
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


def _document() -> Schema:
    """Return the schema of a whole manifest, whose parts are definitions."""
    connection, part, defaults, store = ({"$ref": f"#/definitions/{name}"} for name in _definitions())
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
