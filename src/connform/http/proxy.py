"""Turns a proxy's URL into what httpcore's proxy pools take.

Layer 1, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpcore
import httpx

from connform.errors import ConnectionFailed
from connform.http import tls
from connform.http.origin import LEGAL_HOST

if TYPE_CHECKING:
    from connform.http.settings import ClientSettings


def proxy_arguments(settings: ClientSettings) -> dict[str, Any]:
    """Return the arguments of `httpcore.HTTPProxy` for `settings.proxy`.

    Raises:
        ConnectionFailed: `config_invalid`; the text of the URL, which may hold a password, is not repeated.
    """
    try:
        url = httpx.URL(settings.proxy)
    except (httpx.InvalidURL, ValueError):
        url = httpx.URL("")
    if url.scheme not in {"http", "https"} or not LEGAL_HOST.fullmatch(url.raw_host.decode("ascii")):
        raise ConnectionFailed("config_invalid", "the proxy must be a URL that starts with http:// or https://")
    arguments: dict[str, Any] = {
        "proxy_url": httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=b"/"),
    }
    if url.username or url.password:
        arguments["proxy_auth"] = (url.username.encode(), url.password.encode())
    if url.scheme == "https":
        arguments["proxy_ssl_context"] = tls.context_for_proxy(settings)
    return arguments
