"""No secret is in the tracebacks of stores: those of secrets, and those of grants."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from connform.database import open_grants
from connform.database.cipher import Cipher, new_key
from connform.engine.load.manifest import load_manifest
from connform.engine.run.client import client_settings
from connform.engine.run.context import run_context
from connform.engine.run.state_location import StateLocation
from connform.errors import ConnectionFailed, ManifestInvalid
from connform.secret import Secret
from tests.canary import API_KEY, AWKWARD, assert_no_canary
from tests.conftest import Plant, require_library
from tests.database.conftest import grant
from tests.http import servers
from tests.http.servers import Server, answer
from tests.tracebacks.walk import assert_hidden

MANIFEST = """\
version: 1
stores:
  cluster: {{type: k8s, address: "http://127.0.0.1:{port}", token: "env://STORE_TOKEN", namespace: apps, timeout_s: 1}}
  corp: {{type: vault, address: "http://127.0.0.1:{port}", auth: {{method: approle, role_id: r, secret_id: "env://STORE_TOKEN"}}, timeout_s: 1}}
connections:
  api:
    provider: http
    base_url: https://api.example.test
    check: {{path: /, expect: {{body: {{const: {{}}}}}}}}
    auth: {{method: api_key, api_key: "{reference}"}}
"""


def resolve(file: Path) -> None:
    """Do what a ready client does first, and let go of the stores."""
    manifest = load_manifest([str(file)])
    with run_context(manifest, simulate=False, state=StateLocation()) as context:
        client_settings(manifest["api"], context)


def told(**content: object) -> servers.Behaviour:
    return answer(json.dumps(content).encode())


ENCODED = base64.b64encode(API_KEY.encode()).decode()
CLUSTER = {
    "another key": told(data={"other": ENCODED, "third": ENCODED}),
    "no base64": told(data={"key": API_KEY + "!"}),
    "a list of data": told(data=[{"key": ENCODED}]),
    "a number": told(data={"key": {"key": API_KEY}}),
    "an answer to nobody": answer(API_KEY.encode(), status=401),
    "no rights": answer(API_KEY.encode(), status=403),
    "a page": answer(b"<html>" + API_KEY.encode()),
    "a reset": servers.reset,
    "junk": servers.raw(b"junk\r\n\r\n"),
    "silence": servers.silent,
    "a cut": servers.raw(servers.head(200, ["Content-Length: 999"]), API_KEY.encode()),
    "a server error": answer(API_KEY.encode(), status=500),
}
VAULT = {
    "the login is refused": answer(json.dumps({"errors": [API_KEY]}).encode(), status=400),
    "the login without a token": told(auth={"client_token": None, "accessor": API_KEY}),
    "the login without content": answer(b"", status=204),
    "a login, and no mount": told(auth={"client_token": API_KEY}, data={"path": API_KEY}),
    "a login of another kind": told(auth={"client_token": [API_KEY]}),
    "a reset": servers.reset,
    "silence": servers.silent,
}


@pytest.mark.parametrize(
    ("reference", "case"),
    [*(("cluster://db#key", case) for case in CLUSTER), *(("corp://kv/db#key", case) for case in VAULT)],
)
def test_no_store_of_secrets_that_fails_shows_one(
    reference: str, case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STORE_TOKEN", API_KEY)
    behaviour = (CLUSTER if reference.startswith("cluster") else VAULT)[case]
    with Server(behaviour) as server:
        file = tmp_path / "connections.yaml"
        file.write_text(MANIFEST.format(port=server.port, reference=reference))
        with pytest.raises(Exception) as raised:  # noqa: PT011  (a mistake of ours shows nothing either)
            resolve(file)
    assert not isinstance(raised.value, ManifestInvalid)
    assert_hidden(raised.value, case)


FILES = {
    "dotenv://secrets.env#MISSING": f"OTHER='{AWKWARD}'\n",
    "dotenv://secrets.env#BROKEN": f"OTHER='{AWKWARD}'\nBROKEN='{API_KEY}\n",
    "file://secrets.env#field": AWKWARD,
    "file://secrets.env": f"{API_KEY} {API_KEY}",
}


@pytest.mark.parametrize("reference", FILES)
def test_no_file_of_secrets_that_fails_shows_one(reference: str, tmp_path: Path, plant: Plant) -> None:
    plant("secrets.env", FILES[reference])
    file = tmp_path / "connections.yaml"
    file.write_text(MANIFEST.format(port=1, reference=reference))
    with pytest.raises(ConnectionFailed) as raised:
        resolve(file)
    assert_hidden(raised.value, reference)


@pytest.mark.parametrize("key", [base64.b64encode(API_KEY.encode()).decode(), API_KEY, f"{API_KEY}é"])
def test_a_key_of_the_store_that_is_none_is_not_shown(key: str) -> None:
    with pytest.raises(ConnectionFailed) as raised:
        Cipher(Secret(key))
    assert_hidden(raised.value, "a key")


def test_a_record_that_was_changed_shows_no_token() -> None:
    cipher = Cipher(Secret(new_key()))
    sealed = cipher.seal(grant(), b"facts")
    with pytest.raises(ConnectionFailed) as raised:
        cipher.open(sealed, grant().facts, b"others")
    assert_hidden(raised.value, "a record")


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://app:{API_KEY}@127.0.0.1:1/grants",
        f"postgresql://app:{API_KEY}/@127.0.0.1:1/grants",
        f"postgresql://app:{API_KEY}@127.0.0.1:1/grants?{API_KEY}",
        f"mysql://app:{API_KEY}@127.0.0.1/grants",
    ],
    ids=["down", "half a password", "an option that is none", "another database"],
)
def test_no_url_of_a_store_shows_its_password(url: str, tmp_path: Path) -> None:
    require_library("psycopg")
    with pytest.raises(ConnectionFailed) as raised:
        open_grants(url, tmp_path, None).read("customer")
    assert_hidden(raised.value, "a store")
    assert_no_canary(repr(StateLocation(url)))
