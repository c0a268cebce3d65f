"""Signs JSON Web Tokens: client assertions, grants and bearer tokens (RFC 7515, RFC 7519, RFC 7523 §3).

Layer 2; reads the clock. Needs the extra `connform[jwt]`: PyJWT signs.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import uuid4

from connform.auth.kit.signing_key import ALGORITHMS, load_key
from connform.errors import ConnectionFailed, InterfaceMisused
from connform.secret import Secret
from connform.tracebacks import hidden_frames

MAX_LIFETIME_S = 300
"""The longest lifetime: a JWT is used at once, and whoever steals it can use it for so long."""
_SHA256 = re.compile(r"[0-9A-Fa-f]{64}")
_SKEW_SHARE = 5
"""`iat` lies a fifth of the lifetime in the past, a minute at most: clocks differ, and a server refuses a JWT of the future.
GitHub asks for a minute: docs.github.com, "Generating a JSON Web Token (JWT) for a GitHub App", read 2026-11-29."""


class JwtTemplate(NamedTuple):
    """What every JWT of one signer holds."""

    alg: str
    """One of `signing_key.ALGORITHMS`."""
    issuer: str = ""
    """`iss`; empty for none, as the next two."""
    subject: str = ""
    """`sub`."""
    audience: str | tuple[str, ...] = ""
    """`aud`: a text, or a tuple for a list."""
    claims: Mapping[str, Any] = MappingProxyType({})
    """Further claims, JSON-ready. They replace none of the registered ones (RFC 7519 §4.1)."""
    key_id: str = ""
    """The header `kid`; empty for none."""
    thumbprint: str = ""
    """The SHA-256 fingerprint of the key's certificate in hex, for the header `x5t#S256` (RFC 7515 §4.1.8); empty for none.
    Entra ID needs it: learn.microsoft.com/entra/identity-platform/certificate-credentials, read 2026-11-29."""
    lifetime_s: int = MAX_LIFETIME_S
    """From `iat` to `exp`."""
    has_not_before: bool = False
    """Whether it holds `nbf`."""


class JwtSigner:
    """Signs JWTs that differ in time and `jti`. Threads may share it."""

    __slots__ = ("_clock", "_key", "_thumbprint", "template")

    def __init__(
        self, template: JwtTemplate, secret: Secret, *, key: str, at: str = "", clock: Callable[[], float] = time.time
    ) -> None:
        """Read the key.

        Args:
            template: what the JWTs hold.
            secret: the private key, as `signing_key.load_key` reads it, with the arguments `key` and `at`.
            key: the key under `auth:` that the secret came from.
            at: the JSON Pointer of the PEM in the secret.
            clock: returns seconds since 1970.

        Raises:
            ConnectionFailed: `secret_malformed`, no usable key; `config_invalid`, PyJWT is missing, or the thumbprint is none.
            InterfaceMisused: an algorithm or lifetime that no JWT may have.
        """
        if template.alg not in ALGORITHMS or not 0 < template.lifetime_s <= MAX_LIFETIME_S:
            message = f"a JWT has an `alg` of {', '.join(ALGORITHMS)}, and lives for 1 to {MAX_LIFETIME_S} seconds"
            raise InterfaceMisused(message)
        _require_library()
        self.template = template
        self._thumbprint = _base64url_of_hex(template.thumbprint) if template.thumbprint else ""
        self._key = load_key(secret, template.alg, key=key, at=at)
        self._clock = clock

    def sign(self) -> Secret:
        """Return a new JWT in the compact serialization (RFC 7515 §7.1)."""
        import jwt

        template, lifetime_s = self.template, self.template.lifetime_s
        issued_at = int(self._clock()) - lifetime_s // _SKEW_SHARE
        times = {"iat": issued_at, "exp": issued_at + lifetime_s, "nbf": issued_at if template.has_not_before else ""}
        named = {"iss": template.issuer, "sub": template.subject, "aud": self.binding["audience"], "jti": str(uuid4())}
        claims = {**template.claims, **{name: value for name, value in {**named, **times}.items() if value}}
        headers = {"kid": template.key_id, "x5t#S256": self._thumbprint}
        with hidden_frames():
            return Secret(
                jwt.encode(
                    claims,
                    self._key,  # type: ignore[arg-type]  # PyJWT lists the kinds that `load_key` has made sure of
                    algorithm=template.alg,
                    headers={name: value for name, value in headers.items() if value},
                )
            )

    @property
    def binding(self) -> Mapping[str, Any]:
        """What the JWTs say, JSON-ready and without the key: a token that was issued for another JWT is another token."""
        audience = self.template.audience
        listed = list(audience) if isinstance(audience, tuple) else audience
        return {**self.template._asdict(), "claims": dict(self.template.claims), "audience": listed}

    def __repr__(self) -> str:
        return "<JWT signer>"


def _require_library() -> None:
    from importlib.util import find_spec

    if not find_spec("jwt"):
        message = "signing a JWT needs the library PyJWT of the extra `connform[jwt]`, which is not installed"
        raise ConnectionFailed("config_invalid", message, "pip install pyjwt")


def _base64url_of_hex(fingerprint: str) -> str:
    from base64 import urlsafe_b64encode

    digits = fingerprint.replace(":", "")
    if not _SHA256.fullmatch(digits):
        message = "the thumbprint of a JWT is no SHA-256 fingerprint, which has 64 hexadecimal digits"
        raise ConnectionFailed("config_invalid", message, "openssl x509 -noout -fingerprint -sha256 -in FILE prints it")
    return urlsafe_b64encode(bytes.fromhex(digits)).rstrip(b"=").decode()
