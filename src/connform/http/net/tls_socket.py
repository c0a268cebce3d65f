"""An `SSLSocket` that closes itself and raises when the connection was cut before the handshake.

Layer 1. `ssl` would lose a socket that is open there, or return one without TLS: it asks for the other side's address
first of all, while nobody else holds the socket yet.
"""

from __future__ import annotations

import errno
import os
import socket
import ssl
from typing import Any


class TLSSocket(ssl.SSLSocket):
    """What `wrap_socket` of a context returns whose `sslsocket_class` it is."""

    def getpeername(self) -> Any:
        """Return the other side's address; raises OSError, and closes a connection that was cut."""
        try:
            return super().getpeername()
        except OSError:
            if not self._was_cut():
                raise
            self.close()
            raise ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET)) from None

    def _was_cut(self) -> bool:
        """Whether there was another side, and nothing is left to be read: else `ssl` knows what to do, and to say."""
        try:
            return not socket.socket.recv(self, 1, socket.MSG_PEEK)
        except OSError as error:
            return error.errno != errno.ENOTCONN  # a socket that listens, say
