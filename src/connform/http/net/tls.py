"""TLS contexts of clients, cached in the process: the latest one of each set of certificate files.

Layer 1, reads certificate files. Building a context parses the whole trust store, which takes 17 ms and 0.85 MiB.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import NamedTuple

from connform.errors import ConnectionFailed
from connform.http.net.certificate_files import file_errors, file_version, load_own_certificate, read_certificates
from connform.http.net.tls_socket import TLSSocket
from connform.http.settings import ClientSettings
from connform.process_local import ProcessLocal

_LOCK = ProcessLocal(Lock)
_ACQUIRED: list[Lock] = []
"""Holds the lock while the process forks, if it could be acquired; else empty."""
_MAX_FORK_WAIT_S = 5.0
"""How long a fork waits for the lock."""
_OPENSSL_FORMAT = b"BEGIN TRUSTED CERTIFICATE"
"""OpenSSL's own format, which adds purposes; OpenSSL loads it from files only."""


class _ContextKey(NamedTuple):
    """Key of the cache of contexts."""

    ca_file: Path | None
    ca_pem: bytes | None
    """The content of `ca_file`, read before the lock is acquired."""
    client_cert: Path | None = None
    client_key: Path | None = None
    versions: tuple[tuple[int, int], ...] = ()
    """Inode and modification time of the two client files: a renewed certificate gets a new context."""
    trusts_system: bool = False


class _LatestContext:
    """The context of a set of files as they were last; its predecessors, almost a MiB each, end with their connections."""

    value: tuple[_ContextKey, ssl.SSLContext] | None = None


class RenewedContext:
    """A context for new connections: another one where a certificate file has changed since. Threads may share it."""

    def __init__(self, make: Callable[[], ssl.SSLContext]) -> None:
        """Make the context.

        Raises:
            ConnectionFailed: `config_file_unreadable`.
        """
        self._make = make
        self._context = make()

    @property
    def current(self) -> ssl.SSLContext:
        """The context of the files as they are now; the last one while they can't be used, as in the middle of a renewal."""
        with suppress(ConnectionFailed):
            self._context = self._make()
        return self._context


def context_for(settings: ClientSettings) -> ssl.SSLContext:
    """Return the shared context that verifies the server of a connection.

    Raises:
        ConnectionFailed: `config_file_unreadable`.
    """
    if settings.network.ca_pem is not None:
        return _cached_context(_ContextKey(None, settings.network.ca_pem))
    client_files = (settings.client_cert, settings.client_key)
    return _cached_context(
        _ContextKey(
            *_authority(settings),
            *client_files,
            tuple(file_version(file) for file in client_files if file),
            settings.trusts_system and settings.ca_file is not None,
        )
    )


def context_for_proxy(settings: ClientSettings) -> ssl.SSLContext:
    """Return the shared context for an `https://` proxy: the same authorities, and no client certificate."""
    return _cached_context(_ContextKey(*_authority(settings)))


def _authority(settings: ClientSettings) -> tuple[Path | None, bytes | None]:
    """Return the file of trusted certificates and its content; `None` twice for the system's."""
    file = settings.ca_file
    return file, None if file is None else read_certificates(file)


@lru_cache(maxsize=1)
def unverified_context() -> ssl.SSLContext:
    """Return a context without verification, to read a refused certificate. No request is sent through it."""
    with _LOCK.own:
        context = _empty_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _cached_context(key: _ContextKey) -> ssl.SSLContext:
    files = key._replace(ca_pem=None if key.ca_file else key.ca_pem, versions=())
    with _LOCK.own:  # otherwise many threads would build the same context at once
        latest = _latest_context(files)
        if latest.value is None or latest.value[0] != key:
            latest.value = key, _build(key)
        return latest.value[1]


@lru_cache(maxsize=128)
def _latest_context(_files: _ContextKey) -> _LatestContext:
    return _LatestContext()


def _build(key: _ContextKey) -> ssl.SSLContext:
    context = _empty_context()
    file, pem = key.ca_file, key.ca_pem
    if file is not None and pem is not None and _OPENSSL_FORMAT in pem:
        with file_errors(file):
            context.load_verify_locations(cafile=file)
    elif pem is not None:
        with file_errors(file):
            context.load_verify_locations(
                cadata=pem.decode("ascii", "ignore")
            )  # non-ASCII text occurs in comments only
    if pem is None or key.trusts_system:
        _load_system_store(context)
    if key.client_cert is not None:
        load_own_certificate(context, key.client_cert, key.client_key)
    return context


def _acquire_lock() -> None:
    """Acquire the lock before a fork: OpenSSL's locks that a thread holds then would stay locked in the child."""
    lock = _LOCK.own
    if lock.acquire(timeout=_MAX_FORK_WAIT_S):
        _ACQUIRED.append(lock)


def _release_lock() -> None:
    if _ACQUIRED:
        _ACQUIRED.pop().release()


if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(before=_acquire_lock, after_in_parent=_release_lock, after_in_child=_release_lock)


def _empty_context() -> ssl.SSLContext:
    """Return a verifying context without certificates; unlike `create_default_context`, it writes no SSLKEYLOGFILE."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.sslsocket_class = TLSSocket
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_flags |= (
        ssl.VERIFY_X509_PARTIAL_CHAIN
    )  # an issuing authority is trusted without its root, as by curl
    context.set_alpn_protocols(["http/1.1"])
    return context


def _load_system_store(context: ssl.SSLContext) -> None:
    context.load_default_certs()
    if context.cert_store_stats()["x509_ca"]:
        return
    directory = ssl.get_default_verify_paths().capath  # read on demand: the statistics don't count it
    if not (directory and os.path.isdir(directory) and os.listdir(directory)):  # noqa: PTH112, PTH208  (pathlib would cost start-up)
        import certifi

        context.load_verify_locations(cafile=certifi.where())
