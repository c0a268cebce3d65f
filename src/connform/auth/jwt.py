"""The auth method `jwt`: each request carries a JWT that is signed here (RFC 7519).

Layer 2, no IO.
"""

from __future__ import annotations

from connform.auth.kit.inline import InlineMethod
from connform.auth.kit.inline_client import CLIENT, JWT_KEYS
from connform.auth.kit.jwt_settings import PRIVATE_KEY
from connform.auth.kit.shapes import SECRET_HEADERS
from connform.auth.kit.signed_jwt import SIGNED_JWT
from connform.manifest.shape import Shape

_SHAPE = Shape(
    properties={
        "jwt": JWT_KEYS,
        PRIVATE_KEY: CLIENT[PRIVATE_KEY],
        "headers": {
            **SECRET_HEADERS,
            "description": 'The headers that carry the JWT, each with its text; default: `{Authorization: "Bearer {jwt}"}`.',
        },
    },
    required=("jwt", PRIVATE_KEY),
    description="A JWT that is signed here for each few minutes.",
)
METHOD = InlineMethod(SIGNED_JWT, _SHAPE, defaults={"headers": {"Authorization": "Bearer {jwt}"}})
