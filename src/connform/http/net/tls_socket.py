"""An `SSLSocket` that closes itself and raises when the connection was cut before the handshake.

Layer 1. `SSLSocket` asks for the peer's address before it sets up TLS. If the connection is cut by then, `ssl` leaks
the open socket or returns one without TLS.
"""

from __future__ import annotations

import errno
import os
import socket
import ssl
from typing import Any


class TLSSocket(ssl.SSLSocket):
    """The `sslsocket_class` of contexts: what their `wrap_socket` returns."""

    def getpeername(self) -> Any:
        """Return the peer's address. A connection that was cut is closed, and ConnectionResetError raised."""
        try:
            return super().getpeername()
        except OSError:
            if not self._was_cut():
                raise
            self.close()
            raise ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET)) from None

    def _was_cut(self) -> bool:
        """Return whether the connection was cut and nothing is left to read; `ssl` handles the other cases itself."""
        try:
            return not socket.socket.recv(self, 1, socket.MSG_PEEK)
        except OSError as error:
            return error.errno != errno.ENOTCONN  # never connected, as a listening socket
