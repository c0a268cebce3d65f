"""A server that answers as the token endpoint of Entra ID and a vault do; each answer is what a test sets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from connform.secret import Secret, SecretReference
from connform.secrets.azure.backend import AZUREKV
from connform.secrets.kit.interface import Outcome, StoreConfig
from tests.canary import API_KEY
from tests.end_to_end.conftest import Issuer
from tests.secrets.api_server import ApiServer, Request

TOKEN = (200, {"access_token": API_KEY, "token_type": "Bearer", "expires_in": 3599})
BUNDLE = (
    200,
    {"value": "found", "id": "https://acme.vault.azure.net/secrets/key/0a1b", "attributes": {"enabled": True}},
)


class StandIn:
    def __init__(self, issuer: Issuer, ca_file: Path) -> None:
        self.token: tuple[int, Any] = TOKEN
        self.secret: tuple[int, Any] = BUNDLE
        self.server = ApiServer(self._handle, issuer.loopback())
        self.settings: dict[str, Any] = {
            "address": self.server.address,
            "authority": self.server.address,
            "ca_file": str(ca_file),
            "tenant_id": "acme",
            "client_id": "reader",
            "client_secret": "env://SECRET",
        }
        self._folder = ca_file.parent

    def _handle(self, request: Request) -> tuple[int, Any]:
        return self.token if request.method == "POST" else self.secret

    def read(self, *, timeout_s: float = 20, **settings: Any) -> Outcome:
        """Return the outcome of one reference."""
        secrets = {"client_secret": Secret(API_KEY)}
        store = AZUREKV.open(StoreConfig(self._folder, self.settings | settings, secrets, timeout_s))
        try:
            (outcome,) = store.read([SecretReference.parse("mine://key")])
        finally:
            store.close()
        return outcome
