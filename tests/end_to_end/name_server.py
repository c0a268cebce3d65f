"""A name server on 127.0.0.1 port 53 of a network namespace, for as long as the command behind it runs.

    unshare --net --mount … python name_server.py nxdomain|silent FOLDER COMMAND…

Mounts a resolv.conf that names this server, which is why it needs a mount namespace of its own.
"""

from __future__ import annotations

import socket
import struct
import subprocess
import sys
import threading
from pathlib import Path


def serve(listener: socket.socket, behaviour: str) -> None:
    while True:
        query, asker = listener.recvfrom(4096)
        if behaviour == "nxdomain":
            # RFC 1035 §4.1.1: the same id, a response, recursion available, code 3; the question as it came.
            flags = 0x8183
            listener.sendto(query[:2] + struct.pack("!5H", flags, 1, 0, 0, 0) + question(query), asker)


def question(query: bytes) -> bytes:
    end = query.index(0, 12) + 5
    return query[12:end]


def main() -> int:
    behaviour, folder, *command = sys.argv[1:]
    for name, text in {"resolv.conf": "nameserver 127.0.0.1\n", "nsswitch.conf": "hosts: files dns\n"}.items():
        file = Path(folder) / name
        file.write_text(text)
        subprocess.run(["mount", "--bind", file, f"/etc/{name}"], check=True)
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener.bind(("127.0.0.1", 53))
    threading.Thread(target=serve, args=(listener, behaviour), daemon=True).start()
    return subprocess.call(command)


if __name__ == "__main__":
    sys.exit(main())
