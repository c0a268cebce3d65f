"""The login to a Vault server by token, AppRole, JWT, client certificate or Kubernetes service account, and the logout.

Layer 2; uses the network, and reads the token that Kubernetes mounts. A rejected login is not repeated, since several wrong ones
may lock an account.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

from connform.debug_log import SECRETS
from connform.errors import SecretUnresolved
from connform.secret import Secret
from connform.secrets.kit.rest import RestReply
from connform.secrets.kit.service_account import mounted_token
from connform.secrets.vault.server import NAME, VaultClient, VaultServer

_REVOKE_TIMEOUT_S = 2.0
"""How long to wait for the revocation of a token; a token that is not revoked expires by itself."""
_BAD_REQUEST = 400
_REJECTED_STATUSES = {_BAD_REQUEST, 401, 403, 404, 405}


class VaultLogin(NamedTuple):
    """The method and credentials of a login."""

    auth: Mapping[str, Any]
    """The settings under `auth:`."""
    secrets: Mapping[str, Secret]
    """The secrets that those settings refer to, by their path in the store: `auth.token`."""


class VaultSession(NamedTuple):
    """A client with a token."""

    client: VaultClient
    """Sends the token with each call."""
    is_from_login: bool
    """Whether this run obtained the token by a login. Then it revokes it at its end."""
    secrets: tuple[Secret, ...]
    """The token, and the secrets that were sent to log in."""


def log_in(server: VaultServer, login: VaultLogin) -> VaultSession:
    """Log in, unless the method is `token`, and return a session.

    Raises:
        SecretUnresolved: `secret_denied`, the server rejects the login, or no token of a service account is mounted;
            `secret_backend_unavailable`; or the failure to read that token.
    """
    method = login.auth["method"]
    SECRETS.write("%s: logs in by %s%s", NAME, method, "" if method == "token" else f" at {_path_of(login)}")
    if method == "token":
        token = login.secrets["auth.token"]
        return VaultSession(VaultClient(server, token), is_from_login=False, secrets=(token,))
    credentials = _credentials_of(login)
    client = VaultClient(server)
    try:
        body = {key: value.reveal() if isinstance(value, Secret) else value for key, value in credentials.items()}
        reply = client.call("POST", f"auth/{quote(login.auth.get('mount', method))}/login", body)
        if reply.status in _REJECTED_STATUSES:
            is_wrapped = reply.status == _BAD_REQUEST and _is_wrapped(client, login)
            raise _rejection(reply, login, is_wrapped=is_wrapped)
    finally:
        client.close()
    token = _token_of(reply, login)
    sent_secrets = (value for value in credentials.values() if isinstance(value, Secret))
    return VaultSession(VaultClient(server, token), is_from_login=True, secrets=(token, *sent_secrets))


def log_out(session: VaultSession) -> None:
    """Revoke a token that this run obtained, and close connections. A failure is ignored."""
    from connform.http.net import deadline

    try:
        if session.is_from_login:
            with deadline.within(_REVOKE_TIMEOUT_S):
                session.client.call("POST", "auth/token/revoke-self")
    except SecretUnresolved:
        pass  # the token expires by itself, and the secrets have been read
    finally:
        session.client.close()


def _credentials_of(login: VaultLogin) -> dict[str, Secret | str]:
    """Return the body of a login call."""
    auth, secrets = login
    if auth["method"] == "approle":
        role_id = secrets["auth.role_id_from"].reveal() if "auth.role_id_from" in secrets else auth["role_id"]
        secret_id = secrets.get("auth.secret_id")
        return {"role_id": role_id, "secret_id": secret_id} if secret_id else {"role_id": role_id}
    if auth["method"] == "cert":
        return {"name": auth["role"]} if "role" in auth else {}
    token = secrets.get("auth.token")
    if token is None:  # only with `kubernetes`; read at each login, since Kubernetes replaces it
        token = mounted_token("or name another one by `auth: {token}`")
    return {"role": auth["role"], "jwt": token}


def _token_of(reply: RestReply, login: VaultLogin) -> Secret:
    path = _path_of(login)
    auth = reply.content.get("auth") if reply.is_success else None
    token = auth.get("client_token") if isinstance(auth, dict) else None
    if isinstance(token, str) and token:
        return Secret(token)
    if isinstance(auth, dict) and auth.get("mfa_requirement"):
        message = f"{NAME} demands a second factor for the login at {path}, and nobody is there to give it"
        raise SecretUnresolved("secret_denied", message, "log in with a role that needs no second factor")
    message = f"the answer to the login at {path} holds no token"
    raise SecretUnresolved("secret_backend_unavailable", message, f"see whether the address is that of {NAME}")


def _path_of(login: VaultLogin) -> str:
    return f"auth/{login.auth.get('mount', login.auth['method'])}"


def _is_wrapped(client: VaultClient, login: VaultLogin) -> bool:
    """Whether a secret id that was rejected is a token that wraps one; asking does not use it up."""
    secret_id = login.secrets.get("auth.secret_id")
    if secret_id is None:
        return False
    try:
        return client.call("POST", "sys/wrapping/lookup", {"token": secret_id.reveal()}).is_success
    except SecretUnresolved:
        return False


def _rejection(reply: RestReply, login: VaultLogin, *, is_wrapped: bool) -> SecretUnresolved:
    method = login.auth["method"]
    message = f"{NAME} rejected the login by {method} at {_path_of(login)} ({reply.status}); it was tried once"
    hint = _hint(method)
    if is_wrapped:
        message = f"the secret id is a wrapping token, and {NAME} rejected the login by it ({reply.status})"
        hint = "unwrap it, and put the secret id where `auth: {secret_id}` points: `vault unwrap -field=secret_id`; connform doesn't, since a wrapping token is good for one time only"
    elif method == "approle" and "auth.secret_id" not in login.secrets:
        hint = "see whether the role id is right, and whether the role demands a `secret_id` or is bound to other addresses; or correct `auth: {role_id, mount}` and `namespace`"
    return SecretUnresolved("secret_denied", message, hint)


def _hint(method: str) -> str:
    reasons = {
        "cert": "see whether the certificate in the store's `tls` has expired, and whether its issuer and names are those that the role is bound to",
        "approle": "see whether the role id is right, and whether the secret id has expired, was used up or is bound to other addresses",
        "jwt": "see whether the JWT has expired, and whether its issuer, audience and claims are those that the role is bound to",
        "kubernetes": "see whether the role is bound to this service account and namespace, and whether the server can ask the cluster",
    }
    role = "role_id" if method == "approle" else "role"
    return f"{reasons[method]}; or correct `auth: {{{role}, mount}}` and `namespace`"
