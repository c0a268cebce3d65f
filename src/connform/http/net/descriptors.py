"""List of this process's open sockets; a forked child closes the ones that it inherited.

Layer 1, closes descriptors. Without this, a connection would stay open after the parent has closed it. Closing in the
child sends nothing: TLS is not shut down, and TCP ends with the last descriptor. A child never uses these sockets
anyway: the transports have a pool for each process, and a stream refuses to serve another process than the one that
opened it.
"""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from typing import TypeVar
from weakref import WeakSet

S = TypeVar("S", bound="socket.socket")

_OPEN_SOCKETS: WeakSet[socket.socket] = WeakSet()


def close_in_child(sock: S) -> S:
    """Return the socket; a forked child will close it."""
    _OPEN_SOCKETS.add(sock)
    return sock


def _close_inherited() -> None:
    for sock in list(_OPEN_SOCKETS):
        with suppress(OSError):
            sock.close()
    _OPEN_SOCKETS.clear()


if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(after_in_child=_close_inherited)
