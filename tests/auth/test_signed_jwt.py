"""The credential of a connection that signs its own JWTs."""

from __future__ import annotations

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from connform.auth.kit.jwt_signer import JwtSigner, JwtTemplate
from connform.auth.kit.signed_jwt import SignedJwtCredential
from connform.http.credential import HeaderLines
from connform.secret import Secret
from tests.private_keys import pem_of


def test_a_jwt_is_used_for_half_of_its_lifetime() -> None:
    now = [1000.0]
    signer = JwtSigner(JwtTemplate("ES256", issuer="acme", lifetime_s=120), Secret(pem_of(generate_private_key(SECP256R1()))), key="private_key")  # fmt: skip
    credential = SignedJwtCredential(signer, lambda token: HeaderLines(("X-Jwt", token)), clock=lambda: now[0])
    assert (credential.scheme, len(credential.headers())) == ("", 0)
    first = credential.renew()
    now[0] += 59
    assert credential.headers() == first == credential.renew(first)
    now[0] += 2
    assert len(credential.headers()) == 0
    ((_, token),) = credential.renew().reveal()
    assert jwt.decode(token, options={"verify_signature": False})["iss"] == "acme"
