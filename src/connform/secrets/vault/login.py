"""The login to a Vault server by token, AppRole, JWT or Kubernetes service account, and the logout.

Layer 2; uses the network, and reads the token that Kubernetes mounts. A login is tried once, since several wrong ones may lock
an account.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from connform.errors import SecretUnresolved
from connform.manifest.references import REFERENCE
from connform.manifest.rules import Finding
from connform.manifest.shape import Schema, Shape
from connform.secret import Secret
from connform.secrets.kit.file_reader import read_file
from connform.secrets.kit.rest import RestReply
from connform.secrets.kit.value import secret_from_text, text_from_bytes
from connform.secrets.vault.server import NAME, VaultClient, VaultServer

SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount/token"
"""Where Kubernetes mounts the token of a pod's service account."""
_NAME_PATTERN = r"(?:[!$-\-0->@-~][!$-.0->@-~]*|\.[!$-\-0->@-~][!$-.0->@-~]*|\.\.[!$-.0->@-~]+)"
"""One part of a path, not `.` or `..`."""
SERVER_PATH_SCHEMA: Schema = {
    "type": "string",
    "pattern": rf"^{_NAME_PATTERN}(?:/{_NAME_PATTERN})*(?!\n)$",
    "errorMessage": "names of printable ASCII, joined by slashes, without a slash at the ends",
}
"""The JSON Schema of a path on a server: a mount or a namespace."""
_REVOKE_TIMEOUT_S = 2.0
"""How long to wait for the revocation of a token; a token that is not revoked expires by itself."""
_REJECTED_STATUSES = {400, 401, 403, 404, 405}

_ROLE_SCHEMA: Schema = {
    "type": "string",
    "minLength": 1,
    "description": "The role to log in for.",
    "examples": ["connform"],
}


def _mount_schema(default: str) -> Schema:
    return {**SERVER_PATH_SCHEMA, "description": f"Where the login method is mounted, below auth/. Default {default}."}


AUTH_SHAPE = Shape(
    discriminator="method",
    code="unknown-auth-method",
    branches={
        "token": Shape(
            properties={
                "token": {**REFERENCE, "description": "The token, by reference; it is neither renewed nor revoked."}
            },
            required=("token",),
            description="A token that somebody else obtains.",
        ),
        "approle": Shape(
            properties={
                "role_id": {
                    "type": "string",
                    "minLength": 1,
                    "description": "The id of the AppRole, which is no secret.",
                },
                "role_id_from": {**REFERENCE, "description": "The same by reference, where it is kept like a secret."},
                "secret_id": {**REFERENCE, "description": "The secret id, by reference."},
                "mount": _mount_schema("approle"),
            },
            required=("secret_id",),
            description="A login with an AppRole.",
        ),
        "jwt": Shape(
            properties={
                "role": _ROLE_SCHEMA,
                "token": {**REFERENCE, "description": "The JWT, by reference."},
                "mount": _mount_schema("jwt"),
            },
            required=("role", "token"),
            description="A login with a JWT, such as the identity of a CI job.",
        ),
        "kubernetes": Shape(
            properties={
                "role": _ROLE_SCHEMA,
                "token": {
                    **REFERENCE,
                    "description": f"The service account's token; default file://{SERVICE_ACCOUNT}.",
                },
                "mount": _mount_schema("kubernetes"),
            },
            required=("role",),
            description="A login with the service account of a Kubernetes pod.",
        ),
    },
    title="Login",
    description="How the store is logged into, once a run.",
    question="The method of the login.",
)


def login_findings(auth: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield what is wrong with an `auth:` that its schema accepts."""
    if auth["method"] != "approle":
        return
    if "role_id" not in auth and "role_id_from" not in auth:
        yield Finding(
            "missing-key", ("auth",), "an AppRole has an id: write `role_id`, or `role_id_from` with a reference"
        )
    elif "role_id" in auth and "role_id_from" in auth:
        detail = "the id of the AppRole stands twice, in `role_id` and in `role_id_from`: remove one of them"
        yield Finding("duplicate-key", ("auth", "role_id_from"), detail, at_key=True, related=(("auth", "role_id"),))


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
        SecretUnresolved: `secret_denied`, the server rejects the login; `secret_backend_unavailable`; or the failure to read
            the file of a service account's token.
    """
    method = login.auth["method"]
    if method == "token":
        token = login.secrets["auth.token"]
        return VaultSession(VaultClient(server, token), is_from_login=False, secrets=(token,))
    credentials = _credentials_of(login)
    client = VaultClient(server)
    try:
        body = {key: value.reveal() if isinstance(value, Secret) else value for key, value in credentials.items()}
        reply = client.call("POST", f"auth/{quote(login.auth.get('mount', method))}/login", body)
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
        return {"role_id": role_id, "secret_id": secrets["auth.secret_id"]}
    token = secrets.get("auth.token")
    if token is None:  # only with `kubernetes`; read at each login, since Kubernetes replaces it
        token = secret_from_text(text_from_bytes(read_file(Path(SERVICE_ACCOUNT))))
    return {"role": auth["role"], "jwt": token}


def _token_of(reply: RestReply, login: VaultLogin) -> Secret:
    method = login.auth["method"]
    path = f"auth/{login.auth.get('mount', method)}"
    if reply.status in _REJECTED_STATUSES:
        message = f"{NAME} rejected the login by {method} at {path} ({reply.status}); it was tried once"
        raise SecretUnresolved("secret_denied", message, _hint(method))
    auth = reply.content.get("auth") if reply.is_success else None
    token = auth.get("client_token") if isinstance(auth, dict) else None
    if isinstance(token, str) and token:
        return Secret(token)
    if isinstance(auth, dict) and auth.get("mfa_requirement"):
        message = f"{NAME} demands a second factor for the login at {path}, and nobody is there to give it"
        raise SecretUnresolved("secret_denied", message, "log in with a role that needs no second factor")
    message = f"the answer to the login at {path} holds no token"
    raise SecretUnresolved("secret_backend_unavailable", message, f"see whether the address is that of {NAME}")


def _hint(method: str) -> str:
    reasons = {
        "approle": "see whether the role id is right, and whether the secret id has expired, was used up or is bound to other addresses",
        "jwt": "see whether the JWT has expired, and whether its issuer, audience and claims are those that the role is bound to",
        "kubernetes": "see whether the role is bound to this service account and namespace, and whether the server can ask the cluster",
    }
    return f"{reasons[method]}; or correct `auth: {{role, mount}}` and `namespace`"
