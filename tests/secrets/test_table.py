"""The table of backends: rules for every entry."""

from __future__ import annotations

import subprocess
import sys

import pytest

from connform.manifest.shape import Shape
from connform.secret import SecretReference
from connform.secrets import BACKENDS
from tests.schemas import validator_of

STORES: dict[str, dict[str, object]] = {
    "env": {},
    "dotenv": {"path": ".env"},
    "file": {"path": "/run/secrets"},
    "azurekv": {"address": "https://acme.vault.azure.net"},
    "gcpsecrets": {"project": "acme-prod", "credentials": "file:///run/secrets/gcp.json"},
    "k8s": {"address": "https://10.0.0.1:6443", "token": "env://K8S_TOKEN"},
    "op": {"address": "https://connect.acme.example", "token": "env://OP_CONNECT_TOKEN"},
    "vault": {"address": "https://vault.acme.example", "auth": {"method": "token", "token": "env://VAULT_TOKEN"}},
    "awssecrets": {"region": "eu-central-1", "profile": "acme", "ca_file": "ca.pem"},
    "awsssm": {"role_arn": "arn:aws:iam::123456789012:role/secrets", "endpoint_url": "https://ssm.acme.example"},
    "exec": {},
    "sops": {"path": "secrets.enc.yaml", "age_key_file": "age.txt", "age_key": "env://AGE_KEY"},
    "pass": {"path": "/srv/password-store"},
    "keyring": {"service": "acme"},
}


def test_every_backend_has_an_example_here() -> None:
    assert set(STORES) == set(BACKENDS)


@pytest.mark.parametrize("name", BACKENDS)
def test_its_form_is_a_good_reference_of_its_own(name: str) -> None:
    reference = SecretReference.parse(BACKENDS[name].form)
    assert reference.scheme == name
    assert BACKENDS[name].lint(reference, {}) == ""


@pytest.mark.parametrize("name", BACKENDS)
def test_its_store_has_a_schema_that_is_described(name: str) -> None:
    shape = BACKENDS[name].store_shape
    published = validator_of(shape)
    assert published.is_valid(STORES[name])
    assert not published.is_valid({**STORES[name], "surplus": 1})
    assert shape.description
    assert all(
        part.description if isinstance(part, Shape) else part["description"] for part in shape.properties.values()
    )


@pytest.mark.parametrize("name", ["dotenv", "file", "sops"])
@pytest.mark.parametrize("path", ["", "a\n", "a\x00b", None, 1], ids=repr)
def test_a_store_needs_a_usable_path(name: str, path: object) -> None:
    published = validator_of(BACKENDS[name].store_shape)
    assert not published.is_valid({"path": path})
    assert not published.is_valid({})


def test_the_tables_cost_no_heavy_import() -> None:
    program = (
        "import sys; import connform.providers, connform.auth, connform.secrets, connform.registry, connform.plugin;"
        "print(*sorted({'httpx', 'ssl', 'asyncio', 'jsonschema', 'json', 'importlib.metadata', 'difflib',"
        " 'email.utils', 'yaml', 'socket'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path[:0] = {sys.path!r}; {program}"],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert done.stdout.split() == []
