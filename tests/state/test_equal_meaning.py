"""Edits of a manifest that change nothing, which no plan may show, and edits that do, each of which a plan names."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from connform.cli.main import main
from tests.database.postgres import Postgres
from tests.state.recording import record

MANIFEST = """\
version: 1
defaults:
  owner: team-a
stores:
  corp:
    type: vault
    address: https://vault.acme.example/v
    ca_file: tls/ca.pem
    tls: {client_cert: tls/me.pem, client_key: tls/me.key}
    proxy: http://way.acme.example:8080
    environment: [eu-1, live]
    auth: {method: approle, role_id: acme, secret_id: env://SECRET_ID}
  azure:
    type: azurekv
    address: https://acme.vault.azure.net
    environment: eu-1
  local: {type: dotenv, path: .env}
templates:
  api:
    provider: http
    base_url: https://api.acme.example/v1
    check: {path: /me}
connections:
  key:
    extends: api
    description: the key
    tags: [a, b]
    tls: {ca_file: tls/ca.pem}
    timeouts: {read_s: 20}
    auth: {method: api_key, api_key: env://KEY}
  bearer:
    extends: api
    proxy: http://proxy.acme.example:3128
    auth:
      method: bearer
      token: file://secrets/token
  vault:
    extends: api
    environment: live
    auth: {method: api_key, api_key: "corp://kv/acme#key"}
  azure:
    extends: api
    environment: eu-1
    auth: {method: api_key, api_key: "azure://acme-key"}
  dotenv:
    extends: api
    auth: {method: api_key, api_key: "local://KEY"}
  sign:
    environment: sandbox
    region: us
    auth: {method: api_key, api_key: "dotenv://.env#SIGN"}
  customer:
    environment: production
    region: us
    auth: {method: oauth2, client_id: portal, client_secret: env://PORTAL, redirect_uri: https://acme.example/cb}
  oauth:
    extends: api
    auth:
      method: oauth2
      client_id: acme
      client_secret: env://APP
      redirect_uri: https://localhost/cb
      authorize_url: https://login.acme.example/authorize
      token_url: https://login.acme.example/token
      scopes: [read, write]
"""

NOTHING_CHANGED = {
    # layout
    "a comment": ("version: 1", "# connections\nversion: 1"),
    "an empty line": ("templates:", "\ntemplates:"),
    "quotes": ("region: us", 'region: "us"'),
    "single quotes": ("method: bearer", "method: 'bearer'"),
    "block style of a store": ("local: {type: dotenv, path: .env}", "local:\n    type: dotenv\n    path: .env"),
    "block style": ("check: {path: /me}", "check:\n      path: /me"),
    "a marker of the document": ("version: 1", "---\nversion: 1"),
    "another indentation": ("    address: https://acme.v", "    address:   https://acme.v"),
    # order
    "keys of a connection": ("    environment: sandbox\n    region: us\n", "    region: us\n    environment: sandbox\n"),
    "keys of auth": ("{method: api_key, api_key: env://KEY}", "{api_key: env://KEY, method: api_key}"),
    "keys of a store": ("{type: dotenv, path: .env}", "{path: .env, type: dotenv}"),
    "tags": ("[a, b]", "[b, a]"),
    "scopes": ("[read, write]", "[write, read]"),
    "environments of a store": ("[eu-1, live]", "[live, eu-1]"),
    "a list of one environment": ("environment: eu-1\n  local", "environment: [eu-1]\n  local"),
    # numbers and empty values
    "a float": ("read_s: 20", "read_s: 20.0"),
    "an exponent": ("read_s: 20", "read_s: 2e1"),
    "empty tls": ("    environment: sandbox", "    tls: {}\n    environment: sandbox"),
    "empty tags": ("    environment: sandbox", "    tags: []\n    environment: sandbox"),
    "empty time-outs": ("    environment: sandbox", "    timeouts: {}\n    environment: sandbox"),
    # defaults made explicit
    "provider": ("    environment: sandbox", "    provider: iinked-sign\n    environment: sandbox"),
    "connect_s": ("read_s: 20", "read_s: 20, connect_s: 5"),
    "total_s": ("read_s: 20", "read_s: 20, total_s: 60"),
    "every time-out": (
        "    environment: sandbox",
        "    timeouts: {connect_s: 5, read_s: 30, total_s: 60}\n    environment: sandbox",
    ),
    "check method": ("{path: /me}", "{path: /me, method: GET}"),
    "expected status": ("{path: /me}", "{path: /me, expect_status: 200}"),
    "class": ("    check: {", "    class: production\n    check: {"),
    "header of the key": ("    check: {", "    api_key_header: X-Api-Key\n    check: {"),
    "header of the key, lower case": ("    check: {", "    api_key_header: x-api-key\n    check: {"),
    "scopes of the provider": (
        "client_id: portal",
        "client_id: portal, scopes: [organization, offline_access, profile]",
    ),
    "client_auth": ("      client_id: acme", "      client_auth: basic\n      client_id: acme"),
    "time-out of a store": ("type: azurekv", "type: azurekv\n    timeout_s: 10"),
    "authority of Azure": ("type: azurekv", "type: azurekv\n    authority: https://login.microsoftonline.com"),
    "mount of AppRole": ("role_id: acme", "role_id: acme, mount: approle"),
    # URLs
    "slash of the base URL": ("api.acme.example/v1", "api.acme.example/v1/"),
    "case of the host": ("https://api.acme.example", "https://API.Acme.example"),
    "case of the scheme": ("https://api.acme.example", "HTTPS://api.acme.example"),
    "port of the base URL": ("api.acme.example/", "api.acme.example:443/"),
    "slash of a store": ("vault.acme.example/v", "vault.acme.example/v/"),
    "case of a store": ("vault.acme.example", "VAULT.acme.example"),
    "port of a store": ("vault.acme.example", "vault.acme.example:443"),
    "slash of Azure": ("vault.azure.net", "vault.azure.net/"),
    "case of the token endpoint": ("login.acme.example/token", "Login.acme.example/token"),
    "port of the authorization endpoint": ("login.acme.example/authorize", "login.acme.example:443/authorize"),
    "case of the proxy": ("proxy.acme.example", "PROXY.acme.example"),
    "slash of the proxy": (":3128", ":3128/"),
    # references
    "ref+ of a variable": ("env://KEY", "ref+env://KEY"),
    "ref+ of a file": ("file://secrets", "ref+file://secrets"),
    "ref+ of a store": ("corp://", "ref+corp://"),
    "ref+ of what opens a store": ("env://SECRET_ID", "ref+env://SECRET_ID"),
    "ref+ of an app's secret": ("env://APP", "ref+env://APP"),
    # paths
    "./ of a file": ("file://secrets", "file://./secrets"),
    ".. of a file": ("file://secrets/token", "file://secrets/../secrets/token"),
    "two slashes of a file": ("file://secrets/token", "file://secrets//token"),
    "./ of a dotenv file": ("dotenv://.env", "dotenv://./.env"),
    "./ of a store": ("path: .env", "path: ./.env"),
    ".. of a store": ("path: .env", "path: sub/../.env"),
    "./ of a CA": ("tls: {ca_file: tls", "tls: {ca_file: ./tls"),
    "two slashes of a CA": ("tls: {ca_file: tls/", "tls: {ca_file: tls//"),
    "./ of a store's CA": ("    ca_file: tls", "    ca_file: ./tls"),
    "./ of a store's certificate": ("client_cert: tls", "client_cert: ./tls"),
    "slash of a store's proxy": (":8080", ":8080/"),
    "empty TLS of a store": ("type: azurekv", "type: azurekv\n    tls: {}"),
    # inheritance
    "a default that is written out": ("    environment: sandbox", "    owner: team-a\n    environment: sandbox"),
    "a value of the template, written out": (
        "    extends: api\n    proxy",
        "    extends: api\n    check: {path: /me}\n    proxy",
    ),
    "an anchor": ("[a, b]", "&tags [a, b]"),
    "another template": (
        "  api:\n    provider: http\n",
        "  base: {provider: http}\n  api:\n    extends: base\n",
    ),
    "a store that nobody names": ("templates:", "  other: {type: file, path: /run}\ntemplates:"),
}  # fmt: skip
CHANGED = {
    "owner": ("owner: team-a", "owner: team-b", {"/owner"}),
    "description": ("the key", "a key", {"/description"}),
    "no description": ("    description: the key\n", "", {"/description"}),
    "a tag more": ("[a, b]", "[a, b, c]", {"/tags"}),
    "a tag less": ("[a, b]", "[a]", {"/tags"}),
    "another tag": ("[a, b]", "[a, B]", {"/tags"}),
    "no tags": ("    tags: [a, b]\n", "", {"/tags"}),
    "first tags": ("    environment: sandbox", "    tags: [a]\n    environment: sandbox", {"/tags"}),
    "read_s": ("read_s: 20", "read_s: 21", {"/timeouts/read_s"}),
    "a part of a second": ("read_s: 20", "read_s: 20.5", {"/timeouts/read_s"}),
    "read_s of the default": ("    timeouts: {read_s: 20}\n", "", {"/timeouts/read_s"}),
    "connect_s": ("read_s: 20", "read_s: 20, connect_s: 6", {"/timeouts/connect_s"}),
    "total_s": ("    environment: sandbox", "    timeouts: {total_s: 61}\n    environment: sandbox", {"/timeouts/total_s"}),
    "another CA": ("tls: {ca_file: tls/ca.pem", "tls: {ca_file: tls/ca2.pem", {"/tls/ca_file"}),
    "an absolute CA": (
        "tls: {ca_file: tls/ca.pem",
        "tls: {ca_file: /tls/ca.pem",
        {"/tls/ca_file", "/folder"},
    ),
    "no CA": ("    tls: {ca_file: tls/ca.pem}\n", "", {"/tls/ca_file", "/folder"}),
    "the letters of a path": ("tls: {ca_file: tls/ca.pem", "tls: {ca_file: TLS/ca.pem", {"/tls/ca_file"}),
    "a client certificate": (
        "tls: {ca_file: tls/ca.pem}",
        "tls: {ca_file: tls/ca.pem, client_cert: c.pem, client_key: k.pem}",
        {"/tls/client_cert", "/tls/client_key"},
    ),
    "proxy": (":3128", ":3129", {"/proxy"}),
    "host of the proxy": ("http://proxy.", "http://proxy2.", {"/proxy"}),
    "scheme of the proxy": ("http://proxy", "https://proxy", {"/proxy"}),
    "proxy of the environment": ("http://proxy.acme.example:3128", "environment", {"/proxy"}),
    "no proxy": ("    proxy: http://proxy.acme.example:3128\n", "", {"/proxy"}),
    "a first proxy": ("    environment: sandbox", "    proxy: environment\n    environment: sandbox", {"/proxy"}),
    "host": ("api.acme.example", "api2.acme.example", {"/base_url"}),
    "port": ("api.acme.example", "api.acme.example:8443", {"/base_url"}),
    "path of the base URL": ("acme.example/v1", "acme.example/v2", {"/base_url"}),
    "letters of the path": ("acme.example/v1", "acme.example/V1", {"/base_url"}),
    "check path": ("path: /me", "path: /you", {"/check/path"}),
    "slash of the check": ("path: /me", "path: /me/", {"/check/path"}),
    "check method": ("path: /me", "path: /me, method: HEAD", {"/check/method"}),
    "expected status": ("path: /me", "path: /me, expect_status: 204", {"/check/expect_status"}),
    "header": ("    check: {", "    api_key_header: X-Key\n    check: {", {"/api_key_header"}),
    "a label": ("    check: {", "    environment: private\n    check: {", {"/environment"}),
    "class": ("    check: {", "    class: test\n    check: {", {"/class"}),
    "region": ("region: us", "region: eu", {"/region", "/base_url"}),
    "environment": ("environment: sandbox", "environment: production", {"/environment", "/base_url"}),
    "variable": ("env://KEY", "env://KEY2", {"/auth/api_key"}),
    "letters of a variable": ("env://KEY", "env://Key", {"/auth/api_key"}),
    "another backend": ("env://KEY", "file:///KEY", {"/auth/api_key"}),
    "a version": ("corp://kv/acme#key", "corp://kv/acme?version=2#key", {"/auth/api_key"}),
    "a field": ("acme#key", "acme#key2", {"/auth/api_key"}),
    "path in a store": ("corp://kv/acme", "corp://kv/acme2", {"/auth/api_key"}),
    "file": ("file://secrets/token", "file://secrets/token2", {"/auth/token"}),
    "an absolute file": ("file://secrets/token", "file:///secrets/token", {"/auth/token", "/folder"}),
    "key of a dotenv file": (".env#SIGN", ".env#SIGN2", {"/auth/api_key"}),
    "dotenv file": ("dotenv://.env", "dotenv://.env2", {"/auth/api_key"}),
    "method": ("method: bearer\n      token", "method: api_key\n      api_key", {"/auth/method", "/auth/token", "/auth/api_key"}),
    "address of a store": ("vault.acme", "vault2.acme", {"/stores/corp/address"}),
    "path of a store's address": ("example/v\n", "example/w\n", {"/stores/corp/address"}),
    "CA of a store": ("    ca_file: tls/ca.pem", "    ca_file: tls/c.pem", {"/stores/corp/ca_file"}),
    "role": ("role_id: acme", "role_id: acme2", {"/stores/corp/auth/role_id"}),
    "what opens a store": ("env://SECRET_ID", "env://SECRET_ID2", {"/stores/corp/auth/secret_id"}),
    "mount": ("role_id: acme", "role_id: acme, mount: other", {"/stores/corp/auth/mount"}),
    "namespace": ("type: vault", "type: vault\n    namespace: team", {"/stores/corp/namespace"}),
    "an environment of a store less": ("[eu-1, live]", "live", {"/stores/corp/environment"}),
    "an environment of a store more": (
        "environment: eu-1\n  local",
        "environment: [eu-1, live]\n  local",
        {"/stores/azure/environment"},
    ),
    "no environment of a store": ("    environment: [eu-1, live]\n", "", {"/stores/corp/environment"}),
    "a file of a store": ("path: .env", "path: .env.production", {"/stores/local/path"}),
    "certificate of a store": ("tls/me.pem", "tls/you.pem", {"/stores/corp/tls/client_cert"}),
    "proxy of a store": (":8080", ":8081", {"/stores/corp/proxy"}),
    "no proxy of a store": ("    proxy: http://way.acme.example:8080\n", "", {"/stores/corp/proxy"}),
    "a first CA of a store": (
        "type: azurekv",
        "type: azurekv\n    ca_file: c.pem",
        {"/stores/azure/ca_file", "/stores/azure/folder"},
    ),
    "authority": (
        "type: azurekv",
        "type: azurekv\n    authority: https://login.microsoftonline.us",
        {"/stores/azure/authority"},
    ),
    "client": ("client_id: acme", "client_id: acme2", {"/auth/client_id"}),
    "redirect": ("https://localhost/cb", "https://localhost/cb/", {"/auth/redirect_uri"}),
    "letters of a redirect": ("https://localhost/cb", "https://LOCALHOST/cb", {"/auth/redirect_uri"}),
    "token endpoint": ("example/token", "example/token/", {"/auth/token_url"}),
    "client_auth": ("client_id: acme", "client_auth: body\n      client_id: acme", {"/auth/client_auth"}),
    "no scopes": ("client_id: portal", "client_id: portal, scopes: []", {"/auth/scopes"}),
    "a scope more": ("[read, write]", "[read, write, admin]", {"/auth/scopes"}),
}  # fmt: skip
Plan = Callable[[str], dict[str, Any]]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def folder_and_state(
    request: pytest.FixtureRequest, postgres: Postgres, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, str]:
    """A repository whose manifest was applied, and the URL of its state."""
    folder = tmp_path_factory.mktemp("repository")
    subprocess.run(["git", "init", "-q", folder], check=True)
    state = f"sqlite:///{folder}/state"
    if request.param == "postgresql":
        state = postgres.fresh("equal_meaning")
    (folder / "connections.yaml").write_text(MANIFEST)
    record(folder / "connections.yaml", state=state)
    return folder, state


@pytest.fixture
def plan(
    folder_and_state: tuple[Path, str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Plan:
    """Returns the pointers that differ, by connection, of a manifest that replaces the applied one."""
    folder, state = folder_and_state
    monkeypatch.setenv("CONNFORM_STATE", state)

    def planned(manifest: str) -> dict[str, Any]:
        file = folder / "connections.yaml"
        file.write_text(manifest)
        code = main(["plan", "-f", str(file), "--format", "json"])
        report = json.loads(capsys.readouterr().out)
        assert code == 0, report["diagnostics"]
        changes = {one["name"]: one for one in report["connections"] if one["action"] != "none"}
        return {name: {field["pointer"] for field in one["changes"]} for name, one in changes.items()}

    return planned


@pytest.mark.parametrize("edit", NOTHING_CHANGED)
def test_nothing_changed(edit: str, plan: Plan) -> None:
    before, after = NOTHING_CHANGED[edit]
    assert before in MANIFEST
    assert plan(MANIFEST.replace(before, after)) == {}


@pytest.mark.parametrize("edit", CHANGED)
def test_what_changed_is_named(edit: str, plan: Plan) -> None:
    before, after, pointers = CHANGED[edit]
    assert before in MANIFEST
    changes = plan(MANIFEST.replace(before, after))
    assert changes
    for changed in changes.values():
        assert changed == pointers
