"""The private key that signs JWTs: read from PEM (RFC 7468), which may be one member of a JSON secret.

Layer 2, no IO; the library cryptography is imported when a key is read. No message holds a part of a key.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from connform.errors import ConnectionFailed
from connform.json_pointer import at_pointer
from connform.secret import Secret
from connform.tracebacks import hidden_frames

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

_CURVES = {"ES256": "secp256r1", "ES384": "secp384r1", "ES512": "secp521r1"}
"""RFC 7518 §3.4."""
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", *_CURVES, "EdDSA")
"""The algorithms that a JWT is signed with: asymmetric alone (RFC 7518 §3.1, RFC 8037 §3.1)."""
_MIN_RSA_BITS = 2048
"""RFC 7518 §3.3."""
_LINE = 64
_BLOCK = re.compile(r"-----BEGIN ([A-Z ]{0,20}PRIVATE KEY)-----(.{1,65536}?)-----END \1-----", re.DOTALL)
_READABLE = {"PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"}
"""PKCS #8, PKCS #1 and SEC 1."""
_DECRYPT = "store the key without a passphrase: openssl pkey -in FILE"
_CONVERT = "store the key in PKCS #8: openssl pkcs8 -topk8 -nocrypt -in FILE"
_NO_KEY = "store the private key in PEM, from -----BEGIN to -----END; in one line, `\\n` stands for its line breaks"


class _Problem(NamedTuple):
    """Why a secret is no usable key."""

    text: str
    """The end of a sentence `the secret …`."""
    hint: str


def load_key(secret: Secret, alg: str, *, key: str, at: str = "") -> PrivateKeyTypes:
    r"""Return the private key in a secret.

    Args:
        secret: PEM in PKCS #8, PKCS #1 or SEC 1, not encrypted; other blocks beside it, such as certificates, are not read. Its
            line breaks may be written as `\n`, or be blanks.
        alg: one of `ALGORITHMS`, whose kind of key it must be.
        key: the key under `auth:` that the secret came from, for messages.
        at: where the secret is a JSON object, the JSON Pointer of its member with the PEM, as `/private_key` of a Google service
            account; empty where the secret is the PEM.

    Raises:
        ConnectionFailed: `secret_malformed`; the message holds nothing of the secret.
    """
    with hidden_frames():
        block = _find(secret.reveal(), at)
        parsed = block if isinstance(block, _Problem) else _parse(*block)
    found = parsed if isinstance(parsed, _Problem) else _mismatch(parsed, alg) or parsed
    if isinstance(found, _Problem):
        raise ConnectionFailed("secret_malformed", f"the secret behind `{key}` {found.text}", found.hint)
    return found


def _find(text: str, at: str) -> tuple[str, str] | _Problem:
    """Return the label and the base64 of the first private key in a text."""
    if at:
        member = _member(text, at)
        if not isinstance(member, str):
            hint = "store the whole file that the vendor gave you, or correct the pointer"
            return _Problem(f"is no JSON object with a text at {at}", hint)
        text = member
    block = _BLOCK.search(text)
    if block is None:
        other = re.search(r"-----BEGIN ([A-Z ]{1,40})-----", text)
        return _Problem(
            f"holds a {other[1].lower()} and no private key" if other else "is no private key in PEM", _NO_KEY
        )
    label, body = block[1], block[2].replace("\\r", "").replace("\\n", "\n")
    if label == "ENCRYPTED PRIVATE KEY" or "ENCRYPTED" in body[:_LINE]:
        return _Problem("is a private key that a passphrase encrypts", _DECRYPT)
    if label not in _READABLE:
        return _Problem(f"is a private key of another form ({label.lower()})", _CONVERT)
    return label, "".join(body.split())


def _member(text: str, at: str) -> Any:
    try:
        return at_pointer(json.loads(text), at)
    except (ValueError, RecursionError):
        return None


def _parse(label: str, base64: str) -> PrivateKeyTypes | _Problem:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    lines = [base64[start : start + _LINE] for start in range(0, len(base64), _LINE)]
    pem = "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----\n"])
    try:
        return load_pem_private_key(pem.encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return _Problem("is a private key that is damaged, or of an unknown kind", _NO_KEY)


def _mismatch(found: PrivateKeyTypes, alg: str) -> _Problem | None:
    from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa

    if isinstance(found, rsa.RSAPrivateKey):
        if found.key_size < _MIN_RSA_BITS:
            return _Problem(f"is an RSA key of {found.key_size} bits", "a JWT needs 2048 at least (RFC 7518 §3.3)")
        kind, is_right = "an RSA key", alg[:2] in {"RS", "PS"}
    elif isinstance(found, ec.EllipticCurvePrivateKey):
        kind, is_right = f"an EC key on {found.curve.name}", found.curve.name == _CURVES.get(alg)
    elif isinstance(found, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey):
        kind, is_right = "an Ed25519 or Ed448 key", alg == "EdDSA"
    else:
        kind, is_right = "a key of another kind", False
    return (
        None if is_right else _Problem(f"is {kind}, which doesn't sign {alg}", "correct `alg`, or store the key for it")
    )
