"""The folder of a service: a manifest with a key in OpenBao, a token in a file, and an OAuth grant, and all that they need."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from connform.database import open_grants
from connform.secret import Secret
from tests.database.conftest import grant, keep
from tests.end_to_end.conftest import Issuer
from tests.http.servers import Server
from tests.secrets.vault.openbao import OpenBao
from tests.services.api import Api

_MANIFEST = """\
version: 1
stores:
  bao:
    type: vault
    address: {bao}
    ca_file: {bao_ca}
    mount: secret
    kv_version: 2
    auth: {{method: approle, role_id: {role}, secret_id: "file://secret-id"}}
defaults: {{environment: private, base_url: "https://localhost:{port}/api", tls: {{ca_file: ca.pem}}, timeouts: {{total_s: 20}}}}
connections:
  key: {{auth: {{method: api_key, api_key: "bao://api#key"}}}}
  token: {{auth: {{method: bearer, token: "file://token"}}}}
  grant:
    auth: {{method: oauth2, client_id: app, client_secret: "file://client-secret", redirect_uri: "https://localhost/auth",
            token_url: "https://localhost:{port}/token"}}
"""


def prepare(folder: Path, api: Api, server: Server, bao: OpenBao, authority: Issuer) -> None:
    bao.initialise()
    bao.mount("secret", 2)
    bao.call("PUT", "sys/policies/acl/reader", {"policy": 'path "secret/data/*" { capabilities = ["read"] }'})
    bao.call("POST", "sys/auth/approle", {"type": "approle"})
    bao.call(
        "POST", "auth/approle/role/service", {"token_policies": ["reader"], "token_ttl": "5s", "token_max_ttl": "5s"}
    )
    role = bao.call("GET", "auth/approle/role/service/role-id")["data"]["role_id"]
    bao.call("POST", "secret/data/api", {"data": {"key": api.good["key"]}})
    secret_id = bao.call("PUT", "auth/approle/role/service/secret-id", {})["data"]["secret_id"]
    files = {"secret-id": secret_id, "token": api.good["token"], "client-secret": api.good["client secret"]}
    for name, content in files.items():
        (folder / name).write_text(content)
    (folder / "ca.pem").write_bytes(authority.pem)
    text = _MANIFEST.format(bao=bao.address, bao_ca=bao.ca_file, role=role, port=server.port)
    (folder / "connections.yaml").write_text(text)
    keep_grant(folder, server)


def keep_grant(folder: Path, server: Server, name: str = "grant") -> None:
    """Keep the grant of a connection, whose access token has ended."""
    store = open_grants("", folder / ".connform", None)
    token_url = f"https://localhost:{server.port}/token"
    granted = grant(name, token_url=token_url, client_id="app", expires_at=datetime(2020, 1, 1, tzinfo=UTC))
    keep(store, granted._replace(refresh_token=Secret("refresh-0")))
    store.close()
