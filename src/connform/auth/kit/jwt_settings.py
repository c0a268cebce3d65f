"""What the key `jwt` of an auth method says: which secret signs, and what the JWTs hold.

Layer 2, no IO.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from connform.auth.interface import AuthInputs
from connform.errors import ConnectionFailed
from connform.manifest.named_texts import expand, names_in
from connform.secret import Secret

if TYPE_CHECKING:
    from connform.auth.kit.jwt_signer import JwtSigner

PRIVATE_KEY = "private_key"
"""The name of the secret, if the settings name none."""
_TEXTS = ("key_id", "thumbprint", "issuer", "subject", "audience")


def key_name(auth: Mapping[str, Any]) -> str:
    """Return the key under `auth:` of the secret that signs."""
    named = names_in(auth["jwt"].get("key", ""))
    return named[0] if named else PRIVATE_KEY


def signer(inputs: AuthInputs, *, audience: str) -> JwtSigner:
    """Return what signs the JWTs of a connection.

    Args:
        inputs: those of the auth method.
        audience: the audience (`aud`), unless the settings name one.

    Raises:
        ConnectionFailed: `secret_malformed`, no usable key; `config_invalid`, a library is missing.
    """
    from connform.auth.kit.jwt_signer import MAX_LIFETIME_S, JwtSigner, JwtTemplate

    settings, said = inputs.settings, inputs.settings["jwt"]
    client_id = settings.get("client_id", "")
    names = {**inputs.values, "client_id": client_id, "scope": " ".join(settings.get("scopes", ()))}
    texts = {key: expand(said[key], names) for key in _TEXTS if key in said}
    template = JwtTemplate(
        said["alg"],
        issuer=texts.get("issuer", client_id),
        subject=texts.get("subject", client_id),
        audience=texts.get("audience", audience),
        claims={name: expand(text, names) for name, text in said.get("claims", {}).items()},
        key_id=texts.get("key_id", ""),
        thumbprint=texts.get("thumbprint", ""),
        lifetime_s=said.get("lifetime_s", MAX_LIFETIME_S),
    )
    key = key_name(settings)
    return JwtSigner(template, inputs.secrets[key], key=key, at=said.get("key_at", ""))


def judge_key(key: str, secret: Secret) -> None:
    """Require a secret that is not empty; `signer` requires a key that signs the algorithm."""
    if not secret.reveal().strip():
        raise ConnectionFailed("secret_malformed", f"the secret behind `{key}` is empty")
