"""Manifests of 10,000 connections, and the order of what is said about them."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from pathlib import Path

import pytest

from connform.engine.validate import validate

COUNT = 10_000
LINES_OF_ONE = 9
MISTAKES = (
    ("    region: eu\n", "    region: mars\n", "unknown-region", 2),
    ("    environment: production\n", "    enviroment: production\n", "unknown-key", 1),
    ("env://", "plain", "plaintext-secret", 7),
    ("https://localhost", "http://localhost", "insecure-url", 8),
    ("      method: oauth2\n", "      method: oauth\n", "unknown-auth-method", 5),
)


def connection(number: int) -> str:
    return f"""\
  customer-{number}:
    environment: production
    region: eu
    tags: [ci, team-{number % 7}]
    auth:
      method: oauth2
      client_id: acme-portal
      client_secret: env://PORTAL_SECRET_{number}
      redirect_uri: https://localhost/auth/syngrafii
"""


def test_a_hundred_mistakes_in_ten_thousand_connections_are_a_hundred_diagnostics(tmp_path: Path) -> None:
    connections = [connection(number) for number in range(COUNT)]
    expected = []
    for index in range(100):
        number = index * 100 + 37
        right, wrong, code, below = MISTAKES[index % len(MISTAKES)]
        assert right in connections[number]
        connections[number] = connections[number].replace(right, wrong)
        expected.append((code, 3 + number * LINES_OF_ONE + below, f"customer-{number}"))
    file = tmp_path / "m.yaml"
    file.write_text("version: 1\nconnections:\n" + "".join(connections), "utf-8")
    gc.enable()
    report = validate([str(file)])
    assert [(one.code, one.span.line, one.connection) for one in report.diagnostics] == expected
    assert report.connection_count == COUNT
    assert gc.isenabled(), "the library leaves the collector as it was"


def test_a_mistake_in_a_template_of_ten_thousand_connections_is_one_diagnostic(tmp_path: Path) -> None:
    text = "version: 1\ntemplates:\n  t: {environment: sandbox, auth: {method: api_key, api_key: env://A-B}}\nconnections:\n"
    file = tmp_path / "m.yaml"
    file.write_text(text + "".join(f"  c-{number}: {{extends: t, region: us}}\n" for number in range(COUNT)), "utf-8")
    (found,) = validate([str(file)]).diagnostics
    assert (found.code, found.span.line, found.related[0].span.line) == ("malformed-reference", 3, 5)


@pytest.mark.parametrize("form", ["text", "json"])
def test_the_output_is_the_same_whatever_the_hash_seed(form: str) -> None:
    broken = Path(__file__).parent / "broken"
    files = [f"-f{path.name}" for path in sorted(broken.glob("*.yaml"))]
    outputs = set()
    for seed in ("0", "1", "4711"):
        command = [sys.executable, "-m", "connform", "validate", "--format", form, *files]
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        done = subprocess.run(command, cwd=broken, env=environment, capture_output=True, timeout=60, check=False)
        assert (done.returncode, done.stderr) == (1, b"")
        outputs.add(b"\n".join(line for line in done.stdout.splitlines() if b'"elapsed_ms"' not in line))
    assert len(outputs) == 1
