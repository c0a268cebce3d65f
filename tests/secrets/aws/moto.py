"""A moto server, which imitates the API of AWS, on loopback."""

from __future__ import annotations

import base64
import http.client
import json
import os
import re
import signal
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Any

REGION = "eu-central-1"
ACCOUNT = "123456789012"
START_S = 60.0
_TARGETS = {"ssm": "AmazonSSM", "secretsmanager": "secretsmanager"}


class Moto:
    """A running moto."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, tls: ssl.SSLContext | None) -> None:
        self.process = process
        self.port = port
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{port}"
        self._tls = tls

    def call(self, service: str, operation: str, region: str = REGION, **parameters: Any) -> dict[str, Any]:
        """Return the answer to one call: without botocore, whose log would hold the secret."""
        connection = self._connection()
        scope = f"Credential=writer/20260101/{region}/{service}/aws4_request"
        headers = {
            "X-Amz-Target": f"{_TARGETS[service]}.{operation}",
            "Content-Type": "application/x-amz-json-1.1",
            "Authorization": f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0",
        }
        try:
            connection.request("POST", "/", json.dumps(parameters).encode(), headers)
            answer = connection.getresponse()
            content: dict[str, Any] = json.loads(answer.read() or b"{}")
        finally:
            connection.close()
        if answer.status != 200:
            raise CallFailedError(content.get("__type", ""))
        return content

    def put_parameter(self, name: str, value: str, region: str = REGION, **more: Any) -> int:
        """Store a parameter in place of an earlier one, and return its version."""
        more = {"Type": "SecureString", "Tier": "Advanced", **more}
        stored = self.call("ssm", "PutParameter", region, Name=name, Value=value, Overwrite=True, **more)
        return int(stored["Version"])

    def put_secret(self, name: str, value: str | bytes, region: str = REGION) -> dict[str, Any]:
        """Store a secret in place of an earlier one, and return its ARN and the id of its version."""
        content = (
            {"SecretString": value}
            if isinstance(value, str)
            else {"SecretBinary": base64.b64encode(value).decode("ascii")}
        )
        try:
            return self.call("secretsmanager", "PutSecretValue", region, SecretId=name, **content)
        except CallFailedError:
            return self.call("secretsmanager", "CreateSecret", region, Name=name, **content)

    def demand_permissions(self, *, demanded: bool) -> None:
        """Judge every call from now on by signature and policies of IAM, or none."""
        connection = self._connection()
        connection.request("POST", "/moto-api/reset-auth", b"0" if demanded else b"1000000")
        assert connection.getresponse().status == 200
        connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        if self._tls is None:
            return http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=30, context=self._tls)

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Let it accept connections, and answer nothing."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)


class CallFailedError(Exception):
    """The error code that moto answered."""


@contextmanager
def running_moto(program: str, folder: Path, *arguments: str, tls: ssl.SSLContext | None = None) -> Iterator[Moto]:
    """Start a moto on a free port, and end it.

    Args:
        program: its path.
        folder: where it writes its log.
        arguments: further ones.
        tls: what trusts its certificate, where `arguments` give it one.
    """
    log = folder / "moto.log"
    environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(folder), "PYTHONUNBUFFERED": "1"}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, program, "-H", "127.0.0.1", "-p", "0", *arguments],
            env=environment,
            cwd=folder,
            stdout=output,
            stderr=output,
        )
    try:
        yield Moto(process, _port(log, process), tls)
    finally:
        process.kill()
        process.wait()


def _port(log: Path, process: subprocess.Popen[bytes]) -> int:
    ends_at = monotonic() + START_S
    while monotonic() < ends_at and process.poll() is None:
        match = re.search(rb"Running on https?://127\.0\.0\.1:([0-9]+)", log.read_bytes())
        if match:
            return int(match[1])
        sleep(0.05)
    message = "moto did not start"
    raise AssertionError(message)
