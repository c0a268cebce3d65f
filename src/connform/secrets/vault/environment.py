"""The server and the login that the environment names for `vault` without a store: VAULT_ADDR, VAULT_TOKEN and others.

Layer 2; reads variables, as the programs `vault` and `bao` do.
"""

from __future__ import annotations

import re
from pathlib import Path

from connform.environment import variable
from connform.errors import SecretUnresolved
from connform.manifest.urls import UrlError, parse_url
from connform.secret import Secret
from connform.secrets.kit.network import NetworkSettings
from connform.secrets.vault.auth_keys import SERVER_PATH_SCHEMA
from connform.secrets.vault.login import VaultLogin
from connform.secrets.vault.server import VaultServer

_ADDRESS = "VAULT_ADDR"
_TOKEN = "VAULT_TOKEN"  # noqa: S105  (a variable's name)
_CLIENT_CERT, _CLIENT_KEY = "VAULT_CLIENT_CERT", "VAULT_CLIENT_KEY"
_HINT = f"export {_ADDRESS}=https://… and {_TOKEN}, or declare a store of the type vault under `stores:`"


def from_environment(timeout_s: float, network: NetworkSettings) -> tuple[VaultServer, VaultLogin]:
    """Return the server and the login.

    Args:
        timeout_s: how long a call may take.
        network: what is not set for Vault alone: the proxy that the environment names for every host.

    Raises:
        SecretUnresolved: a variable is not set or not valid.
    """
    address, token = variable(_ADDRESS), variable(_TOKEN)
    if not address:
        raise _unusable(f"{_ADDRESS} is not set: there is no server to ask")
    if not token:
        raise SecretUnresolved("secret_denied", f"{_TOKEN} is not set: there is nothing to log in with", _HINT)
    try:
        parse_url(address)
    except UrlError as error:
        raise _unusable(f"{_ADDRESS} can't be used: {error}") from None
    namespace = variable("VAULT_NAMESPACE").strip("/")
    if namespace and not re.search(SERVER_PATH_SCHEMA["pattern"], namespace):
        raise _unusable("VAULT_NAMESPACE can't be used: names of printable ASCII, joined by slashes, are")
    server = VaultServer(address, namespace, timeout_s, network | _network_of_vault())
    return server, VaultLogin({"method": "token"}, {"auth.token": Secret(token)})


def _network_of_vault() -> NetworkSettings:
    """Return the certificates and the proxy that are set for Vault alone.

    The names, and which of two comes first, are those of HashiCorp's client (`ReadEnvironment` in api/client.go of
    hashicorp/vault, read 2026-11-29).
    """
    found: NetworkSettings = {}
    if ca_file := variable("VAULT_CACERT"):
        found["ca_file"] = Path(ca_file)
    client_cert, client_key = variable(_CLIENT_CERT), variable(_CLIENT_KEY)
    if bool(client_cert) != bool(client_key):
        raise _unusable(f"only one of {_CLIENT_CERT} and {_CLIENT_KEY} is set", "set the other one as well, or neither")
    if client_cert:
        found |= {"client_cert": Path(client_cert), "client_key": Path(client_key)}
    if proxy := variable("VAULT_PROXY_ADDR") or variable("VAULT_HTTP_PROXY"):
        found["proxy"] = Secret(proxy)
    return found


def _unusable(message: str, hint: str = _HINT) -> SecretUnresolved:
    return SecretUnresolved("secret_backend_unavailable", message, hint)
