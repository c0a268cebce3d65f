"""The keys by which a store that is asked over HTTP says how it is reached: `proxy`, `ca_file`, `tls`.

Layer 2, no IO. A store is reached as its keys say, a backend without a store as the environment says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypedDict

from connform.environment import ENVIRONMENT_PROXY
from connform.errors import ConnectionFailed, SecretUnresolved
from connform.http.header import require_password
from connform.http.settings import BasicAuth
from connform.manifest.proxy import PROXY, PROXY_PASSWORD, proxy_url
from connform.manifest.rules import Finding
from connform.manifest.settings import TLS, check_settings
from connform.manifest.shape import Schema, Shape
from connform.secret import Secret
from connform.secrets.kit.file_reader import PATH_SCHEMA
from connform.secrets.kit.interface import StoreConfig

NETWORK_KEYS: Mapping[str, Schema | Shape] = {
    "ca_file": {
        **PATH_SCHEMA,
        "description": "PEM certificates to trust instead of the system's; relative to the manifest.",
        "examples": ["ca.pem"],
    },
    "tls": TLS._replace(
        description="The client certificate, relative to the manifest. Default: none.",
        properties={key: TLS.properties[key] for key in ("client_cert", "client_key")},
    ),
    "proxy": PROXY,
}
"""The keys, for the shape of a store."""


class NetworkSettings(TypedDict, total=False):
    """How a store is reached: arguments of `RestApi`."""

    ca_file: Path
    """PEM certificates to trust instead of the system's."""
    client_cert: Path
    """PEM chain of the client's certificate."""
    client_key: Path
    """Its key."""
    proxy: Secret
    """A URL, or `environment`."""
    proxy_auth: BasicAuth
    """The credentials for the proxy at that URL."""


def network_findings(store: Mapping[str, Any], *, by_machine: bool = False) -> Iterator[Finding]:
    """Yield what is wrong with these keys of a store.

    Args:
        store: the store.
        by_machine: whether this machine's login opens it. That opens more than the store: who writes the manifest may not
            name both a proxy and the certificates that the proxy could present as those of the vendor.
    """
    yield from check_settings(store)
    if by_machine and "ca_file" in store and proxy_url(store) not in {"", ENVIRONMENT_PROXY}:
        detail = (
            "this proxy could read the login of this machine with a certificate of `ca_file`: write `proxy: environment`, "
            "or let the system trust the certificate"
        )
        yield Finding("malformed-value", ("proxy",), detail)


def network_settings(store: StoreConfig) -> NetworkSettings:
    """Return how a store is reached.

    Raises:
        SecretUnresolved: `secret_malformed`, no header can carry the proxy's password.
    """
    settings = store.settings
    if not settings:
        return {"proxy": Secret(ENVIRONMENT_PROXY)}
    found: NetworkSettings = {"proxy": Secret(proxy_url(settings))}
    if "ca_file" in settings:
        found["ca_file"] = store.base / settings["ca_file"]
    if tls := settings.get("tls"):
        found |= {"client_cert": store.base / tls["client_cert"], "client_key": store.base / tls["client_key"]}
    if password := store.secrets.get(PROXY_PASSWORD):
        try:
            require_password(password, key=PROXY_PASSWORD)
        except ConnectionFailed as failure:
            raise SecretUnresolved(failure.fault.name, failure.message, failure.hint) from None
        found["proxy_auth"] = BasicAuth(settings["proxy"]["username"], password)
    return found


def proxy_with_password(network: NetworkSettings) -> str:
    """Return the URL of the proxy with user name and password inside, as other libraries want it.

    Raises:
        SecretUnresolved: `secret_malformed`, one of them is not ASCII: botocore can't send that, and requests sends Latin-1.
    """
    from urllib.parse import quote

    url, auth = network["proxy"].reveal(), network.get("proxy_auth")
    if auth is None:
        return url
    if not (auth.username + auth.password.reveal()).isascii():
        message = "the proxy's user name or password is not ASCII, and this store's library can't send it"
        raise SecretUnresolved("secret_malformed", message, "give the proxy an ASCII password for this user")
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{quote(auth.username, safe='')}:{quote(auth.password.reveal(), safe='')}@{rest}"
