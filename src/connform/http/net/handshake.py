"""Result of a TLS handshake: facts of the connection for the report, or the fault of a failure.

Layer 1, no IO.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from connform.http import failures

if TYPE_CHECKING:
    from cryptography import x509

_EXPIRED = 10  # X509_V_ERR_…, openssl/x509_vfy.h
_NOT_YET_VALID = 9
_WRONG_HOST = {62, 64}
_OTHER_HINTS = {
    26: "the server needs a certificate for servers (extended key usage `serverAuth`)",
    66: "the server needs a certificate with a longer key",
    67: "an authority above the server's certificate needs a longer key",
    68: "an authority above the server's certificate signs with a digest that is too weak, such as SHA-1",
}
"""Hints for refusals that no `ca_file` cures."""
_NOT_TLS_REASONS = {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "HTTPS_PROXY_REQUEST", "UNKNOWN_PROTOCOL", "PACKET_LENGTH_TOO_LONG",
                   "RECORD_LAYER_FAILURE", "BAD_RECORD_TYPE", "UNEXPECTED_MESSAGE"}  # fmt: skip
_DATA_BEFORE_HANDSHAKE = "before TLS handshake with data"
"""Part of the `ssl` module's message where a server sends data before the handshake, and closes."""
_CLIENT_CERTIFICATE_HINTS = {
    "CERTIFICATE_EXPIRED": "the certificate in `tls: {client_cert}` has expired: renew it",
    "CERTIFICATE_REVOKED": "the certificate in `tls: {client_cert}` was revoked: have another one issued",
    "UNKNOWN_CA": "the server does not know the authority that issued the certificate in `tls: {client_cert}`",
}
"""Hints for what a server says of a client certificate (RFC 8446 §6.2)."""
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_KNOWN_FACTS: dict[bytes, Mapping[str, object]] = {}
"""The facts of certificates (DER) that were seen: thousands of connections may meet the same one, and to read it takes 40 µs."""
_MAX_KNOWN = 64
_MAX_NAMES = 5
_MAX_CHARACTERS = 80


def facts(connection: ssl.SSLSocket | ssl.SSLObject) -> Mapping[str, object]:
    """Return the facts of a TLS connection for a report."""
    der = connection.getpeercert(binary_form=True) or b""
    known = _KNOWN_FACTS.get(der)
    if known is None:
        if len(_KNOWN_FACTS) >= _MAX_KNOWN:
            _KNOWN_FACTS.clear()
        known = _KNOWN_FACTS[der] = _facts_of(connection.getpeercert() or {})
    return {"tls_version": connection.version() or "", **known}


def _facts_of(certificate: Mapping[str, Any]) -> Mapping[str, object]:
    expires_at = _time_of(certificate["notAfter"]).isoformat() if "notAfter" in certificate else ""
    issuer = {key: value for names in certificate.get("issuer", ()) for key, value in names}
    shown_issuer = _printable(issuer.get("organizationName") or issuer.get("commonName") or "")
    return {"cert_expires_at": expires_at, "cert_issuer": shown_issuer}


def _time_of(text: str) -> datetime:
    """Return the time in a certificate as the `ssl` module shows it, `Jan  5 09:34:43 2027 GMT`; `strptime` takes ten times as long."""
    month, day, time, year, _ = text.split()
    hour, minute, second = time.split(":")
    at = _MONTHS.index(month) + 1
    return datetime(int(year), at, int(day), int(hour), int(minute), int(second), tzinfo=UTC)


def needs_certificate(error: OSError | ValueError) -> bool:
    """Return whether the failure depends on the refused certificate: on its issuer, its hosts, or its dates."""
    return isinstance(error, ssl.SSLCertVerificationError)


def failure(error: OSError | ValueError, host: str, certificate: bytes | None = None) -> failures.RequestFailed:
    """Return the failure for an error of a handshake.

    Args:
        error: what the `ssl` module raised.
        host: the host whose certificate was expected.
        certificate: the refused certificate in DER; `None` where it could not be read.
    """
    match error:
        case TimeoutError():
            return failures.RequestTimedOut("tls_timeout", f"{host} did not finish the TLS handshake in time")
        case ssl.SSLCertVerificationError():
            return _certificate_failure(error, host, certificate)
        case ssl.SSLEOFError() | ssl.SSLZeroReturnError():
            pass  # closed by the server: the same fault as a reset
        case ssl.SSLError(reason=reason) if reason in _NOT_TLS_REASONS or _DATA_BEFORE_HANDSHAKE in str(reason):
            return failures.RequestFailed("tls_not_tls", f"{host} does not speak TLS on this port")
        case ssl.SSLError(reason=reason):
            message = f"{host} and this machine found no common TLS: {_reason_text(reason)}"
            return failures.RequestFailed("tls_protocol", message, _client_certificate_hint(reason))
        case ValueError():  # a host name that OpenSSL won't take
            return failures.RequestFailed("tls_wrong_host", f"no certificate can belong to {host!r}")
    return failures.RequestFailed("tls_reset", f"the connection to {host} was cut during the TLS handshake")


def alert_failure(error: ssl.SSLError, host: str) -> failures.RequestFailed | None:
    """Return the failure for a TLS alert after the handshake, else `None`.

    With TLS 1.3, a server refuses a missing client certificate only then.
    """
    if error.reason and "ALERT" in error.reason:
        message = f"{host} ended the TLS connection: {_reason_text(error.reason)}"
        return failures.RequestFailed("tls_protocol", message, _client_certificate_hint(error.reason), sent=True)
    return None


def _certificate_failure(error: ssl.SSLCertVerificationError, host: str, der: bytes | None) -> failures.RequestFailed:
    code, reason, hint = error.verify_code, error.verify_message, _OTHER_HINTS.get(error.verify_code, "")
    if code in _WRONG_HOST:
        names = _certificate_names(der)
        return failures.RequestFailed(
            "tls_wrong_host", f"the certificate is not for {host}" + (f" but for {names}" if names else "")
        )
    if code in {_EXPIRED, _NOT_YET_VALID}:
        fault, dates = (
            ("tls_cert_expired", "has expired") if code == _EXPIRED else ("tls_cert_not_yet_valid", "is not valid yet")
        )
        if not _is_in_force(der):
            return failures.RequestFailed(fault, f"the certificate of {host} {dates}")
        reason = f"that of an authority above it {dates}"
        hint = "name the renewed authority in `tls: {ca_file: …}`; where it stands there, the server sends an old one"
    issuer = _issuer_name(der)
    by = f", issued by {issuer}," if issuer else ""
    return failures.RequestFailed(
        "tls_untrusted_issuer", f"the certificate of {host}{by} is not trusted: {reason}", hint
    )


def _is_in_force(der: bytes | None) -> bool:
    """Return whether today is within the dates of the server's own certificate; false if that could not be read."""
    certificate = _parse(der)
    return certificate is not None and (
        certificate.not_valid_before_utc <= datetime.now(UTC) <= certificate.not_valid_after_utc
    )


def _issuer_name(der: bytes | None) -> str:
    certificate = _parse(der)
    if certificate is None:
        return ""
    from cryptography.x509.oid import NameOID

    parts = [
        attribute.value
        for oid in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME)
        for attribute in certificate.issuer.get_attributes_for_oid(oid)[:1]
    ]
    return _printable(", ".join(str(part) for part in parts)) or "nobody"


def _certificate_names(der: bytes | None) -> str:
    certificate = _parse(der)
    if certificate is None:
        return ""
    from cryptography import x509

    try:
        alternatives = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return ""
    names = [_printable(str(name.value)) for name in alternatives if isinstance(name, x509.DNSName | x509.IPAddress)]
    return ", ".join(names[:_MAX_NAMES]) + (", …" if len(names) > _MAX_NAMES else "")


def _parse(der: bytes | None) -> x509.Certificate | None:
    if der is None:
        return None
    from cryptography import x509

    try:
        return x509.load_der_x509_certificate(der)
    except ValueError:
        return None


def _printable(text: str) -> str:
    """Return text of a certificate, shortened, with every character that can't be printed replaced."""
    text = text[:_MAX_CHARACTERS]
    return text if text.isprintable() else "".join(one if one.isprintable() else "?" for one in text)


def _client_certificate_hint(reason: str | None) -> str:
    return next((hint for alert, hint in _CLIENT_CERTIFICATE_HINTS.items() if (reason or "").endswith(alert)), "")


def _reason_text(reason: str | None) -> str:
    return (reason or "handshake failure").replace("_", " ").lower()
