"""Turns server blocks into a real nginx on loopback, with certificates of an authority of our own."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme

from tests.conftest import require_peer
from tests.ports import free_ports

HOSTS = ("localhost", "127.0.0.1")
START_S = 10.0

_CONFIGURATION = """
daemon off;
master_process off;
error_log {folder}/error.log;
pid {folder}/nginx.pid;
worker_processes 1;
events {{ worker_connections 256; }}
http {{
    access_log {folder}/access.log;
    default_type application/json;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {servers}
}}
"""
_SERVER = """
server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {pem};
    ssl_certificate_key {pem};
    {block}
}}
"""


def certificate(
    authority: trustme.CA, *hosts: str, starts_in: timedelta = timedelta(days=-30), ends_in: timedelta = timedelta(90)
) -> bytes:
    """Return key and certificate, PEM, valid from and until some time from now."""
    now = datetime.now(UTC)
    issued = authority.issue_cert(*(hosts or HOSTS), not_before=now + starts_in, not_after=now + ends_in)
    return issued.private_key_and_cert_chain_pem.bytes()


@contextmanager
def nginx(folder: Path, servers: Mapping[str, tuple[bytes, str]]) -> Iterator[dict[str, int]]:
    """Yield the ports of the servers.

    Args:
        folder: for its files.
        servers: name → key and certificate, and what stands in its block.
    """
    program = require_peer("nginx")
    ports = dict(zip(servers, free_ports(len(servers)), strict=True))
    blocks = []
    for name, (pem, block) in servers.items():
        file = folder / f"{name}.pem"
        file.write_bytes(pem)
        blocks.append(_SERVER.format(port=ports[name], pem=file, block=block))
    configuration = folder / "nginx.conf"
    configuration.write_text(_CONFIGURATION.format(folder=folder, servers="".join(blocks)))
    with subprocess.Popen(
        [program, "-p", str(folder), "-c", str(configuration)], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            _wait(process, list(ports.values()), folder)
            yield ports
        finally:
            process.terminate()


def _wait(process: subprocess.Popen[bytes], ports: list[int], folder: Path) -> None:
    ends_at = time.monotonic() + START_S
    waiting = list(ports)
    while waiting:
        if process.poll() is not None or time.monotonic() > ends_at:
            log = folder / "error.log"
            message = f"nginx did not start: {log.read_text() if log.exists() else 'it wrote no log'}"
            raise RuntimeError(message)
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", waiting[0]), timeout=1).close()
            waiting.pop(0)
            continue
        time.sleep(0.02)
