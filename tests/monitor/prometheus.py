"""A real Prometheus that scrapes a monitor: Debian's."""

from __future__ import annotations

import http.client
import json
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.conftest import require_peer
from tests.ports import free_ports

_PATIENCE_S = 60.0


class Prometheus:
    """A running server."""

    def __init__(self, port: int, process: subprocess.Popen[bytes], log: Path) -> None:
        self._port = port
        self._process = process
        self._log = log

    def query(self, query: str) -> list[dict[str, Any]]:
        """Return the result of a query, a vector."""
        result: list[dict[str, Any]] = self._get(f"/api/v1/query?query={quote(query)}")["result"]
        return result

    def alerts(self) -> dict[str, str]:
        """Return the state of each active alert, by its name and connection."""
        active = self._get("/api/v1/alerts")["alerts"]
        return {f"{one['labels']['alertname']} {one['labels'].get('name', '')}".strip(): one["state"] for one in active}

    def until(self, query: str) -> list[dict[str, Any]]:
        """Wait until a query has a result, and return it."""
        ends_at = time.monotonic() + _PATIENCE_S
        while time.monotonic() < ends_at:
            try:
                if found := self.query(query):
                    return found
            except (OSError, ValueError):
                assert self._process.poll() is None, self._log.read_text()
            time.sleep(0.05)
        raise AssertionError(f"in vain: {query}\n{self._log.read_text()[-2000:]}")

    def _get(self, path: str) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=20)
        try:
            connection.request("GET", path)
            return json.loads(connection.getresponse().read())["data"]
        finally:
            connection.close()


@contextmanager
def running_prometheus(
    folder: Path, target: int, scrape: Mapping[str, Any] | None = None, rules: str = "", interval: str = "1s"
) -> Iterator[Prometheus]:
    """Run a Prometheus that scrapes a port of this machine; `scrape` has more settings of its job."""
    (port,) = free_ports(1)
    config = {
        "global": {"scrape_interval": interval, "scrape_timeout": interval, "evaluation_interval": interval},
        "rule_files": [rules] if rules else [],
        "scrape_configs": [
            {"job_name": "connform", "static_configs": [{"targets": [f"127.0.0.1:{target}"]}], **(scrape or {})}
        ],
    }
    file = folder / "prometheus.yaml"
    file.write_text(json.dumps(config))  # JSON is YAML
    command = [
        require_peer("prometheus"),
        f"--config.file={file}",
        f"--storage.tsdb.path={folder / 'prometheus'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=warn",
    ]
    log = folder / "prometheus.log"
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output) as process:
        try:
            yield Prometheus(port, process, log)
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
