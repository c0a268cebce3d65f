"""The table of auth methods, by the name that a manifest uses.

Layer 2, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from connform.auth.api_key import API_KEY
from connform.auth.bearer import BEARER
from connform.auth.device_code import DEVICE_CODE
from connform.auth.oauth2 import OAUTH2

if TYPE_CHECKING:
    from connform.auth.interface import AuthMethod

METHODS: dict[str, AuthMethod] = {
    "api_key": API_KEY,
    "oauth2": OAUTH2,
    "bearer": BEARER,
    "device_code": DEVICE_CODE,
}
