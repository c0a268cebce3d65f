"""The certificate of a monitor's server, read anew when it was renewed. Layer 4; IO: its files."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable

from connform.errors import ConnformError


class CertificateUnreadable(ConnformError):
    """Certificate and private key can't be used together."""


class ServerCertificate:
    """A certificate with its private key; handshakes use those that were read last."""

    def __init__(self, certificate: str, key: str, log: Callable[[str], None]) -> None:
        """Read the files, PEM.

        Raises:
            CertificateUnreadable: they can't be used.
        """
        self._files = certificate, key
        self._log = log
        self._seen = self._stamps()
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        """For the server's sockets."""
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._load(self.context)

    def read_anew(self) -> None:
        """Read the files if they changed; where they can't be used, the former ones stay."""
        stamps = self._stamps()
        if stamps == self._seen:
            return
        self._seen = stamps
        try:
            self._load(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))  # first: a context that fails half-way is of no use
            self._load(self.context)
            self._log(f"read {self._files[0]} anew")
        except CertificateUnreadable as error:
            self._log(f"the former certificate stays in use: {error}")

    def _load(self, context: ssl.SSLContext) -> None:
        certificate, key = self._files
        try:
            for path in self._files:
                with open(path, "rb"):  # noqa: PTH123  (OpenSSL's error doesn't name the file)
                    pass
            context.load_cert_chain(certificate, key, password=_no_password)
        except ssl.SSLError as error:
            reason = (
                error.reason or "a certificate and its private key are needed, PEM; --tls-key names the file of the key"
            )
            raise CertificateUnreadable(f"{_names(certificate, key)} can't be used: {reason}") from None
        except OSError as error:
            raise CertificateUnreadable(f"{error.filename} can't be read: {error.strerror}") from None
        except ValueError as error:
            raise CertificateUnreadable(f"{_names(certificate, key)} can't be used: {error}") from None

    def _stamps(self) -> list[tuple[int, ...]]:
        return [_stamp(path) for path in self._files]


def _names(certificate: str, key: str) -> str:
    return certificate if certificate == key else f"{certificate} and {key}"


def _no_password() -> str:
    """Let a private key that is encrypted fail; else OpenSSL would ask at the terminal."""
    raise ValueError("the private key is encrypted")


def _stamp(path: str) -> tuple[int, ...]:
    try:
        status = os.stat(path)  # noqa: PTH116  (as for `read_regular`)
    except OSError:
        return ()
    return status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size
