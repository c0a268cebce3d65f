"""Who is at the other end of a connection on this machine: the user id, from the kernel.

Layer 4; IO: netlink or `/proc/net`. Linux only; elsewhere the user of a TCP connection is not known.
"""

from __future__ import annotations

import os
import socket
import struct
import sys
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path

_NETLINK_SOCK_DIAG = 4
_SOCK_DIAG_BY_FAMILY, _NLMSG_ERROR = 20, 2
_NLM_F_REQUEST = 1
_ALL_STATES, _LISTENING = 0xFFFFFFFF, 10
_NO_COOKIE = 0xFFFFFFFF
_MESSAGE_HEADER = struct.Struct("=IHHII")
_REQUEST = struct.Struct("=BBBBI")
"""`inet_diag_req_v2` up to its socket id: family, protocol, extensions, padding, states."""
_ANSWER = struct.Struct("=BBBB2s2s16s16sIQIIIII")
"""`inet_diag_msg`: family, state, timer, retransmissions, the socket id, expires, queues, user id, inode."""
_TIMEOUT_S = 1.0
_PROC_UID_COLUMN, _PROC_INODE_COLUMN = 7, 9
"""The inode is 0 for a socket that its process has closed already; the user is 0 then as well, whoever that was."""


def is_known() -> bool:
    """Return whether this system tells the user of a connection."""
    return sys.platform == "linux"


def user_of(sock: socket.socket) -> int | None:
    """Return the user id of the process that connected; `None` where the system doesn't tell."""
    if sock.family == socket.AF_UNIX:
        _, uid, _ = struct.unpack("3i", sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")))
        return int(uid)
    with suppress(OSError, ValueError, struct.error):
        if (uid := _by_netlink(sock)) is not None:
            return uid
    with suppress(OSError, ValueError, IndexError):
        return _by_proc(sock)
    return None


def is_own(sock: socket.socket) -> bool:
    """Return whether the process that connected runs as our own user; true where the system can't tell."""
    return not is_known() or user_of(sock) == os.geteuid()


def _by_netlink(sock: socket.socket) -> int | None:
    """Ask the kernel for the one socket that is connected to ours (sock_diag(7))."""
    (client_host, client_port), (own_host, own_port) = sock.getpeername()[:2], sock.getsockname()[:2]
    socket_id = struct.pack(
        "!HH16s16s", client_port, own_port, _packed(sock, client_host), _packed(sock, own_host)
    ) + struct.pack("=III", 0, _NO_COOKIE, _NO_COOKIE)
    body = _REQUEST.pack(sock.family, socket.IPPROTO_TCP, 0, 0, _ALL_STATES) + socket_id
    header = _MESSAGE_HEADER.pack(_MESSAGE_HEADER.size + len(body), _SOCK_DIAG_BY_FAMILY, _NLM_F_REQUEST, 1, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_SOCK_DIAG) as netlink:
        netlink.settimeout(_TIMEOUT_S)
        netlink.send(header + body)
        answer = netlink.recv(4096)
    _, kind, *_ = _MESSAGE_HEADER.unpack_from(answer)
    if kind != _SOCK_DIAG_BY_FAMILY:
        return None
    _, state, _, _, port, own, *_, uid, inode = _ANSWER.unpack_from(answer, _MESSAGE_HEADER.size)
    is_it = state != _LISTENING and (port, own) == (client_port.to_bytes(2, "big"), own_port.to_bytes(2, "big"))
    return int(uid) if is_it and inode else None


def _packed(sock: socket.socket, host: str) -> bytes:
    return socket.inet_pton(sock.family, host.partition("%")[0]).ljust(16, b"\0")


def _by_proc(sock: socket.socket) -> int | None:
    """Look for it in the tables of TCP sockets; a client may use IPv6 sockets for IPv4 as well."""
    client, own = sock.getpeername()[:2], sock.getsockname()[:2]
    wanted = [(_in_table(client, mapped=mapped), _in_table(own, mapped=mapped)) for mapped in (False, True)]
    for table in ("tcp", "tcp6"):
        with suppress(FileNotFoundError):
            for line in Path("/proc/net", table).read_text("ascii").splitlines()[1:]:
                fields = line.split()
                if (fields[1], fields[2]) in wanted and fields[_PROC_INODE_COLUMN] != "0":
                    return int(fields[_PROC_UID_COLUMN])
    return None


def _in_table(address: tuple[str, int], *, mapped: bool) -> str:
    """Return an address as the tables write it: words of 32 bits in the byte order of the machine."""
    packed = ip_address(address[0]).packed
    if mapped and len(packed) == 4:  # noqa: PLR2004  (IPv4)
        packed = bytes(10) + b"\xff\xff" + packed
    words = struct.unpack(f"={len(packed) // 4}I", packed)
    return f"{''.join(f'{word:08X}' for word in words)}:{address[1]:04X}"
