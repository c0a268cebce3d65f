"""An OpenBao server on loopback, with real TLS, its data on disk and an audit log that counts requests."""

from __future__ import annotations

import http.client
import json
import signal
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Any, Self

import trustme

from tests.ports import free_ports

_PATIENCE_S = 60.0
_CONFIG = """
storage "raft" {{
  path = "{folder}/data"
  node_id = "one"
}}
listener "tcp" {{
  address = "127.0.0.1:{port}"
  cluster_address = "127.0.0.1:{cluster_port}"
  tls_cert_file = "{folder}/server.pem"
  tls_key_file = "{folder}/server.pem"
  {more}
}}
api_addr = "https://127.0.0.1:{port}"
cluster_addr = "https://127.0.0.1:{cluster_port}"
audit "file" "log" {{ options {{ file_path = "{folder}/audit.log" }} }}
"""


class Unexpected(AssertionError):
    """The server answered a test's own call with an error."""


class OpenBao:
    """One server, from `__enter__` to `__exit__`; sealed and without keys until `initialise`."""

    def __init__(self, program: str, folder: Path, *, demands_certificate: bool = False) -> None:
        self._program = program
        self._folder = folder
        self._port, cluster_port = free_ports(2)
        ca = trustme.CA()
        self.ca_file = folder / "ca.pem"
        self.ca_file.write_bytes(ca.cert_pem.bytes())
        (folder / "server.pem").write_bytes(ca.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.bytes())
        (folder / "data").mkdir()
        self.client_cert, self.client_key = folder / "client.pem", folder / "client.key"
        client = ca.issue_cert("client.acme.example", common_name="client")
        self.client_cert.write_bytes(client.cert_chain_pems[0].bytes())
        self.client_key.write_bytes(client.private_key_pem.bytes())
        more = f'tls_require_and_verify_client_cert = true\ntls_client_ca_file = "{self.ca_file}"'
        config = _CONFIG.format(
            folder=folder, port=self._port, cluster_port=cluster_port, more=more if demands_certificate else ""
        )
        (folder / "server.hcl").write_text(config)
        self._trust = ssl.create_default_context(cafile=str(self.ca_file))
        if demands_certificate:
            self._trust.load_cert_chain(self.client_cert, self.client_key)
        self._key = ""
        self.root = ""
        """The root token."""
        self.address = f"https://127.0.0.1:{self._port}"

    def __enter__(self) -> Self:
        self._start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def initialise(self) -> None:
        """Set the server up, and unseal it."""
        keys = self.call("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1})
        self._key, self.root = keys["keys"][0], keys["root_token"]
        self._unseal()

    def call(
        self, method: str, path: str, body: object = None, *, token: str = "", namespace: str = "", wrap_s: int = 0
    ) -> Any:
        """Return what the server answers to the operator, or to whom a token belongs; wrapped for so many seconds, if any."""
        status, text = self.ask(method, path, body, token=token, namespace=namespace, wrap_s=wrap_s)
        if status >= http.client.BAD_REQUEST:
            message = f"{method} {path}: {status}"
            raise Unexpected(message)
        return json.loads(text) if text else None

    def ask(
        self, method: str, path: str, body: object = None, *, token: str = "", namespace: str = "", wrap_s: int = 0
    ) -> tuple[int, bytes]:
        """Return status and body of an answer, whatever they are."""
        connection = http.client.HTTPSConnection("127.0.0.1", self._port, timeout=_PATIENCE_S, context=self._trust)
        headers = {"X-Vault-Token": token or self.root}
        if namespace:
            headers["X-Vault-Namespace"] = namespace
        if wrap_s:
            headers["X-Vault-Wrap-TTL"] = f"{wrap_s}s"
        try:
            connection.request(method, f"/v1/{path}", None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def mount(self, path: str, version: int, *, namespace: str = "") -> None:
        """Mount a KV store, and wait until it can be written."""
        settings = {"type": "kv", "options": {"version": str(version)}}
        self.call("POST", f"sys/mounts/{path}", settings, namespace=namespace)
        if version > 1:  # it is made as version 1, and then upgraded
            self._wait_for(f"{path}/config", lambda _: True, namespace)

    def token(self, *policies: str, **settings: object) -> str:
        """Return a new token."""
        created = self.call("POST", "auth/token/create", {"policies": policies, **settings})
        return str(created["auth"]["client_token"])

    def accessors(self) -> list[str]:
        """Return what names the tokens that are good now."""
        return list(self.call("LIST", "auth/token/accessors")["data"]["keys"])

    def requests(self) -> list[tuple[str, str]]:
        """Return operation and path of every request that the server has seen, in their order."""
        seen = []
        for line in (self._folder / "audit.log").read_text().splitlines():
            entry = json.loads(line)
            if entry["type"] == "request":
                seen.append((entry["request"]["operation"], entry["request"]["path"]))
        return seen

    @contextmanager
    def watched(self) -> Iterator[list[tuple[str, str]]]:
        """Yield a list that holds, at the end, what was asked inside."""
        before = len(self.requests())
        asked: list[tuple[str, str]] = []
        yield asked
        asked += self.requests()[before:]

    @contextmanager
    def down(self) -> Iterator[None]:
        """Let the server be away."""
        self._stop()
        try:
            yield
        finally:
            self._start()
            self._unseal()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Let the server answer nothing: connections are accepted by the kernel alone."""
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    @contextmanager
    def sealed(self) -> Iterator[None]:
        """Let the server be sealed."""
        self.call("PUT", "sys/seal")
        try:
            yield
        finally:
            self._unseal()

    def _start(self) -> None:
        with (self._folder / "server.log").open("ab") as log:
            command = [self._program, "server", f"-config={self._folder / 'server.hcl'}"]
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        self._wait_for("sys/seal-status", lambda _: True)

    def _stop(self) -> None:
        self._process.kill()
        self._process.wait()

    def _unseal(self) -> None:
        self.call("PUT", "sys/unseal", {"key": self._key})
        self._wait_for("sys/health", lambda health: not health["standby"])

    def _wait_for(self, path: str, is_ready: Callable[[Any], bool], namespace: str = "") -> None:
        ends_at = monotonic() + _PATIENCE_S
        while True:
            try:
                if is_ready(self.call("GET", path, namespace=namespace)):
                    return
            except (OSError, http.client.HTTPException, Unexpected):
                pass
            if self._process.poll() is not None or monotonic() > ends_at:
                message = f"bao never answered {path}:\n{(self._folder / 'server.log').read_text()}"
                raise AssertionError(message)
            sleep(0.05)
