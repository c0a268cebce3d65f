"""A server of others whose workers are forked after the program has used a ready client."""

from __future__ import annotations

import socket
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from tests.conftest import require_library
from tests.end_to_end.conftest import Servers
from tests.end_to_end.running import KEY, environment, manifest
from tests.http.servers import Connection, head

require_library("gunicorn")

APPLICATION = """
    import connform

    client = connform.connect("api", "connections.yaml")
    assert client.get("/before").text == "/before"

    def application(environ, start_response):
        answer = client.get(environ["PATH_INFO"])
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [answer.content]
"""
WORKERS = 4


def echo(connection: Connection) -> None:
    """Answer each request with its path, a little late; the first connection is the program's."""
    is_programs = connection.server.connections == 1
    while request := connection.read_request():
        path = request.split(b" ")[1]
        if is_programs and path != b"/before":
            path += b", which came over the program's connection"
        connection.pause(0.05)
        connection.send(head(200, [f"Content-Length: {len(path)}"]) + path)


def test_workers_of_gunicorn_get_their_own_answers(servers: Servers, ca_file: Path, tmp_path: Path) -> None:
    api = servers.tls(echo)
    settings = {"provider": "http", "base_url": f"https://localhost:{api.port}", "tls": {"ca_file": str(ca_file)}}
    (tmp_path / "connections.yaml").write_text(manifest(api=settings))
    (tmp_path / "preloaded.py").write_text(textwrap.dedent(APPLICATION))
    paths = [f"/customer-{number}" for number in range(40)]
    with socket.create_server(("127.0.0.1", 0)) as listener, httpx.Client(timeout=30, trust_env=False) as browser:
        options = ["--preload", f"--workers={WORKERS}", f"--bind=fd://{listener.fileno()}", "--graceful-timeout=5"]
        command = [sys.executable, "-m", "gunicorn", *options, "--no-control-socket", "preloaded:application"]
        with subprocess.Popen(command, cwd=tmp_path, env=environment(KEY), pass_fds=[listener.fileno()]) as server:
            try:
                address = f"http://127.0.0.1:{listener.getsockname()[1]}"
                with ThreadPoolExecutor(2 * WORKERS) as threads:
                    answers = list(threads.map(lambda path: browser.get(f"{address}{path}").text, paths))
            finally:
                server.terminate()
                try:
                    server.wait(20)
                finally:
                    server.kill()
    assert answers == paths
