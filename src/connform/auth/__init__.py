"""The table of auth methods, by the name that a manifest uses.

Layer 2; each method is imported when it is first looked up.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING

from connform.registry import LazyTable

if TYPE_CHECKING:
    from connform.auth.interface import AuthMethod

_NAMES = (
    "api_key",
    "oauth2",
    "bearer",
    "basic",
    "headers",
    "query",
    "client_credentials",
    "jwt_bearer",
    "jwt",
    "login",
    "device_code",
    "none",
)
"""The names of the methods: each is `METHOD` of the module of that name."""


def _load(name: str) -> AuthMethod:
    method: AuthMethod = import_module(f"connform.auth.{name}").METHOD
    return method


METHODS: Mapping[str, AuthMethod] = LazyTable(_NAMES, _load)
