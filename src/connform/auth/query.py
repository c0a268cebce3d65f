"""The auth method `query`: an API key in the query of each request.

Layer 2, no IO.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connform.auth.kit.inline import InlineMethod
from connform.auth.kit.sent_secrets import SENT_SECRETS
from connform.auth.kit.shapes import PARAMETER_NAME
from connform.manifest.references import REFERENCE
from connform.manifest.shape import Shape

_SHAPE = Shape(
    properties={
        "parameter": {**PARAMETER_NAME, "description": "The name of the query parameter.", "examples": ["api_key"]},
        "api_key": REFERENCE,
    },
    required=("parameter", "api_key"),
    description="A key in the query of each request, where servers and proxies may log it.",
)


def _words(auth: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"query": {auth["parameter"]: "{api_key}"}}


METHOD = InlineMethod(SENT_SECRETS, _SHAPE, _words)
