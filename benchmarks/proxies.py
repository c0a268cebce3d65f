"""`connform proxy` beside nginx as a reverse proxy, both in front of the same TLS server on loopback."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bench import Bench
from manifests import write_manifest
from measure import ENVIRONMENT, WrongAnswer, find, goal
from online import KEY_VARIABLE, SERVERS, certify, endpoints
from server import KEY

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


def proxy(bench: Bench) -> None:
    """One request through `connform proxy`, and 32 at once, beside nginx and beside none; all to the same TLS server."""
    certify(bench)
    ca_file = str(bench.folder / "client.pem")
    with endpoints(bench, SERVERS, delay_s=0) as ports, _connform(bench, ports[0]) as (port, path):
        targets = {
            "no proxy": {"port": ports[0], "path": "/", "headers": {"X-Api-Key": KEY.decode()}, "ca_file": ca_file},
            "connform": {"port": port, "path": f"{path}/", "headers": {}},
        }
        with _nginx(bench, ports[0]) as nginx_port:
            if nginx_port:
                targets["nginx"] = {"port": nginx_port, "path": "/", "headers": {}}
            argv = [json.dumps(targets), str(bench.size(3_200)), str(bench.rounds(11))]
            script = bench.script("proxy_client.py", *argv)
            done = subprocess.run(script, check=False, capture_output=True, text=True, env=ENVIRONMENT)
    if done.returncode:
        raise WrongAnswer(done.stderr[-600:])
    found = json.loads(done.stdout)
    bench.tell(["| at once | proxy | median | added | requests a second |", "|---|---|---|---|---|"])
    for at_once, rows in found.items():
        bare = rows["no proxy"]["median_us"]
        for name, one in rows.items():
            added = f"{one['median_us'] - bare:.0f} µs" if name != "no proxy" else ""
            print(f"| {at_once} | {name} | {one['median_us']:.0f} µs | {added} | {one['rate']:,.0f} |", flush=True)
    added_ms = (found["1"]["connform"]["median_us"] - found["1"]["no proxy"]["median_us"]) / 1000
    bench.judge(goal("latency that the proxy adds to the median request", added_ms, 1.5, " ms"))


@contextmanager
def _connform(bench: Bench, upstream: int) -> Iterator[tuple[int, str]]:
    """Run the proxy, and yield its port and the path of its base URL."""
    manifest = bench.folder / "connections.yaml"
    api = {
        "provider": "http",
        "environment": "sandbox",
        "base_url": f"https://127.0.0.1:{upstream}",
        "check": {"path": "/", "expect": {"body": {"const": {}}}},
        "tls": {"ca_file": str(bench.folder / "client.pem")},
        "auth": {"method": "api_key", "api_key": f"env://{KEY_VARIABLE}"},
    }
    write_manifest(manifest, [("acme", api)])
    argv = [find("connform"), "proxy", "acme", "-f", str(manifest)]
    environment = {**ENVIRONMENT, KEY_VARIABLE: KEY.decode()}
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env=environment, cwd=bench.folder) as process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            if not (found := re.search(r"http://127\.0\.0\.1:(\d+)(/\S+)", line)):
                message = "the proxy did not start"
                raise WrongAnswer(message)
            yield int(found[1]), found[2]
        finally:
            process.terminate()


@contextmanager
def _nginx(bench: Bench, upstream: int) -> Iterator[int]:
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
