"""The table of auth methods, by the name that a manifest uses.

Layer 2, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from connform.auth.api_key import API_KEY
from connform.auth.basic import BASIC
from connform.auth.bearer import BEARER
from connform.auth.headers import HEADERS
from connform.auth.none import NONE
from connform.auth.oauth2 import OAUTH2
from connform.auth.query import QUERY

if TYPE_CHECKING:
    from connform.auth.interface import AuthMethod

METHODS: dict[str, AuthMethod] = {
    "api_key": API_KEY,
    "oauth2": OAUTH2,
    "bearer": BEARER,
    "basic": BASIC,
    "headers": HEADERS,
    "query": QUERY,
    "none": NONE,
}
