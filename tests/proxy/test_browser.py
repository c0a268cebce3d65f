"""A page of somebody else in Chromium, on another port of this machine, makes the proxy send nothing."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import do_without, require_peer
from tests.end_to_end.running import environment
from tests.proxy.conftest import Setting
from tests.proxy.running import Proxy
from tests.repetitions import repeated

pytestmark = pytest.mark.timeout(300)
MODULES = Path(__file__).parents[1] / "node_modules"


class Foreign(BaseHTTPRequestHandler):
    """Serves one page."""

    def do_GET(self) -> None:
        page = b"<!doctype html><title>Elsewhere</title><body>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *_arguments: Any) -> None: ...


@pytest.fixture
def page() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Foreign) as server:
        threading.Thread(target=server.serve_forever).start()
        yield server.server_port
        server.shutdown()


@pytest.mark.parametrize("host", repeated(["127.0.0.1"], ["127.0.0.1", "evil.example"]))
def test_a_foreign_page_reaches_no_api(setting: Setting, proxy: Proxy, page: int, host: str, tmp_path: Path) -> None:
    if not (MODULES / "playwright-core").is_dir():
        do_without("playwright-core is not installed: npm install --prefix tests")
    script = str(Path(__file__).with_name("clients") / "foreign.mjs")
    where = [f"http://{host}:{page}/", f"{proxy.base_url}/packages/7"]
    ended = subprocess.run(
        [require_peer("node"), script, str(MODULES), require_peer("chromium"), *where],
        env=environment({"HOME": str(tmp_path)}),
        text=True,
        capture_output=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    seen = json.loads(ended.stdout)
    assert seen["read"] == []
    assert all(400 <= status < 500 for status in seen["statuses"].values()), seen["statuses"]
    assert setting.upstream.paths == []
