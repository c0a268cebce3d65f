"""Non-blocking sockets for asyncio and trio: connect, TLS handshake, retry when the socket is ready.

Layer 1, uses the network.
"""

from __future__ import annotations

import errno
import os
import socket
import ssl
from collections.abc import Awaitable, Callable
from typing import TypeAlias, TypeVar

import anyio
import anyio.lowlevel

from connform.http.net import deadline
from connform.http.net.descriptors import close_in_child
from connform.http.net.resolver import Endpoint

T = TypeVar("T")
_Wait: TypeAlias = "Callable[[int], Awaitable[None]]"
"""Waits for a descriptor. Given a socket, asyncio would format its `repr` each time, which takes two system calls."""
_WOULD_BLOCK = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


async def connect(endpoint: Endpoint, timeout_s: float | None) -> socket.socket:
    """Return a connected socket; raises OSError."""
    sock = close_in_child(socket.socket(endpoint.family, socket.SOCK_STREAM))
    try:
        sock.settimeout(0)
        with anyio.fail_after(timeout_s):
            try:
                sock.connect(endpoint.address)
            except BlockingIOError:
                await anyio.wait_writable(sock.fileno())
                code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if code not in {0, errno.ECONNRESET}:  # after a reset, the next stage fails
                    raise OSError(code, os.strerror(code)) from None  # a ConnectionRefusedError, …
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        sock.close()
        raise
    return sock


async def secure(sock: socket.socket, context: ssl.SSLContext, host: str, timeout_s: float | None) -> ssl.SSLSocket:
    """Return `sock` with TLS; if the handshake fails, it is closed."""
    secured = close_in_child(context.wrap_socket(sock, server_hostname=host, do_handshake_on_connect=False))
    try:
        with anyio.fail_after(deadline.allow(timeout_s)):
            await _retry(secured.do_handshake, secured)
    except BaseException:
        secured.close()
        raise
    return secured


async def when_ready(operation: Callable[[], T], sock: socket.socket, timeout_s: float | None, wait: _Wait) -> T:
    """Return the result of `operation`, repeated until the socket is ready for it; raises OSError.

    It is tried before any waiting, because TLS may hold bytes that the socket no longer has. `wait` waits for a socket
    without TLS.
    """
    allowed_s = deadline.allow(timeout_s)
    try:
        result = operation()
    except _WOULD_BLOCK as error:
        with anyio.fail_after(allowed_s):
            return await _retry(operation, sock, error, wait)
    if wait is anyio.wait_readable:  # a task that never waits must let other tasks run, and be cancellable
        await anyio.lowlevel.checkpoint()
    return result


async def _retry(
    operation: Callable[[], T], sock: socket.socket, error: OSError | None = None, wait: _Wait = anyio.wait_readable
) -> T:
    """Return the result of `operation`; wait for the socket each time it would block."""
    while True:
        try:
            match error:
                case ssl.SSLWantReadError():
                    await anyio.wait_readable(sock.fileno())
                case ssl.SSLWantWriteError():
                    await anyio.wait_writable(sock.fileno())
                case BlockingIOError():
                    await wait(sock.fileno())
        except anyio.ClosedResourceError:  # another task closed the client
            raise ConnectionAbortedError from None
        try:
            return operation()
        except _WOULD_BLOCK as would_block:
            error = would_block
