"""The same against a server that was not written here."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from connform.http import ClientSettings, Network, sync_client
from tests.conftest import require_peer
from tests.http.exchanging import Key, Mode, exchange
from tests.http.servers import HOST, Authority
from tests.ports import free_ports

CONFIGURATION = """
daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
events {{}}
http {{
    access_log off; client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
    uwsgi_temp_path {folder}; scgi_temp_path {folder}; keepalive_timeout 1s; gzip on; gzip_types *; gzip_min_length 1;
    ssl_certificate {folder}/server.pem; ssl_certificate_key {folder}/server.pem;
    server {{
        listen 127.0.0.1:{tls} ssl;
        location / {{ default_type application/json; return 200 '{{"key": "$http_api_key", "padding": "{padding}"}}'; }}
        location /limited {{ return 429; }}
    }}
    server {{ listen 127.0.0.1:{plain}; return 200; }}
    server {{
        listen 127.0.0.1:{mutual} ssl; ssl_client_certificate {folder}/ca.pem; ssl_verify_client on; return 200;
    }}
}}
"""


@pytest.fixture(scope="module")
def ports(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, int]]:
    nginx = require_peer("nginx")
    folder: Path = tmp_path_factory.mktemp("nginx")
    (folder / "ca.pem").write_bytes(authority.pem)
    (folder / "server.pem").write_bytes(authority.server_pem(HOST))
    numbers = dict(zip(("tls", "plain", "mutual"), free_ports(3), strict=True))
    configuration = folder / "nginx.conf"
    configuration.write_text(CONFIGURATION.format(folder=folder, padding="x" * 2000, **numbers))
    arguments = [nginx, "-c", str(configuration), "-p", str(folder), "-e", str(folder / "error.log")]
    with subprocess.Popen(arguments, stderr=subprocess.DEVNULL) as process:
        try:
            for _ in range(100):
                with socket.socket() as sock:
                    if not sock.connect_ex(("127.0.0.1", numbers["mutual"])):
                        break
                time.sleep(0.05)
            yield numbers
        finally:
            process.terminate()


def settings_of(authority: Authority, port: int) -> ClientSettings:
    return ClientSettings(
        f"https://{HOST}", Key(), attempts=1, network=Network(lambda _host, _port: ("127.0.0.1", port), authority.pem)
    )


def test_gzip_and_the_underscore(mode: Mode, authority: Authority, ports: dict[str, int]) -> None:
    """nginx drops `api_key` unless told otherwise: why `denied_by_intermediary` has its hint."""
    ended = exchange(mode, settings_of(authority, ports["tls"]))

    assert ended.response is not None, ended.error
    assert ended.response.json()["key"] == ""
    assert len(ended.response.content) > 2000
    assert "content-encoding" not in ended.response.headers


def test_tls_on_a_plain_port(mode: Mode, authority: Authority, ports: dict[str, int]) -> None:
    assert exchange(mode, settings_of(authority, ports["plain"])).fault == "tls_not_tls"


def test_nginx_says_in_http_that_a_client_certificate_is_missing(
    mode: Mode, authority: Authority, ports: dict[str, int]
) -> None:
    ended = exchange(mode, settings_of(authority, ports["mutual"]))

    assert ended.response is not None, ended.error
    assert ended.response.status_code == 400


def test_keep_alive_that_nginx_ends(authority: Authority, ports: dict[str, int]) -> None:
    with sync_client(settings_of(authority, ports["tls"])) as client:
        for _ in range(2):
            assert client.get("/").status_code == 200
            time.sleep(1.3)
        assert client.get("/limited").status_code == 429
