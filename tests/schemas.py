"""The published JSON Schema of one shape, to ask about single objects."""

from __future__ import annotations

from jsonschema import Draft7Validator

from connform.manifest.published import Composer, with_definitions
from connform.manifest.shape import Shape


def validator_of(shape: Shape, *, partial: bool = False) -> Draft7Validator:
    """Return a validator of a shape's published schema, which must be one."""
    composer = Composer()
    schema = with_definitions({**composer.compose(shape, partial=partial), "definitions": composer.definitions})
    Draft7Validator.check_schema(schema)
    return Draft7Validator(schema)
