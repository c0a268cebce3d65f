"""A real `connform monitor` in a process, and an API on loopback that notes when each connection was looked at."""

from __future__ import annotations

import http.client
import json
import signal
import ssl
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import NamedTuple, Self, TypeVar

from tests.end_to_end.running import start
from tests.http.servers import Authority, Connection, Server, head
from tests.ports import free_ports

T = TypeVar("T")
PATIENCE_S = 30.0
KEY = "CONNFORM_TEST_KEY"


class Api:
    """An API with a path for each connection, which notes when each was asked for, and answers as `statuses` says."""

    def __init__(self) -> None:
        self.looks: dict[str, list[float]] = {}
        self.statuses: dict[str, int] = {}
        self.keys: deque[str] = deque(maxlen=10)
        """The latest credentials."""
        self._lock = Lock()

    def __call__(self, connection: Connection) -> None:
        while request := connection.read_request():
            name = request.split(b" ")[1].decode().strip("/")
            with self._lock:
                self.looks.setdefault(name, []).append(time.monotonic())
                self.keys.append(request.partition(b"uthorization: ")[2].partition(b"\r\n")[0].decode())
            status = self.statuses.get(name, 200)
            more = ["Retry-After: 3600"] if status == 429 else []
            connection.send(head(status, ["Content-Length: 2", "Content-Type: application/json", *more]) + b"{}")
        connection.server.requests.clear()  # a long run would keep them all


@contextmanager
def serving(api: Api, folder: Path) -> Iterator[Server]:
    """Run an API, and write the certificate of its authority into a folder."""
    authority = Authority()
    (folder / "ca.pem").write_bytes(authority.pem)
    with Server(api, tls=authority.server("127.0.0.1")) as server:
        yield server


def manifest(port: int, names: Sequence[str], ca_file: str = "ca.pem") -> str:
    """Return a manifest of connections to an API."""
    lines = ["version: 1", "connections:"]
    for name in names:
        lines += [
            f"  {name}:",
            "    provider: http",
            "    environment: staging",
            f"    base_url: https://127.0.0.1:{port}",
            f"    tls: {{ca_file: {ca_file}}}",
            f'    auth: {{method: bearer, token: "env://{KEY}"}}',
            f"    check: {{path: /{name}}}",
        ]
    return "\n".join([*lines, ""])


class Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes


class Monitor:
    """A process."""

    def __init__(self, folder: Path, *arguments: str, log: str = "log", key: str = "key", state: str = "") -> None:
        (self.port,) = free_ports(1)
        self.log_file = folder / log
        argv = ("monitor", *self._listen(arguments), *arguments)
        variables = {KEY: key, "CONNFORM_STATE": state}
        with self.log_file.open("wb") as file:
            self.process = start(*argv, cwd=folder, env=variables, stdout=file.fileno(), stderr=file.fileno())

    def _listen(self, arguments: Sequence[str]) -> list[str]:
        return [] if "--listen" in arguments else ["--listen", f"127.0.0.1:{self.port}"]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    @property
    def log(self) -> str:
        return self.log_file.read_text()

    def get(self, path: str, method: str = "GET", tls: ssl.SSLContext | None = None, **headers: str) -> Answer:
        """Ask; `_` in the names of headers stands for `-`."""
        connection = (
            http.client.HTTPSConnection("127.0.0.1", self.port, timeout=PATIENCE_S, context=tls)
            if tls
            else http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        )
        try:
            connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
            answer = connection.getresponse()
            return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def metric(self, name: str, /, **labels: str) -> float | None:
        """Return the value of the first sample with these labels; `None` without one."""
        from prometheus_client.parser import text_string_to_metric_families

        for family in text_string_to_metric_families(self.get("/metrics").body.decode()):
            for sample in family.samples:
                if sample.name == name and labels.items() <= sample.labels.items():
                    return float(sample.value)
        return None

    def connections(self) -> dict[str, dict[str, object]]:
        """Return the connections of `/report.json` by name."""
        return {one["name"]: one for one in json.loads(self.get("/report.json").body)["connections"]}

    def until(self, seen: Callable[[], T], what: str = "") -> T:
        """Wait until something is true, and return it."""
        ends_at = time.monotonic() + PATIENCE_S
        while time.monotonic() < ends_at:
            try:
                if found := seen():
                    return found
            except OSError:
                assert self.process.poll() is None, self.log[-2000:]
            time.sleep(0.02)
        raise AssertionError(f"in vain: {what}\n{self.log[-2000:]}")

    def until_ready(self) -> None:
        self.until(lambda: self.get("/readyz").status == 200, "ready")

    def until_logged(self, text: str) -> None:
        self.until(lambda: text in self.log, text)

    def end(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_S)
