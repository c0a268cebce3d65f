"""The HTTP client of one Vault or OpenBao server; it recognises a server that is sealed, standby or not initialised.

Layer 2; uses the network.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from connform.errors import ConnectionFailed, SecretUnresolved, StoreFailed
from connform.http.header import HeaderCredential
from connform.secret import Secret
from connform.secrets.kit.network import NetworkSettings
from connform.secrets.kit.rest import RestApi, RestReply

NAME = "Vault"
_UNAVAILABLE = "secret_backend_unavailable"
_HEALTH = "sys/health?sealedcode=200&uninitcode=200&standbyok=true&perfstandbyok=true&drsecondarycode=200"
_NO_CONTENT = 204
_NOT_FOUND = 404
_SERVER_ERROR = 500
_LAGS_BEHIND = 412
"""A performance standby does not have what the token needs yet, as right after a login; the client is to repeat the call:
https://developer.hashicorp.com/vault/api-docs#http-status-codes, read 2026-11-29."""
_TRANSIENT = frozenset({_LAGS_BEHIND, 500, 502, 503, 504})
"""After these a call is repeated, a login too: none of them is a rejection."""
_REDIRECTS = {301, 302, 303, 307, 308}


class VaultServer(NamedTuple):
    """The address of a server, and how to reach it."""

    address: str
    """Its URL, without `/v1`."""
    namespace: str
    """Empty for the root namespace."""
    timeout_s: float
    """How long a call may take."""
    network: NetworkSettings
    """Certificates and proxy."""


class VaultClient:
    """Calls one server, with or without a token. Threads may share it."""

    def __init__(self, server: VaultServer, token: Secret | None = None) -> None:
        """Take the settings. The first call connects.

        Raises:
            SecretUnresolved: `secret_malformed`, the token can't be sent in a header.
        """
        try:
            credential = HeaderCredential("X-Vault-Token", token, key="token") if token else None
        except ConnectionFailed as failure:
            raise SecretUnresolved(failure.fault.name, failure.message, failure.hint) from None
        self._api = RestApi(
            server.address.rstrip("/") + "/v1/",
            NAME,
            timeout_s=server.timeout_s,
            credential=credential,
            **server.network,
        )
        self._latest_state: Mapping[str, Any] = {}
        # A Vault Agent may require this header, since browsers can't be made to send it.
        self._headers_without_namespace = {"X-Vault-Request": "true"}
        self._headers = self._headers_without_namespace | (
            {"X-Vault-Namespace": server.namespace} if server.namespace else {}
        )

    def call(self, method: str, path: str, json: Mapping[str, Any] | None = None, *, repeats: bool = True) -> RestReply:
        """Return the answer to one call.

        Args:
            method: upper case.
            path: below `/v1/`, percent-encoded.
            json: the body.
            repeats: whether to ask again, as long as the time allows, a server that can't answer now.

        Raises:
            SecretUnresolved: `secret_backend_unavailable`, the network or the server failed, the server is a standby, or the
                answer is no JSON object; `secret_not_found`, there is no such namespace.
        """
        reply = self._api.call(
            method,
            path,
            json=json,
            headers=self._headers,
            server_errors=True,
            transient=_TRANSIENT if repeats else (),
            before_repeating=self._require_unsealed,
        )
        if reply.status in _REDIRECTS:
            message = f"this {NAME} server is a standby, and refers to another one; no token is sent there"
            raise StoreFailed(message, "correct the address: that of the active server, or of all")
        if reply.status >= _SERVER_ERROR:
            raise self._failure_of_server(reply.status)
        if reply.status == _LAGS_BEHIND:
            message = f"this {NAME} server is a standby that lags behind the active one (it answered {reply.status})"
            raise StoreFailed(message, "see why, or raise the store's `timeout_s`")
        if reply.status != _NO_CONTENT and not isinstance(reply.content, dict):
            raise unexpected_answer()
        if reply.status == _NOT_FOUND and "namespace not found" in describe_errors(reply):
            message = f"{NAME} has no such namespace, or may not say that it has"
            raise SecretUnresolved("secret_not_found", message, "correct `namespace` or VAULT_NAMESPACE")
        return reply

    def close(self) -> None:
        """Close connections."""
        self._api.close()

    def _require_unsealed(self, status: int) -> None:
        """Raise if the server can't answer until its operators do something; other server errors may pass.

        The server is asked for its state, since the status doesn't tell it.
        """
        if status < _SERVER_ERROR:
            return
        state = self._state()
        if state.get("initialized") is False:
            raise StoreFailed(f"{NAME} is not initialised", f"ask the operators of {NAME} to set it up")
        if state.get("sealed") is True:
            raise StoreFailed(f"{NAME} is sealed", f"ask the operators of {NAME} to unseal it")

    def _failure_of_server(self, status: int) -> StoreFailed:
        """Return the error for a status from 500 on."""
        self._require_unsealed(status)
        if self._state().get("standby") is True:
            message = f"this {NAME} server is a standby, and answered {status}"
            return StoreFailed(message, "see whether the cluster has an active server, then try again")
        return StoreFailed(f"{NAME} answered {status}")

    def _state(self) -> Mapping[str, Any]:
        """Return what the server says of its health; what it said last where no time is left to ask."""
        headers = self._headers_without_namespace
        try:
            health = self._api.call("GET", _HEALTH, headers=headers, server_errors=True, transient=()).content
            self._latest_state = health if isinstance(health, dict) else {}
        except SecretUnresolved:
            pass
        return self._latest_state


def describe_errors(reply: RestReply) -> str:
    """Return the error messages of an answer, to search for known words; they are never shown."""
    errors = reply.content.get("errors")
    return " ".join(map(str, errors)) if isinstance(errors, list) else ""


def unexpected_answer() -> SecretUnresolved:
    """Return the error for an answer that is not one of Vault."""
    hint = "see whether the address is right, and what stands in between"
    return SecretUnresolved(_UNAVAILABLE, f"the answer is none of {NAME}'s", hint)
