"""The number of AWS calls for many connections."""

from __future__ import annotations

from pathlib import Path

import pytest

from connform.engine.load.manifest import load_manifest
from connform.engine.run.secret_resolver import SecretResolver
from tests.repetitions import repeated
from tests.secrets.aws.front import Front
from tests.secrets.aws.moto import Moto

COUNT = repeated(200, 1000)
MANIFEST = """\
version: 1
stores:
  acme: {{type: {kind}, region: eu-central-1, profile: reader, endpoint_url: "{url}", timeout_s: 60}}
connections:
"""
CONNECTION = """\
  customer-{number}:
    environment: sandbox
    region: eu
    auth: {{method: api_key, api_key: "acme://{path}"}}
"""


@pytest.mark.timeout(110)  # moto takes most of it
@pytest.mark.parametrize(
    ("kind", "prefix", "call", "at_once"),
    [("awsssm", "/many/", "GetParameters", 10), ("awssecrets", "many/", "BatchGetSecretValue", 20)],
)
def test_many_secrets_are_read_in_whole_batches(
    tmp_path: Path, moto: Moto, front: Front, kind: str, prefix: str, call: str, at_once: int
) -> None:
    put = moto.put_parameter if kind == "awsssm" else moto.put_secret
    for number in range(COUNT):  # one after another: moto keeps them in a plain dict
        put(f"{prefix}{number}", f"value-{number}")
    file = tmp_path / "connections.yaml"
    connections = [CONNECTION.format(number=number, path=f"{prefix}{number}") for number in range(COUNT)]
    file.write_text(MANIFEST.format(kind=kind, url=front.url) + "".join(connections), "utf-8")
    manifest = load_manifest([str(file)])
    source = SecretResolver(manifest.stores)
    source.prepare(manifest.values())
    found = {name: source.secrets(one)["api_key"].reveal() for name, one in manifest.items()}
    source.close()
    assert found == {f"customer-{number}": f"value-{number}" for number in range(COUNT)}
    assert front.calls == [call] * (COUNT // at_once)
