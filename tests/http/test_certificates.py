"""Which certificates are trusted, and what is said of those that are not, and of files that OpenSSL does not take."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from connform.errors import ConnectionFailed
from connform.http import sync_client
from connform.http.settings import ClientSettings
from tests.http.exchanging import Mode, exchange, settings_for
from tests.http.servers import HOST, Server, answer

PASS_PHRASE = b"synthetic"


class Issued(NamedTuple):
    """A certificate with its private key."""

    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
    certificate: x509.Certificate

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    def key_pem(self, pass_phrase: bytes = b"", form: PrivateFormat = PrivateFormat.PKCS8) -> bytes:
        sealed = BestAvailableEncryption(pass_phrase) if pass_phrase else NoEncryption()
        return self.key.private_bytes(Encoding.PEM, form, sealed)


def issue(
    name: str, by: Issued | None = None, *, days: int = 365, purpose: x509.ObjectIdentifier | None = None, bits: int = 0
) -> Issued:
    """Issue a certificate: that of an authority, where `name` is no host."""
    key = rsa.generate_private_key(65537, bits) if bits else ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    ends_at = datetime.now(UTC) + timedelta(days=days)
    is_host = name == HOST
    builder = (
        x509.CertificateBuilder(by.certificate.subject if by else subject, subject, key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(ends_at - timedelta(days=800))
        .not_valid_after(ends_at)
        .add_extension(x509.BasicConstraints(ca=not is_host, path_length=None), critical=True)
    )
    if is_host:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
    if purpose:
        builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
    return Issued(key, builder.sign(by.key if by else key, hashes.SHA256()))


ROOT = issue("Acme Root")
ISSUING = issue("Acme Issuing CA 1", ROOT)
SITE = issue(HOST, ISSUING)
OLD = issue("Old Root", days=-10)


def serve(folder: Path, *chain: Issued) -> Server:
    (folder / "server.pem").write_bytes(b"".join(one.pem for one in chain) + chain[0].key_pem())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.load_cert_chain(folder / "server.pem")
    return Server(answer(), tls=context)


@pytest.mark.parametrize(
    "trusted", [ROOT, ISSUING, SITE], ids=["the root", "the issuing authority", "the server's own certificate"]
)
def test_any_certificate_of_the_chain_may_be_trusted(mode: Mode, tmp_path: Path, trusted: Issued) -> None:
    (tmp_path / "ca.pem").write_bytes(trusted.pem)
    with serve(tmp_path, SITE, ISSUING) as server:
        ended = exchange(mode, settings_for(server, ca_file=tmp_path / "ca.pem"))
    assert ended.response is not None, ended.error


REFUSED: dict[str, tuple[Issued, Issued, str, str, str]] = {
    "the certificate has expired": (
        issue(HOST, ROOT, days=-1), ROOT, "tls_cert_expired", f"the certificate of {HOST} has expired", "renewed",
    ),
    "its authority has expired": (
        issue(HOST, OLD), OLD, "tls_untrusted_issuer", "that of an authority above it has expired", "renewed authority",
    ),
    "it is for clients": (
        issue(HOST, ROOT, purpose=ExtendedKeyUsageOID.CLIENT_AUTH), ROOT, "tls_untrusted_issuer", "purpose", "serverAuth",
    ),
    "its key is short": (issue(HOST, ROOT, bits=1024), ROOT, "tls_untrusted_issuer", "too weak", "a longer key"),
    "nobody trusts it": (SITE, issue("Other"), "tls_untrusted_issuer", "Acme Issuing CA 1", "ca_file"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_a_refusal_says_what_is_wrong_and_what_helps(mode: Mode, tmp_path: Path, case: str) -> None:
    site, trusted, fault, words, hint = REFUSED[case]
    (tmp_path / "ca.pem").write_bytes(trusted.pem)
    with serve(tmp_path, site) as server:
        ended = exchange(mode, settings_for(server, ca_file=tmp_path / "ca.pem"))
    assert isinstance(ended.error, ConnectionFailed)
    assert (ended.fault, words in ended.error.message) == (fault, True), ended.error
    assert hint in ended.error.hint


KEYS: dict[str, tuple[Callable[[], bytes], str, str]] = {
    "encrypted": (lambda: SITE.key_pem(PASS_PHRASE), "its private key is encrypted", "openssl pkey -in"),
    "encrypted, in the older form": (
        lambda: SITE.key_pem(PASS_PHRASE, PrivateFormat.TraditionalOpenSSL), "its private key is encrypted", "openssl pkey -in",
    ),
    "of another certificate": (ROOT.key_pem, "its key is not that of the certificate in", "correct its path"),
    "in DER": (
        lambda: SITE.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()), "it is DER", "openssl pkey -inform der",
    ),
    "a certificate": (lambda: SITE.pem, "it holds no private key in PEM", "correct its path"),
    "rubbish": (lambda: b"rubbish", "it holds no private key in PEM", "correct its path"),
}  # fmt: skip


@pytest.mark.parametrize("case", KEYS)
def test_a_key_that_is_not_taken_is_named_itself(tmp_path: Path, case: str) -> None:
    content, words, hint = KEYS[case]
    certificate, key = tmp_path / "client.pem", tmp_path / "client.key"
    certificate.write_bytes(SITE.pem)
    key.write_bytes(content())
    with pytest.raises(ConnectionFailed) as caught:
        sync_client(ClientSettings(f"https://{HOST}", client_cert=certificate, client_key=key))
    assert caught.value.fault.name == "config_file_unreadable"
    assert caught.value.message.startswith(f"{key}: {words}")
    assert hint in caught.value.hint


CERTIFICATES: dict[str, tuple[bytes, str]] = {
    "in DER": (SITE.certificate.public_bytes(Encoding.DER), "it is DER"),
    "a key": (SITE.key_pem(), "it holds no certificate in PEM"),
    "cut": (SITE.pem[:200] + b"\n-----END CERTIFICATE-----\n", ""),
}


@pytest.mark.parametrize("case", CERTIFICATES)
def test_a_certificate_that_is_not_taken_is_named_itself(tmp_path: Path, case: str) -> None:
    content, words = CERTIFICATES[case]
    certificate, key = tmp_path / "client.pem", tmp_path / "client.key"
    certificate.write_bytes(content)
    key.write_bytes(SITE.key_pem())
    with pytest.raises(ConnectionFailed) as caught:
        sync_client(ClientSettings(f"https://{HOST}", client_cert=certificate, client_key=key))
    assert caught.value.message.startswith(f"{certificate}: {words}")
