"""A server that answers as Google's token endpoint and Secret Manager do; each answer is what a test sets."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from connform.secret import Secret, SecretReference
from connform.secrets.google.backend import GCPSECRETS
from connform.secrets.kit.interface import Fetched, Outcome, StoreConfig
from tests.canary import API_KEY
from tests.end_to_end.conftest import Issuer
from tests.secrets.api_server import ApiServer, Request

TOKEN = (200, {"access_token": API_KEY, "token_type": "Bearer", "expires_in": 3600})


def set_metadata_server(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    """Let google-auth look for its metadata server at a port of this machine, also if it has read the environment before."""
    from google.auth.compute_engine import _metadata

    monkeypatch.setattr(_metadata, "_GCE_METADATA_HOST", f"127.0.0.1:{port}")
    monkeypatch.setenv("GCE_METADATA_IP", f"127.0.0.1:{port}")
    if hasattr(_metadata, "_METADATA_IP_ROOT"):  # of older releases
        monkeypatch.setattr(_metadata, "_METADATA_IP_ROOT", f"http://127.0.0.1:{port}")


def version(data: bytes, checksum: object = None) -> dict[str, Any]:
    """Return the body of a good answer."""
    payload: dict[str, object] = {"data": base64.b64encode(data).decode()}
    if checksum is not None:
        payload["dataCrc32c"] = checksum
    return {"name": "projects/123/secrets/key/versions/1", "payload": payload}


class StandIn:
    def __init__(self, issuer: Issuer, ca_file: Path, private_key: str) -> None:
        self.token: tuple[int, Any] = TOKEN
        self.secret: tuple[int, Any] = (200, version(b"found"))
        self.server = ApiServer(self._handle, issuer.loopback())
        self.settings: dict[str, Any] = {
            "project": "acme",
            "address": self.server.address,
            "ca_file": str(ca_file),
            "credentials": "env://KEY",
        }
        self.key: dict[str, Any] = {
            "type": "service_account",
            "client_email": "reader@acme.iam.gserviceaccount.com",
            "private_key": private_key,
            "token_uri": f"{self.server.address}/token",
        }
        self._folder = ca_file.parent

    def _handle(self, request: Request) -> tuple[int, Any]:
        return self.token if request.path == "/token" else self.secret

    def read(self, *, by_machine: bool = False, timeout_s: float = 20, **settings: Any) -> Outcome:
        """Return the outcome of one reference."""
        secrets = {} if by_machine else {"credentials": Secret(json.dumps(self.key))}
        store = GCPSECRETS.open(StoreConfig(self._folder, self.settings | settings, secrets, timeout_s))
        try:
            (outcome,) = store.read([SecretReference.parse("mine://key")])
        finally:
            store.close()
        return outcome


def value(outcome: Outcome) -> str:
    assert isinstance(outcome, Fetched), outcome
    return outcome.secret.reveal()
