"""No secret that opens a store ends a run: each odd value is a failure of that store, and the other connections go on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from connform.engine.run.store_session import StoreSession
from connform.engine.secrets import check_secrets
from connform.errors import SecretUnresolved
from connform.secret import Secret, SecretReference
from connform.secrets import BACKENDS
from connform.secrets.kit.interface import Fetched, Outcome, StoreConfig
from connform.secrets.kit.open_store import attempt
from connform.secrets.kit.value import secret_from_text
from connform.testing.secrets import VALUE
from tests.conftest import Plant

NOBODY = "http://127.0.0.1:1"


def vault(**auth: str) -> dict[str, Any]:
    return {"type": "vault", "address": NOBODY, "auth": {**auth, "method": auth["method"]}}


STORES = {
    "vault token": (vault(method="token"), "auth.token", "secret/a#b"),
    "vault secret_id": (vault(method="approle", role_id="r"), "auth.secret_id", "secret/a#b"),
    "vault role_id_from": (vault(method="approle"), "auth.role_id_from", "secret/a#b"),
    "vault jwt": (vault(method="jwt", role="r"), "auth.token", "secret/a#b"),
    "vault kubernetes": (vault(method="kubernetes", role="r"), "auth.token", "secret/a#b"),
    "azurekv": (
        {"type": "azurekv", "address": NOBODY, "authority": NOBODY, "tenant_id": "t", "client_id": "c"},
        "client_secret",
        "name",
    ),
    "gcpsecrets": ({"type": "gcpsecrets", "project": "acme", "address": NOBODY}, "credentials", "name"),
    "op": ({"type": "op", "address": NOBODY}, "token", "vault/item/field"),
    "k8s": ({"type": "k8s", "address": NOBODY}, "token", "acme/name#key"),
    "sops": ({"type": "sops", "path": "secrets.enc.yaml"}, "age_key", "a"),
}


def google_key(**members: object) -> str:
    key = {"type": "service_account", "client_email": "a@acme.example", "private_key": "k", "token_uri": NOBODY}
    return json.dumps({**key, **members})


VALUES = {
    "a lone surrogate": "\ud800",
    "an undecodable byte": "\udc80",
    "a zero byte": "a\0b",
    "a line break": "a\nb",
    "a byte order mark": "\ufeffa",
    "a letter": "clé",
    "1 MiB": "x" * 2**20,
    "deep arrays": "[" * 100_000,
    "deep objects": '{"a":' * 100_000,
    "a huge number": '{"type": %s}' % ("9" * 5000),
    "an infinite number": '{"type": 1e999}',
    "a list": "[1]",
    "nothing in JSON": "null",
    "a key twice": '{"type": "service_account", "type": "service_account"}',
    "a number for a key": google_key(private_key=5),
    "a number for an address": google_key(token_uri=5),
    "a zero byte in an address": google_key(token_uri="http://\0"),
    "half a pair in JSON": google_key(private_key="\ud800"),
}


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("store", STORES)
def test_an_odd_login_is_a_failure_of_its_store(store: str, value: str, tmp_path: Path) -> None:
    settings, key, path = STORES[store]
    (tmp_path / "secrets.enc.yaml").write_text("sops: {}\n")
    secret = attempt(secret_from_text, VALUES[value])
    if isinstance(secret, SecretUnresolved):  # no store gets it
        assert secret.fault.name == "secret_malformed"
        return
    secrets = {"auth.secret_id": Secret("s"), key: secret}
    opened = StoreConfig(tmp_path, {name: one for name, one in settings.items() if name != "type"}, secrets, 0.2)
    session = StoreSession("mine", partial(BACKENDS[settings["type"]].open, opened), 5.0)
    reference = SecretReference.parse(f"mine://{path}")
    outcome = session.read([reference])[reference]
    session.close()
    assert isinstance(outcome, SecretUnresolved)
    assert outcome.fault.name in {"secret_malformed", "secret_backend_unavailable"}
    assert "a bug of connform" not in outcome.message


def test_the_connections_beside_it_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plant: Plant) -> None:
    monkeypatch.chdir(tmp_path)
    plant("odd.json", rb'{"half": "\ud800", "broken": "a\nb"}')
    plant("good", b"value")
    stores = {
        "half": {**vault(method="approle", role_id="r"), "address": NOBODY},
        "broken": {"type": "k8s", "address": NOBODY, "token": "file://odd.json#broken"},
    }
    stores["half"]["auth"]["secret_id"] = "file://odd.json#half"
    references = {"a": "half://secret/a#b", "b": "broken://acme/name#key", "good": "file://good"}
    connections = {
        name: {"environment": "production", "region": "us", "auth": {"method": "api_key", "api_key": reference}}
        for name, reference in references.items()
    }
    (tmp_path / "connections.yaml").write_text(json.dumps({"version": 1, "stores": stores, "connections": connections}))
    report = check_secrets()
    assert {one.name: one.fault for one in report.connections} == {
        "a": "secret_malformed",
        "b": "secret_malformed",
        "good": "",
    }


class Broken:
    """A store with a bug: it reads everything but one reference."""

    batch_size = 0

    def __init__(self, exception: Exception) -> None:
        self._exception = exception

    def read(self, references: Sequence[SecretReference]) -> Sequence[Outcome]:
        if any(reference.path == "bad" for reference in references):
            raise self._exception
        return [Fetched(Secret("value"))] * len(references)

    def close(self) -> None:
        pass


@pytest.mark.parametrize("exception", [RuntimeError, RecursionError, KeyError, UnicodeError])
def test_a_bug_of_a_backend_fails_its_reference_alone(exception: type[Exception]) -> None:
    session = StoreSession("the store mine", lambda: Broken(exception(VALUE)), 5.0)
    references = [SecretReference.parse(f"mine://{name}") for name in ("good", "bad", "other")]
    outcomes = session.read(references)
    failed = [one for one in references if isinstance(outcomes[one], SecretUnresolved)]
    assert [one.path for one in failed] == ["bad"]
    failure = outcomes[failed[0]]
    assert isinstance(failure, SecretUnresolved)
    assert failure.fault.name == "secret_backend_unavailable"
    assert f"a bug of connform: {exception.__name__} in connform.engine.run.store_session:" in failure.message
    assert "test_odd_logins:" in failure.message
    assert VALUE not in f"{failure.message} {failure.hint} {failure.__cause__} {failure.__context__}"
