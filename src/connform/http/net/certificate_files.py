"""Reads certificate and key files; errors name the file. Layer 1; reads files, waits for no pipe or device."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from connform.errors import ConnectionFailed
from connform.http.net.descriptors import hint_for
from connform.regular_files import read_regular, require_regular

_FAULT = "config_file_unreadable"
_MAX_BYTES = 8 * 1024 * 1024
"""A bundle of all public authorities has 0.25 MiB."""
_NO_PEM = "it holds no usable PEM certificate or key"
_ENCRYPTED = re.compile(rb"BEGIN ENCRYPTED PRIVATE KEY|^Proc-Type: 4,ENCRYPTED", re.MULTILINE)
_DER_SEQUENCE = b"\x30"


@contextmanager
def file_errors(file: Path | None) -> Iterator[None]:
    """Raise `config_file_unreadable` instead of the errors of a file that is read inside."""
    try:
        yield
    except OSError as error:
        reason = _NO_PEM if isinstance(error, ssl.SSLError) else error.strerror
        if hint := hint_for(error):  # not of the file: a later try may end otherwise
            raise ConnectionFailed("tcp_unreachable", f"{file}: {reason}", hint) from None
        raise ConnectionFailed(_FAULT, f"{file}: {reason}") from None
    except ValueError:  # OpenSSL got no certificate at all
        raise ConnectionFailed(_FAULT, f"{file}: {_NO_PEM}") from None


def read_certificates(file: Path) -> bytes:
    """Return the content of a file of certificates; it is read again where it is another version.

    Raises:
        ConnectionFailed: `config_file_unreadable`.
    """
    return _content(file, file_version(file))


@lru_cache(maxsize=64)  # thousands of connections may name one file
def _content(file: Path, _version: tuple[int, int]) -> bytes:
    with file_errors(file):
        return read_regular(file, _MAX_BYTES)


def file_version(file: Path) -> tuple[int, int]:
    """Return inode and modification time of a file of certificates or keys, after making sure that it is a regular file.

    Raises:
        ConnectionFailed: `config_file_unreadable`.
    """
    with file_errors(file):
        status = require_regular(file, _MAX_BYTES)
    if not status.st_size:  # files of /proc have this size too, and may have no end
        raise ConnectionFailed(_FAULT, f"{file}: {_NO_PEM}")
    return status.st_ino, status.st_mtime_ns


def load_own_certificate(context: ssl.SSLContext, certificate: Path, key: Path | None) -> None:
    """Load the certificate chain and private key that this side shows; nobody is asked for a pass phrase.

    Args:
        context: the TLS context.
        certificate: PEM file with the chain.
        key: PEM file with the private key; `None` if `certificate` holds it.

    Raises:
        ConnectionFailed: `config_file_unreadable`, with the file that is wrong and what is wrong with it.
    """
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
    except (OSError, ValueError) as error:
        with file_errors(certificate):
            _require_pem(certificate, b"CERTIFICATE-----", "certificate", "x509")
        key = key or certificate
        with file_errors(key):
            _require_pem(key, b"PRIVATE KEY-----", "private key", "pkey")
        if isinstance(error, ssl.SSLError) and error.reason == "KEY_VALUES_MISMATCH":
            raise ConnectionFailed(_FAULT, f"{key}: its key is not that of the certificate in {certificate}") from None
        reason = (error.reason or _NO_PEM) if isinstance(error, ssl.SSLError) else _NO_PEM
        raise ConnectionFailed(_FAULT, f"{certificate}: {reason.replace('_', ' ').lower()}") from None


def _require_pem(file: Path, label: bytes, kind: str, command: str) -> None:
    content = read_regular(file, _MAX_BYTES)
    if label not in content:
        if content.startswith(_DER_SEQUENCE):
            hint = f"convert it: openssl {command} -inform der -in {file} -out {file.stem}.pem"
            raise ConnectionFailed(_FAULT, f"{file}: it is DER, where PEM is expected", hint)
        raise ConnectionFailed(_FAULT, f"{file}: it holds no {kind} in PEM" if content else f"{file}: it is empty")
    if label.startswith(b"PRIVATE") and _ENCRYPTED.search(content):
        hint = f"name a key without a pass phrase: openssl pkey -in {file} -out key.pem"
        message = f"{file}: its private key is encrypted, and nobody is asked for a pass phrase"
        raise ConnectionFailed(_FAULT, message, hint)


def _no_password() -> str:
    """Return an empty password; otherwise OpenSSL would ask on the terminal for the password of an encrypted key."""
    return ""
