"""List of this process's open sockets; a forked child closes the descriptors that it inherited.

Layer 1, closes descriptors. Without this, a connection would stay open after the parent has closed it. Closing in the
child sends nothing: TLS is not shut down, and TCP ends with the last descriptor. A child never uses these sockets
anyway: the transports have a pool for each process, and a stream refuses to serve another process than the one that
opened it.
"""

from __future__ import annotations

import errno
import os
import socket
from contextlib import suppress
from typing import TypeVar
from weakref import WeakSet

S = TypeVar("S", bound="socket.socket")

_HINT = "this process may open no more files: raise the limit (`ulimit -n`), or lower `--parallelism`"
_OPEN_SOCKETS: WeakSet[socket.socket] = WeakSet()
_INHERITED: list[socket.socket] = []
"""The sockets of parents. A child frees none of them: OpenSSL would wait for a lock that another thread of the parent held
while it forked (`CRYPTO_free_ex_data` takes one for the whole process), and for ever."""


def close_in_child(sock: S) -> S:
    """Return the socket; a forked child will close its descriptor."""
    _OPEN_SOCKETS.add(sock)
    return sock


def hint_for(error: OSError) -> str:
    """Return what to do about an error that says that this process, or the system, has too many files open; empty for another one."""
    return _HINT if error.errno in {errno.EMFILE, errno.ENFILE} else ""


def _close_inherited() -> None:
    inherited = list(_OPEN_SOCKETS)
    _OPEN_SOCKETS.clear()
    _INHERITED.extend(inherited)
    for sock in inherited:
        with suppress(OSError):
            os.close(sock.detach())  # `close` would free the TLS object


if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(after_in_child=_close_inherited)
