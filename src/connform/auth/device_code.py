"""The auth method `device_code`: the access token of a grant that a person gave on another device (RFC 8628).

Layer 2, no IO: `auth/oauth/device.py` obtains the grant, and `auth/oauth/renewal.py` renews it.
"""

from __future__ import annotations

from connform.auth.oauth2 import OAUTH2, OAuth2

_OF_A_BROWSER = {"redirect_uri", "authorize_url", "pkce"}


class DeviceCode(OAuth2):
    """The method `device_code`: `oauth2` without a redirect."""

    shape = OAUTH2.shape._replace(
        properties={key: schema for key, schema in OAUTH2.shape.properties.items() if key not in _OF_A_BROWSER},
        required=("client_id",),
        description="OAuth 2.0, device authorization grant: a person consents on another device, for a host without a browser.",
    )


DEVICE_CODE = DeviceCode()
