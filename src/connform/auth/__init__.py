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

_MODULES = {
    "api_key": "api_key",
    "oauth2": "own_oauth2",
    "bearer": "bearer",
    "basic": "basic",
    "headers": "headers",
    "query": "query",
    "client_credentials": "client_credentials",
    "jwt_bearer": "jwt_bearer",
    "jwt": "own_jwt",
    "login": "login",
    "device_code": "device_code",
    "none": "none",
}
"""Name of a method → the module that has it as `METHOD`."""


def _load(name: str) -> AuthMethod:
    method: AuthMethod = import_module(f"connform.auth.{_MODULES[name]}").METHOD
    return method


METHODS: Mapping[str, AuthMethod] = LazyTable(_MODULES, _load)
