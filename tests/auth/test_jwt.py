"""JWTs are what a second library (joserfc) verifies, and nothing that is wrong with a key shows a part of it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any, Literal

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat, PublicFormat

from connform.auth.kit.jwt_signer import JwtSigner, JwtTemplate
from connform.auth.kit.signing_key import ALGORITHMS, load_key
from connform.errors import ConnectionFailed, InterfaceMisused
from connform.secret import Secret
from tests.conftest import require_library
from tests.private_keys import RSA_KEY as RSA
from tests.private_keys import assert_no_key, pem_of
from tests.tracebacks.walk import shown

require_library("joserfc")

from joserfc import jwk, jws, jwt  # noqa: E402
from joserfc.errors import BadSignatureError  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore:EdDSA is deprecated")  # joserfc, by RFC 9864

CURVES: dict[str, ec.EllipticCurve] = {"ES256": ec.SECP256R1(), "ES384": ec.SECP384R1(), "ES512": ec.SECP521R1()}
EC = {alg: ec.generate_private_key(curve) for alg, curve in CURVES.items()}
ED = ed25519.Ed25519PrivateKey.generate()
KEYS: dict[str, PrivateKeyTypes] = {alg: EC.get(alg, ED if alg == "EdDSA" else RSA) for alg in ALGORITHMS}
TEMPLATE = JwtTemplate("RS256", issuer="acme", audience="https://login.acme.example/token")


def signer(template: JwtTemplate, pem: str, **more: Any) -> JwtSigner:
    return JwtSigner(template, Secret(pem), key="private_key", **more)


def public(key: PrivateKeyTypes) -> jwk.Key:
    kind: Literal["RSA", "EC", "OKP"] = "OKP"
    if isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        kind = "RSA" if isinstance(key, rsa.RSAPrivateKey) else "EC"
    return jwk.import_key(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(), kind)


def read(token: Secret, key: PrivateKeyTypes, alg: str) -> jwt.Token:
    return jwt.decode(token.reveal(), public(key), registry=jws.JWSRegistry(algorithms=[alg]))


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_another_library_verifies_what_is_signed(alg: str) -> None:
    template = TEMPLATE._replace(alg=alg, subject="person", key_id="key 1", claims={"scope": "a b"})
    before = time.time()
    read_back = read(signer(template, pem_of(KEYS[alg])).sign(), KEYS[alg], alg)
    claims = read_back.claims
    assert {name: claims[name] for name in ("iss", "sub", "aud", "scope")} == {
        "iss": "acme",
        "sub": "person",
        "aud": "https://login.acme.example/token",
        "scope": "a b",
    }
    assert (claims["exp"] - claims["iat"], "nbf" in claims) == (300, False)
    assert -1 <= claims["iat"] + 60 - before < 10
    assert {key: read_back.header[key] for key in ("alg", "kid", "typ")} == {"alg": alg, "kid": "key 1", "typ": "JWT"}


def test_only_the_key_verifies_it() -> None:
    with pytest.raises(BadSignatureError):
        read(signer(TEMPLATE, pem_of(RSA)).sign(), rsa.generate_private_key(65537, 2048), "RS256")


def test_what_is_optional_is_left_out_and_each_jwt_has_an_id_of_its_own() -> None:
    made = signer(
        JwtTemplate("EdDSA", issuer="acme", lifetime_s=60, has_not_before=True), pem_of(ED), clock=lambda: 1_000
    )
    one, other = (read(made.sign(), ED, "EdDSA") for _ in range(2))
    assert one.claims.keys() == {"iss", "iat", "exp", "nbf", "jti"}
    assert (one.claims["iat"], one.claims["nbf"], one.claims["exp"]) == (988, 988, 1_048)
    assert one.claims["jti"] != other.claims["jti"]
    assert one.header.keys() == {"alg", "typ"}


def test_an_audience_may_be_a_list_and_a_certificate_names_the_key() -> None:
    digest = bytes(range(32))
    template = TEMPLATE._replace(audience=("api",), thumbprint=digest.hex(":").upper())
    read_back = read(signer(template, pem_of(RSA)).sign(), RSA, "RS256")
    assert read_back.claims["aud"] == ["api"]
    assert read_back.header["x5t#S256"] == "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"


def test_further_claims_replace_no_registered_one() -> None:
    template = TEMPLATE._replace(claims={"exp": 2**40, "iss": "another", "jti": "1"})
    claims = read(signer(template, pem_of(RSA)).sign(), RSA, "RS256").claims
    assert (claims["iss"], claims["exp"] - claims["iat"], len(claims["jti"])) == ("acme", 300, 36)


FORMS = {
    "PKCS #8": pem_of(RSA),
    "PKCS #1": pem_of(RSA, PrivateFormat.TraditionalOpenSSL),
    "Windows line ends": pem_of(RSA).replace("\n", "\r\n"),
    "line ends of a variable": pem_of(RSA).replace("\n", "\\n"),
    "blanks for line ends": pem_of(RSA).replace("\n", " "),
    "no line end at the end": pem_of(RSA).strip(),
    "behind a certificate": f"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n{pem_of(RSA)}",
    "with attributes in front": f"Bag Attributes\n    friendlyName: acme\n{pem_of(RSA)}",
}


@pytest.mark.parametrize("form", FORMS)
def test_a_key_is_read_in_every_form(form: str) -> None:
    assert read(signer(TEMPLATE, FORMS[form]).sign(), RSA, "RS256").claims["iss"] == "acme"


def test_an_ec_key_is_read_in_its_own_form_behind_its_parameters() -> None:
    pem = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
    pem += pem_of(EC["ES256"], PrivateFormat.TraditionalOpenSSL)
    assert read(signer(TEMPLATE._replace(alg="ES256"), pem).sign(), EC["ES256"], "ES256").claims["iss"] == "acme"


def test_a_key_is_a_member_of_a_json_secret() -> None:
    file = json.dumps({"type": "service_account", "nested": {"a/b": [pem_of(RSA)]}, "private_key": pem_of(RSA)})
    for at in ("/private_key", "/nested/a~1b/0"):
        assert read(signer(TEMPLATE, file, at=at).sign(), RSA, "RS256").claims["iss"] == "acme"


def _encrypted(form: PrivateFormat) -> str:
    return RSA.private_bytes(Encoding.PEM, form, BestAvailableEncryption(b"synthetic")).decode()


SMALL = rsa.generate_private_key(65537, 1024)
PUBLIC = RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
OTHER = ec.generate_private_key(ec.SECP256K1())
DAMAGED = pem_of(RSA)[:600] + pem_of(RSA)[640:]
NUMBERS = RSA.private_numbers()
MIXED = rsa.RSAPrivateNumbers(
    p=NUMBERS.p,
    q=NUMBERS.q,
    d=NUMBERS.d,
    dmp1=NUMBERS.dmp1,
    dmq1=NUMBERS.dmq1,
    iqmp=NUMBERS.iqmp,
    public_numbers=rsa.RSAPublicNumbers(17, NUMBERS.public_numbers.n),
).private_key(unsafe_skip_rsa_key_validation=True)
WRONG: dict[str, tuple[str | Callable[[], str], str, str]] = {
    "encrypted": (_encrypted(PrivateFormat.PKCS8), "RS256", "that a passphrase encrypts"),
    "encrypted, in OpenSSL's own form": (
        _encrypted(PrivateFormat.TraditionalOpenSSL),
        "RS256",
        "a passphrase encrypts",
    ),
    "OpenSSH": (pem_of(ED, PrivateFormat.OpenSSH), "EdDSA", "in another form than PKCS #8"),
    "a public key": (PUBLIC, "RS256", "holds a public key and no private key"),
    "no PEM": (pem_of(RSA).replace("-----", "----"), "RS256", "is no private key in PEM"),
    "no end": (pem_of(RSA)[:-20], "RS256", "whose end is missing"),
    "damaged": (DAMAGED, "RS256", "is a private key that is damaged"),
    "of the numbers of two keys": (pem_of(MIXED), "RS256", "is a private key that is damaged"),
    "no base64": (pem_of(RSA).replace("M", "*"), "RS256", "is a private key that is damaged"),
    "1024 bits": (pem_of(SMALL), "RS256", "is an RSA key of 1024 bits"),
    "RSA for ES256": (pem_of(RSA), "ES256", "is an RSA key, which doesn't sign ES256"),
    "another curve": (pem_of(EC["ES384"]), "ES256", "is an EC key on secp384r1, which doesn't sign ES256"),
    "a curve of no algorithm": (pem_of(OTHER), "ES256", "is an EC key on secp256k1"),
    "EC for RS256": (pem_of(EC["ES256"]), "RS256", "which doesn't sign RS256"),
    "EdDSA for ES256": (pem_of(ED), "ES256", "is an Ed25519 or Ed448 key, which doesn't sign ES256"),
    "DSA": (lambda: pem_of(dsa.generate_private_key(1024)), "RS256", "is a key of another kind"),
    "nothing": ("", "RS256", "is no private key in PEM"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_key_that_can_not_be_used_is_refused_without_showing_it(case: str) -> None:
    given, alg, words = WRONG[case]
    pem = given if isinstance(given, str) else given()
    with pytest.raises(ConnectionFailed) as raised:
        load_key(Secret(pem), alg, key="private_key")
    failure = raised.value
    assert (failure.fault.name, words in failure.message) == ("secret_malformed", True), failure.message
    assert "`private_key`" in failure.message
    for where, data in shown(failure):
        assert_no_key(pem, data, failure.hint, where=where)


@pytest.mark.parametrize("text", ["{", "[]", '{"private_key": 1}', '{"another": "x"}', "[" * 100_000])
def test_a_secret_without_the_member_is_refused(text: str) -> None:
    with pytest.raises(ConnectionFailed) as raised:
        load_key(Secret(text), "RS256", key="account", at="/private_key")
    assert raised.value.message == "the secret behind `account` is no JSON object with a text at /private_key"


@pytest.mark.parametrize("changes", [{"alg": "HS256"}, {"alg": "none"}, {"lifetime_s": 301}, {"lifetime_s": 0}])
def test_a_symmetric_or_long_lived_jwt_is_never_signed(changes: dict[str, Any]) -> None:
    with pytest.raises(InterfaceMisused):
        signer(TEMPLATE._replace(**changes), pem_of(RSA))


@pytest.mark.parametrize("thumbprint", ["0F", "x" * 64, "0F:" * 20])
def test_a_thumbprint_that_is_none_is_an_error(thumbprint: str) -> None:
    """SHA-1 fingerprints have 40 digits."""
    with pytest.raises(ConnectionFailed) as raised:
        signer(TEMPLATE._replace(thumbprint=thumbprint), pem_of(RSA))
    assert (raised.value.fault.name, "SHA-256" in raised.value.message) == ("config_invalid", True)


def test_a_bug_in_the_library_shows_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    made, pem = signer(TEMPLATE, pem_of(RSA)), pem_of(RSA)
    monkeypatch.setattr("jwt.encode", lambda *_args, **_more: 1 / 0)
    with pytest.raises(ZeroDivisionError) as raised:
        made.sign()
    for where, data in shown(raised.value):
        assert_no_key(pem, data, where=where)
    assert_no_key(pem, repr(made), str(made.binding))


def test_the_binding_is_plain_data() -> None:
    made = signer(TEMPLATE._replace(audience=("a",), claims={"scope": "x"}), pem_of(RSA))
    assert json.loads(json.dumps(made.binding)) == made.binding


def test_a_missing_library_is_named_by_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(ConnectionFailed) as raised:
        signer(TEMPLATE, pem_of(RSA))
    assert (raised.value.fault.name, raised.value.hint) == ("config_invalid", "pip install pyjwt")
    assert "`connform[jwt]`" in raised.value.message


def test_ed448_signs_as_well() -> None:
    key = ed448.Ed448PrivateKey.generate()
    assert signer(TEMPLATE._replace(alg="EdDSA"), pem_of(key)).sign().reveal().count(".") == 2
