"""What Key Vault's answers to a read mean: the secret, or a fault with its message and hint.

Layer 2, no IO. The answers and their sources are in docs/reference/secret-answers.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from connform.errors import SecretUnresolved
from connform.secrets.azure.login import LOGIN_HINT
from connform.secrets.kit.rest import RestReply, content_of

NAME = "Key Vault"

_BAD_REQUEST, _UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND = 400, 401, 403, 404
_ROLE_HINT = "give the login the role Key Vault Secrets User; a new assignment takes some minutes to have an effect"
_NETWORK_HINT = "ask from a network that the vault's networking allows, or by its private endpoint"


class _Refusal(NamedTuple):
    fault: str
    message: str
    hint: str


_FORBIDDEN_CODES = {
    "SecretDisabled": _Refusal(
        "secret_not_found", "the secret, or that version of it, is disabled", "enable it, or name another version"
    ),
    "ForbiddenByFirewall": _Refusal("secret_denied", "the firewall of the vault refuses this machine", _NETWORK_HINT),
    "ForbiddenByConnection": _Refusal(
        "secret_denied", "the vault refuses connections from public networks", _NETWORK_HINT
    ),
    "ForbiddenByRbac": _Refusal("secret_denied", "no role allows this login to read the secret", _ROLE_HINT),
    **dict.fromkeys(
        ("ForbiddenByPolicy", "AccessDenied"),
        _Refusal(
            "secret_denied",
            "the vault's access policies don't allow this login to read secrets",
            "add the permission `get` on secrets to the access policy of the login",
        ),
    ),
}
"""`error.innererror.code` of a 403 → fault. `AccessDenied` is what vaults answered before `ForbiddenByPolicy`."""
_TOKEN_HINTS = {
    "AKV10022": "correct `resource` of the store: the token is for something else than vaults",
    "AKV10032": "correct `tenant_id` of the store: the login is of another tenant than the vault",
}
"""Code at the start of the message of a 401 → hint."""


def document_of(reply: RestReply) -> dict[str, Any]:
    """Return the secret bundle in an answer.

    Raises:
        SecretUnresolved: the answer is a refusal, or none of Key Vault's.
    """
    error = reply.content.get("error") if isinstance(reply.content, dict) else None
    refusal = _refusal(reply.status, error if isinstance(error, dict) else {})
    if refusal is not None:
        raise SecretUnresolved(*refusal)
    return content_of(reply, NAME, login_hint=LOGIN_HINT, denied_hint=_ROLE_HINT)


def _refusal(status: int, error: Mapping[str, Any]) -> _Refusal | None:
    """Return the fault that a status with an error object means; `None` if the status alone decides."""
    if status == _FORBIDDEN:
        inner = error.get("innererror", error.get("innerError"))
        code = inner.get("code") if isinstance(inner, dict) else None
        return _FORBIDDEN_CODES.get(str(code))
    if status == _UNAUTHORIZED:
        hint = _TOKEN_HINTS.get(str(error.get("message")).partition(":")[0])
        return _Refusal("secret_denied", f"{NAME} does not accept the login", hint) if hint else None
    if status == _NOT_FOUND:
        hint = "create the secret, or correct the reference; `az keyvault secret recover` brings a deleted one back"
        return _Refusal("secret_not_found", f"{NAME} has no such secret", hint)
    if status == _BAD_REQUEST and error.get("code") == "BadParameter":
        return _Refusal("secret_not_found", f"{NAME} does not accept the name or the version", "correct the reference")
    return None
