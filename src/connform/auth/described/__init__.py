"""Auth methods that a provider's file describes: the definition in it, and what makes an auth method of that.

Layer 2, no IO.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from connform.auth.described.definition import Method

if TYPE_CHECKING:
    from connform.auth.interface import AuthMethod, MethodKind

_KINDS = {
    "authorization_code": "granted_token:GRANTED_TOKEN",
    "device_code": "granted_token:GRANTED_TOKEN",
    "client_credentials": "obtained_token:OBTAINED_TOKEN",
    "jwt_bearer": "obtained_token:OBTAINED_TOKEN",
    "login": "obtained_token:OBTAINED_TOKEN",
    "jwt": "signed_jwt:SIGNED_JWT",
    "static": "sent_secrets:SENT_SECRETS",
    "none": "sent_secrets:SENT_SECRETS",
}
"""Kind of a definition (`kinds.KEYS`) → the module and the name of what its methods have in common."""


def described_method(method: Method) -> AuthMethod:
    """Return the auth method of a definition."""
    from connform.auth.described.method import DescribedMethod  # which imports modules that import this package

    module, _, name = _KINDS[method.kind].partition(":")
    kind: MethodKind = getattr(import_module(f"connform.auth.kit.{module}"), name)
    return DescribedMethod(method, kind)
