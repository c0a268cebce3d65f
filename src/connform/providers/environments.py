"""Environments: the form of their labels, those of a store, and their two classes, production and test.

Layer 2, no IO.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from connform.manifest.document_schema import NAME
from connform.manifest.shape import Schema

if TYPE_CHECKING:
    from connform.providers.interface import Provider

PRODUCTION: Final = "production"
TEST: Final = "test"
ENVIRONMENT: Schema = {
    "type": "string",
    "pattern": NAME,
    "errorMessage": "an environment starts with a small letter or a digit, and goes on with small letters, digits, `-`, `_` or `.` (63 at most)",
}
"""The label of an environment."""
STORE_ENVIRONMENT: Schema = {
    **ENVIRONMENT,
    "type": ["string", "array"],
    "items": ENVIRONMENT,
    "minItems": 1,
    "uniqueItems": True,
    "description": "Only connections of this environment, or of one in this list, may read the store's secrets; default: any.",
    "examples": ["production", ["staging", "production"]],
}
"""`environment` of a store."""
_TEST_LABELS = ("sandbox", "test", "dev", "staging", "demo")


def class_of_label(label: object) -> str:
    """Return the class of an environment whose provider says nothing else: `test` or `production`; that of none is `production`."""
    return TEST if label in _TEST_LABELS else PRODUCTION


def class_of(provider: Provider, settings: Mapping[str, Any]) -> str:
    """Return the class of a connection's environment, as its provider says or by the label."""
    own = getattr(provider, "environment_class", None)
    return own(settings) if own else class_of_label(settings.get("environment"))
