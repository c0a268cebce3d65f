"""Ready HTTP clients: settings, dialing, TLS, deadline, and a transport pinned to one origin.

Layer 1; the only room that imports httpx and httpcore. Both are imported when a name of this package is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from connform.http.client import async_client, sync_client
    from connform.http.credential import Credential
    from connform.http.failures import OriginRefused, RequestFailed, RequestTimedOut
    from connform.http.settings import REAL, ClientSettings, Network, Observer

__all__ = [
    "REAL",
    "ClientSettings",
    "Credential",
    "Network",
    "Observer",
    "OriginRefused",
    "RequestFailed",
    "RequestTimedOut",
    "async_client",
    "sync_client",
]

_MODULES = {
    **dict.fromkeys(("REAL", "ClientSettings", "Network", "Observer"), "settings"),
    "Credential": "credential",
    "async_client": "client",
    "sync_client": "client",
    "OriginRefused": "failures",
    "RequestFailed": "failures",
    "RequestTimedOut": "failures",
}


def __getattr__(name: str) -> Any:  # PEP 562
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
