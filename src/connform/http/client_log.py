"""What the log `connform.http` says of a new client: whom it trusts, which certificate it shows, which proxy it uses.

Layer 1, no IO.
"""

from __future__ import annotations

import ssl
from pathlib import Path

from connform.debug_log import HTTP
from connform.environment import ENVIRONMENT_PROXY
from connform.http.net.proxy import Proxy
from connform.http.settings import ClientSettings


def log_client(settings: ClientSettings, proxy: Proxy | None, *, uses_tls: bool) -> None:
    """Write the line of a client.

    Args:
        settings: its settings.
        proxy: the proxy that it uses.
        uses_tls: whether it speaks https.
    """
    facts = [*(_trust(settings) if uses_tls else ["no TLS: the server is on this machine"]), _proxy(settings, proxy)]
    HTTP.write("%s: new client: %s", settings.name or "client", "; ".join(facts), connection=settings.name)


def _trust(settings: ClientSettings) -> list[str]:
    if settings.network.ca_pem is not None:
        return ["trusts the certificates of the simulator"]
    trusted = [f"certificates in {settings.ca_file}"] if settings.ca_file else []
    if settings.ca_file is None or settings.trusts_system:
        trusted.append(f"certificates of this system ({_system_store()})")
    shown = [f"shows the client certificate {settings.client_cert}"] if settings.client_cert else []
    return [
        f"trusts the {' and the '.join(trusted)}",
        *(f"{text} with the key {settings.client_key or settings.client_cert}" for text in shown),
    ]


def _system_store() -> str:
    paths = ssl.get_default_verify_paths()  # as OpenSSL, it obeys SSL_CERT_FILE and SSL_CERT_DIR
    found = [path for path in (paths.cafile, paths.capath) if path and Path(path).exists()]
    return " and ".join(found) or "those of the package certifi"


def _proxy(settings: ClientSettings, proxy: Proxy | None) -> str:
    if proxy is not None:
        return f"uses the proxy {proxy}"
    if settings.network.route is not None:
        return "uses no proxy: the simulator answers"
    declared = settings.proxy.reveal()
    if not declared:
        return "uses no proxy"
    if declared == ENVIRONMENT_PROXY:
        return "uses no proxy: the environment names none for this host (HTTPS_PROXY, ALL_PROXY, NO_PROXY)"
    return "uses no proxy: none is used for plain http"
