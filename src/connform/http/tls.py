"""Turns certificate files into TLS contexts, one per set of files for the whole process.

Layer 1, reads certificate files. Building a context parses the whole trust store, which costs 17 ms and 0.85 MiB; all clients share it.
"""

from __future__ import annotations

import os
import ssl
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING, Final, NamedTuple

from connform.errors import ConnectionFailed
from connform.http.tls_socket import TLSSocket
from connform.process_local import ProcessLocal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from connform.http.settings import ClientSettings

_LOCK = ProcessLocal(Lock)
_HELD: Final[list[Lock]] = []
"""While a process forks: the lock."""
_LONGEST_BUILD_S: Final = 5.0
"""For which a fork waits."""


class _Trust(NamedTuple):
    """What makes one context differ from another."""

    ca_file: Path | None
    ca_pem: bytes | None
    client_cert: Path | None
    client_key: Path | None
    versions: tuple[tuple[int, int], ...]
    """Inode and time of each file: a certificate that was renewed gets a new context."""


def context_for(settings: ClientSettings) -> ssl.SSLContext:
    """Return the shared context that verifies the server of a connection.

    Raises:
        ConnectionFailed: `config_file_unreadable`.
    """
    if settings.network.ca_pem is not None:
        return _shared(_Trust(None, settings.network.ca_pem, None, None, ()))
    files = (settings.ca_file, settings.client_cert, settings.client_key)
    return _shared(_Trust(settings.ca_file, None, *files[1:], tuple(_version(file) for file in files if file)))


def context_for_proxy(settings: ClientSettings) -> ssl.SSLContext:
    """Return the shared context for an `https://` proxy: the same trust, and no client certificate."""
    ca_file = settings.ca_file
    return _shared(_Trust(ca_file, None, None, None, (_version(ca_file),) if ca_file else ()))


@lru_cache(maxsize=1)
def unverified() -> ssl.SSLContext:
    """Return the context that reads the certificate which was refused. Nothing is ever sent through it."""
    with _LOCK.own:
        context = _bare()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _shared(trust: _Trust) -> ssl.SSLContext:
    with _LOCK.own:  # otherwise a thousand threads would build a thousand at once
        return _build(trust)


@lru_cache(maxsize=128)
def _build(trust: _Trust) -> ssl.SSLContext:
    context = _bare()
    if trust.ca_pem is not None:
        context.load_verify_locations(cadata=trust.ca_pem.decode("ascii"))
    elif trust.ca_file is not None:
        _load(trust.ca_file, lambda file: context.load_verify_locations(cafile=file))
    else:
        _load_system_store(context)
    if trust.client_cert is not None:
        key = trust.client_key
        _load(trust.client_cert, lambda file: context.load_cert_chain(file, key, password=_no_password))
    return context


def _hold() -> None:
    """Let no thread build a context during a fork: in the child, OpenSSL's own locks would stay taken for good."""
    lock = _LOCK.own
    if lock.acquire(timeout=_LONGEST_BUILD_S):
        _HELD.append(lock)


def _let_go() -> None:
    if _HELD:
        _HELD.pop().release()


if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(before=_hold, after_in_parent=_let_go, after_in_child=_let_go)


def _bare() -> ssl.SSLContext:
    """Return a context that verifies; unlike those of `create_default_context` and httpx, it writes no SSLKEYLOGFILE."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.sslsocket_class = TLSSocket
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    return context


def _load_system_store(context: ssl.SSLContext) -> None:
    context.load_default_certs()
    if context.cert_store_stats()["x509_ca"]:
        return
    directory = ssl.get_default_verify_paths().capath  # OpenSSL reads it on demand: the statistics don't count it
    if not (directory and os.path.isdir(directory) and os.listdir(directory)):  # noqa: PTH112, PTH208  (pathlib would cost start-up)
        import certifi

        context.load_verify_locations(cafile=certifi.where())


def _load(file: Path, load: Callable[[Path], None]) -> None:
    try:
        load(file)
    except OSError as error:
        why = error.strerror if not isinstance(error, ssl.SSLError) else "it holds no usable PEM certificate or key"
        raise ConnectionFailed("config_file_unreadable", f"{file}: {why}") from None


def _version(file: Path) -> tuple[int, int]:
    try:
        status = file.stat()
    except OSError as error:
        raise ConnectionFailed("config_file_unreadable", f"{file}: {error.strerror}") from None
    return status.st_ino, status.st_mtime_ns


def _no_password() -> str:
    """Answer instead of a person: OpenSSL would ask for the password of an encrypted key on the terminal."""
    return ""
