"""A session of the library requests that reaches servers as a store does; for libraries of vendors, which log in by it.

Layer 2; no network by itself. The servers that issue tokens are others than the store, so that the certificates of the system
and those that requests trusts are trusted beside the store's `ca_file`.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connform.environment import ENVIRONMENT_PROXY, variable
from connform.errors import ConnectionFailed, SecretUnresolved
from connform.secrets.kit.interface import StoreConfig
from connform.secrets.kit.network import NetworkSettings, network_settings, proxy_with_password

if TYPE_CHECKING:
    from ssl import SSLContext


def requests_session(store: StoreConfig) -> Any:
    """Return a new `requests.Session`; the caller closes it.

    Raises:
        SecretUnresolved: `secret_backend_unavailable`, a certificate file can't be used.
        ImportError: requests is not installed.
    """
    import requests
    from requests.adapters import HTTPAdapter

    from connform.http.net.certificate_files import file_version, load_own_certificate

    network = network_settings(store)
    try:
        context = _trusting(network)
        if "client_cert" in network:
            for file in (network["client_cert"], network["client_key"]):
                file_version(file)  # makes sure that it is a regular file
            load_own_certificate(context, network["client_cert"], network["client_key"])
    except ConnectionFailed as failure:
        raise SecretUnresolved("secret_backend_unavailable", failure.message, failure.hint) from None

    @cache  # most sessions have no proxy: to read the system's certificates takes 20 ms
    def proxy_context() -> SSLContext:
        return _trusting(network)

    class Adapter(HTTPAdapter):
        def init_poolmanager(self, *given: Any, **named: Any) -> None:
            super().init_poolmanager(*given, **named, ssl_context=context)

        def proxy_manager_for(self, proxy: str, **named: Any) -> Any:
            return super().proxy_manager_for(proxy, **named, ssl_context=context, proxy_ssl_context=proxy_context())

    session, proxy = requests.Session(), network["proxy"].reveal()
    session.mount("https://", Adapter())
    session.trust_env = proxy == ENVIRONMENT_PROXY
    if "://" in proxy:
        session.proxies = {"https": proxy_with_password(network)}
    return session


def _trusting(network: NetworkSettings) -> SSLContext:
    import ssl  # start-up: `validate` does not need it

    from connform.http.net.certificate_files import file_errors, read_certificates

    context, bundle = ssl.create_default_context(), variable("REQUESTS_CA_BUNDLE") or variable("CURL_CA_BUNDLE")
    if ca_file := network.get("ca_file"):
        certificates = read_certificates(ca_file).decode("ascii", "ignore")
        with file_errors(ca_file):
            context.load_verify_locations(cadata=certificates)
    if bundle:
        with file_errors(Path(bundle)):
            context.load_verify_locations(*((None, bundle) if Path(bundle).is_dir() else (bundle,)))
    return context
