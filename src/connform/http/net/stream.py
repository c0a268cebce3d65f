"""A TCP connection to a host, with TLS after `start_tls`: its operations are steps, and each failure has a fault.

Layer 1, uses the network. The `ssl` module runs on the non-blocking socket itself.
"""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Callable
from functools import partial
from math import inf
from time import monotonic
from typing import Any, TypeVar

from connform.http import failures
from connform.http.net import deadline, handshake, tls
from connform.http.net.descriptors import close_in_child
from connform.http.net.dial_context import DialContext
from connform.http.net.steps import Ready, Steps, ready_now
from connform.http.net.tunnel import Tunnel
from connform.http.request_log import current

T = TypeVar("T")


class TCPStream:
    """A TCP connection; with TLS after `start_tls` or `secure`."""

    def __init__(self, sock: socket.socket, dial_context: DialContext, host: str) -> None:
        self._sock = sock
        self._dial_context = dial_context
        self._host = host
        self._opened_by = os.getpid()
        self.redial: Callable[[], Steps[TCPStream]] | None = None
        """Opens another connection to the same server, which no observer sees."""

    def read(self, max_bytes: int, timeout_s: float | None) -> Steps[bytes]:
        """Return the next bytes; empty at the end."""
        self._require_own_process()
        try:
            return (yield from self._when_ready(partial(self._sock.recv, max_bytes), timeout_s))
        except OSError as error:
            raise _exchange_failure(error, self._host) from None

    def write(self, data: bytes, timeout_s: float | None) -> Steps[None]:
        """Send all of `data`; the time-out is that of each part."""
        self._require_own_process()
        rest = memoryview(data)
        try:
            while rest:
                sent = yield from self._when_ready(partial(self._sock.send, rest), timeout_s, for_writing=True)
                rest = rest[sent:]
        except TimeoutError as error:
            raise _exchange_failure(error, self._host) from None
        except OSError:  # httpcore then reads: the server may have answered before it cut the connection
            raise failures.WriteError from None

    def close(self) -> None:
        """Close the socket."""
        self._sock.close()

    def get_extra_info(self, name: str) -> Any:
        """Return a property of the connection, as `get_extra_info` of httpcore's streams."""
        match name:
            case "is_readable":  # where an idle connection has data to read, the server has ended it
                return self._sock.fileno() < 0 or bool(ready_now([self._sock], for_writing=False))
            case "ssl_object":
                return self._sock if isinstance(self._sock, ssl.SSLSocket) else None
            case "client_addr":
                return self._sock.getsockname()
            case "server_addr":
                return self._sock.getpeername()
            case "socket":
                return self._sock
        return None

    def start_tls(
        self, context: ssl.SSLContext, host: str | None, timeout_s: float | None
    ) -> Steps[TCPStream | Tunnel]:
        """Return a connection with TLS over this one, and report it to the observer."""
        started_at = monotonic()
        secured = yield from self.secure(context, host or self._host, timeout_s)
        self._dial_context.report_tls(started_at, secured.get_extra_info("ssl_object"))
        return secured

    def secure(self, context: ssl.SSLContext, host: str, timeout_s: float | None) -> Steps[TCPStream | Tunnel]:
        """Return a connection with TLS over this one."""
        self._host = host
        try:
            if isinstance(self._sock, ssl.SSLSocket):
                tunnel = Tunnel(self, context, host)
                yield from tunnel.handshake(timeout_s)
                return tunnel
            name = host.encode("ascii")  # a str is sent through the idna codec, whose import takes 13 ms
            sock = context.wrap_socket(self._sock, server_hostname=name, do_handshake_on_connect=False)
            self._sock = close_in_child(sock)
            yield from self._when_ready(sock.do_handshake, timeout_s)
        except (OSError, ValueError) as error:
            self.close()
            needs_certificate = handshake.needs_certificate(error)
            certificate = (yield from self._refused_certificate(host, timeout_s)) if needs_certificate else None
            raise handshake.failure(error, host, certificate) from None
        except BaseException:
            self.close()
            raise
        return self

    def _refused_certificate(self, host: str, timeout_s: float | None) -> Steps[bytes | None]:
        """Return the refused certificate (DER), from a second handshake without verification and without a request."""
        if self.redial is None:
            return None
        if log := current():
            log.write("connects once more, to read the refused certificate; no request is sent")
        try:
            stream = yield from self.redial()
            try:
                secured = yield from stream.secure(tls.unverified_context(), host, timeout_s)
                der: bytes | None = secured.get_extra_info("ssl_object").getpeercert(binary_form=True)
                return der
            finally:
                stream.close()
        except (OSError, failures.RequestFailed):
            return None

    def _when_ready(
        self, operation: Callable[[], T], timeout_s: float | None, *, for_writing: bool = False
    ) -> Steps[T]:
        """Return the result of an operation, which is repeated until the socket is ready for it; raises OSError.

        It is tried before any waiting, because TLS may hold bytes that the socket no longer has.
        """
        ends_at = deadline.end_of(inf if timeout_s is None else timeout_s)
        is_over = ends_at <= monotonic()
        while not is_over:
            try:
                return operation()
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError) as error:
                writes = isinstance(error, ssl.SSLWantWriteError) or (
                    for_writing and isinstance(error, BlockingIOError)
                )
            is_over = not (yield Ready([self._sock], ends_at, for_writing=writes))
        raise TimeoutError

    def _require_own_process(self) -> None:
        """Make sure that this process opened the connection.

        A forked child would read its parent's answers, or send into its parent's requests.
        """
        if self._opened_by != os.getpid():
            message = f"the connection to {self._host} belongs to the process that this one was forked from"
            raise failures.RequestFailed(
                "http_bad_reply", message, "send the request in the process that reads its answer"
            )


def _exchange_failure(error: OSError, host: str) -> failures.RequestFailed:
    """Return the failure for an error of the socket during an HTTP exchange with `host`."""
    if isinstance(error, TimeoutError):
        if deadline.is_spent():
            return failures.RequestTimedOut(
                "http_deadline", f"the exchange with {host} took longer than its total time-out"
            )
        return failures.RequestTimedOut("http_timeout", f"{host} was silent for too long")
    if isinstance(error, ssl.SSLError) and (alert := handshake.alert_failure(error, host)):
        return alert
    return failures.RequestFailed("http_bad_reply", f"{host} cut the connection before its answer was complete")
