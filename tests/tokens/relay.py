"""Relays ports of loopback through sockets in a folder: the only way out of a network namespace, to the ports that it is given.

python relay.py outside FOLDER PORT…     listens on sockets in FOLDER, and connects to the ports
python relay.py inside FOLDER PORT… -- COMMAND…    listens on the ports, and connects to the sockets, while the command runs
"""

from __future__ import annotations

import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from threading import Thread


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


def _connect(port: int, path: Path, *, is_inside: bool) -> socket.socket:
    if not is_inside:
        return socket.create_connection(("127.0.0.1", port))
    way = socket.socket(socket.AF_UNIX)
    way.connect(str(path))
    return way


def _listen(port: int, path: Path, *, is_inside: bool) -> socket.socket:
    if is_inside:
        return socket.create_server(("127.0.0.1", port), backlog=128)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen(128)
    return listener


def _relay(listener: socket.socket, port: int, path: Path, *, is_inside: bool) -> None:
    while True:
        near, _ = listener.accept()
        try:
            far = _connect(port, path, is_inside=is_inside)
        except OSError:
            near.close()
            continue
        for one, other in ((near, far), (far, near)):
            Thread(target=_pump, args=(one, other), daemon=True).start()


def main() -> int:
    side, folder, *rest = sys.argv[1:]
    ports, command = (rest[: rest.index("--")], rest[rest.index("--") + 1 :]) if "--" in rest else (rest, [])
    is_inside = side == "inside"
    for port in ports:
        path = Path(folder, port)
        listener = _listen(int(port), path, is_inside=is_inside)
        Thread(
            target=lambda *given: _relay(*given, is_inside=is_inside), args=(listener, int(port), path), daemon=True
        ).start()
    if command:
        return subprocess.call(command)
    print("ready", flush=True)
    sys.stdin.read()
    return 0


if __name__ == "__main__":
    sys.exit(main())
