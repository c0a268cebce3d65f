"""nginx as a reverse proxy in front of a TLS server, as the peer of `connform proxy`."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from benchmarks.kit.bench import Bench
from benchmarks.kit.measure import WrongAnswer
from benchmarks.kit.server import KEY

START_S = 10
NGINX = """\
daemon off;
master_process off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/temp;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    keepalive_requests 1000000;
    upstream api {{ server 127.0.0.1:{upstream}; keepalive 64; keepalive_requests 1000000; }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass https://api;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host 127.0.0.1:{upstream};
            proxy_set_header X-Api-Key {key};
            proxy_ssl_trusted_certificate {folder}/client.pem;
            proxy_ssl_verify on;
            proxy_ssl_name localhost; # nginx compares names alone
        }}
    }}
}}
"""


@contextmanager
def nginx(bench: Bench, upstream: int) -> Iterator[int]:
    """Run nginx, and yield its port; 0 where it isn't installed."""
    program = bench.peer("nginx")
    if not program:
        yield 0
        return
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
    file = Path(bench.folder, "nginx.conf")
    file.write_text(NGINX.format(folder=bench.folder, upstream=upstream, port=port, key=KEY.decode()))
    argv = [program, "-p", str(bench.folder), "-c", str(file)]
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            _wait(port)
            yield port
        finally:
            process.terminate()


def _wait(port: int) -> None:
    ends_at = time.monotonic() + START_S
    while time.monotonic() < ends_at:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    message = "nginx did not start"
    raise WrongAnswer(message)
