"""The address of `--listen`: a port of loopback, or a unix socket. Layer 4; IO: sockets."""

from __future__ import annotations

import os
import re
import socket
import stat
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

_UNIX = "unix:"
_TCP = re.compile(r"(?:(?P<host>[0-9.]+|localhost|\[[0-9A-Fa-f:]+\]):)?(?P<port>[0-9]{1,5})")
_LAST_PORT = 65535
_BACKLOG = 1024
_PROBE_S = 1.0


class BadAddress(ValueError):
    """It is no address of this machine; the text says why."""


class Listener(NamedTuple):
    """A socket that listens, and how clients name it."""

    sock: socket.socket
    """It listens."""
    authority: str
    """The host, and the port, of base URLs."""
    hosts: frozenset[bytes]
    """The values of `Host` that name it, in lower case."""
    file: str = ""
    """The file of a unix socket; empty for a port."""

    def remove_file(self) -> None:
        """Remove the socket's file; only while the socket listens, since the next proxy may have its own there afterwards."""
        if self.file:
            with suppress(OSError):
                Path(self.file).unlink()

    def close(self) -> None:
        """Remove the socket's file, and close the socket."""
        self.remove_file()
        self.sock.close()


def listen(address: str) -> Listener:
    """Return a socket that listens.

    Args:
        address: `127.0.0.1:PORT`, `[::1]:PORT`, `PORT`, or `unix:/path`; port 0 for a free one.

    Raises:
        BadAddress: the address is another one than of this machine, or no address.
        OSError: it can't be listened on.
    """
    if address.startswith(_UNIX):
        return _unix(address.removeprefix(_UNIX))
    found = _TCP.fullmatch(address)
    if found is None or int(found["port"]) > _LAST_PORT:
        raise BadAddress(f"--listen takes 127.0.0.1:PORT, [::1]:PORT or unix:/path.sock, and not `{address}`")
    host = (found["host"] or "127.0.0.1").strip("[]").replace("localhost", "127.0.0.1")
    try:
        is_loopback = ip_address(host).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback:
        message = f"--listen: {host} is no address of loopback, and what listens elsewhere hands the credential to the network"
        raise BadAddress(message)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # asyncio sets TCP_NODELAY where this is said
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, int(found["port"])))
        sock.listen(_BACKLOG)
    except OSError:
        sock.close()
        raise
    port = sock.getsockname()[1]
    shown = f"[{host}]" if ":" in host else host
    names = {f"{name}:{port}".encode() for name in (shown, "localhost")}
    if port == 80:  # noqa: PLR2004  (clients leave it out)
        names |= {shown.encode(), b"localhost"}
    return Listener(sock, f"{shown}:{port}", frozenset(names))


def _unix(file: str) -> Listener:
    if not file:
        raise BadAddress("--listen: `unix:` is followed by the path of the socket's file, as `unix:/run/connform.sock`")
    path = Path(file).absolute()
    _remove_stale(path)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o177)  # the file is never open to others, not even for a moment
    try:
        sock.bind(os.fspath(path))
        sock.listen(_BACKLOG)
    except OSError:
        sock.close()
        raise
    finally:
        os.umask(mask)
    return Listener(sock, "localhost", frozenset({b"localhost", b"localhost:80"}), os.fspath(path))


def _remove_stale(path: Path) -> None:
    """Remove a socket that nobody listens on any more; anything else at that path is left alone.

    Raises:
        BadAddress: something else is there.
    """
    try:
        mode = path.lstat().st_mode
    except OSError:
        return
    if not stat.S_ISSOCK(mode):
        raise BadAddress(f"--listen: {path} exists and is no socket; remove it, or name another path")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(_PROBE_S)
        try:
            probe.connect(os.fspath(path))
        except ConnectionRefusedError:
            path.unlink()
        except OSError:
            return
