"""The sessions of docs/guides/rotation.md: its commands print what it says, and no request of a program that runs fails if the order is right."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from connform.database import open_grants
from connform.providers import catalog_entry
from tests.canary import API_KEY
from tests.conftest import Plant, require_peer
from tests.database.conftest import keep
from tests.end_to_end.conftest import Issuer
from tests.end_to_end.rotation import HOSTS, Api, Program, Terminal, blocks, running_program
from tests.http.servers import Server
from tests.http.test_proxy import tunnel_to
from tests.private_keys import pem_of
from tests.secrets.vault.openbao import OpenBao

OLD, NEW = f"{API_KEY}-old", f"{API_KEY}-new"
PATH = "secret/data/sendgrid"
IN_BAO = "corp-vault://secret/sendgrid#api_key"
IN_FILE = "file://sendgrid-key"


@pytest.fixture(scope="module")
def bao(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenBao]:
    with OpenBao(require_peer("bao"), tmp_path_factory.mktemp("openbao")) as server:
        server.initialise()
        server.mount("secret", 2)
        policy = 'path "secret/data/*" { capabilities = ["read"] }'
        server.call("PUT", "sys/policies/acl/reader", {"policy": policy})
        yield server


@pytest.fixture
def api() -> Api:
    return Api()


@pytest.fixture
def terminal(api: Api, bao: OpenBao, authority: Issuer, ca_file: Path, tmp_path: Path) -> Iterator[Terminal]:
    """A folder with the first key stored and declared, and the second one in a file."""
    for path in ("sendgrid", "ledger"):
        bao.call("DELETE", f"secret/metadata/{path}")
    with ExitStack() as stack:
        server = stack.enter_context(Server(api, tls=authority.server(*HOSTS)))
        proxy = stack.enter_context(Server(tunnel_to(server)))
        way = f'defaults: {{proxy: "http://127.0.0.1:{proxy.port}", tls: {{ca_file: "{ca_file}"}}}}\n'
        yield Terminal(tmp_path, bao, bao.token("reader"), way)


@pytest.fixture
def applied(terminal: Terminal, api: Api, bao: OpenBao, plant: Plant, reference: str) -> Terminal:
    """The same, applied with the old key."""
    api.keys = {OLD}
    terminal.variables["SENDGRID_KEY"] = OLD
    plant("sendgrid-key", OLD)
    plant(".env", f"SENDGRID_KEY={OLD}\n")
    plant("new-key", NEW)
    bao.call("POST", PATH, {"data": {"api_key": OLD}})
    terminal.declare(blocks("An example", "yaml")[0].replace(IN_BAO, reference))
    terminal.type_in("An example")
    return terminal


@pytest.fixture(params=[IN_BAO])
def reference(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def program(applied: Terminal, api: Api) -> Iterator[Program]:
    """The program of the page, which has made requests with the old key."""
    with running_program(applied) as program:
        program.wait(lambda: len(program.statuses) > 2)
        yield program


def test_no_request_fails_in_the_order_of_the_page(applied: Terminal, api: Api, program: Program) -> None:
    api.keys.add(NEW)
    applied.type_in("1. Issue and store the second key")
    applied.type_in("2. Check it")
    assert "no changes" in applied.run("connform", "plan").out
    assert applied.run("connform", "apply", "--yes").code == 0
    applied.type_in("3. Record it")
    assert applied.run("connform", "plan", "--refresh", "--detailed-exitcode").code == 0
    before = api.count(NEW)
    applied.type_in("4. Let the programs read it")
    program.wait(lambda: api.count(NEW) > before + 2)
    api.keys.remove(OLD)
    applied.type_in("5. Revoke the old key")
    before = api.count(NEW)
    program.wait(lambda: api.count(NEW) > before + 2)
    assert set(program.statuses) == {200}
    assert api.count(OLD, 401) == 0


def store(terminal: Terminal, bao: OpenBao, reference: str, key: str) -> None:
    if reference == IN_BAO:
        bao.call("POST", PATH, {"data": {"api_key": key}})
    else:
        (terminal.folder / "sendgrid-key").write_text(key)


@pytest.mark.parametrize("reference", [IN_BAO, IN_FILE], indirect=True)
def test_a_program_that_is_told_nothing_is_refused_once_and_its_caller_sees_no_failure(
    applied: Terminal, api: Api, bao: OpenBao, program: Program, reference: str
) -> None:
    api.keys.add(NEW)
    store(applied, bao, reference, NEW)
    before = len(program.statuses)
    program.wait(lambda: len(program.statuses) > before + 5)
    assert api.count(NEW) == 0
    api.keys.remove(OLD)
    program.wait(lambda: api.count(NEW) > 2)
    assert set(program.statuses) == {200}
    assert api.count(OLD, 401) == 1


def test_requests_fail_from_an_early_revocation_until_the_new_key_is_stored(
    applied: Terminal, api: Api, program: Program
) -> None:
    api.keys = {NEW}
    program.wait(lambda: 401 in program.statuses)
    applied.type_in("The old key is revoked first")
    before = api.count(NEW)
    program.wait(lambda: api.count(NEW) > before + 2)
    statuses = program.statuses
    failing = statuses[statuses.index(401) :]
    assert failing == sorted(failing, reverse=True), "no request fails after one with the new key"


def test_a_key_that_the_api_does_not_accept_yet_harms_no_program_before_refresh(
    applied: Terminal, api: Api, bao: OpenBao, program: Program
) -> None:
    store(applied, bao, IN_BAO, NEW)
    assert applied.run("connform", "check").code == 4
    before = len(program.statuses)
    program.wait(lambda: len(program.statuses) > before + 5)
    assert set(program.statuses) == {200}
    applied.run("bash", "-c", "kill -HUP $(cat program.pid)")
    program.wait(lambda: 401 in program.statuses)
    api.keys = {NEW}
    before = api.count(NEW)
    program.wait(lambda: api.count(NEW) > before + 2)
    failing = program.statuses[program.statuses.index(401) :]
    assert failing == sorted(failing, reverse=True), "accepted at once when the API accepts the key"


def test_the_old_key_is_taken_back_while_it_is_valid(
    applied: Terminal, api: Api, bao: OpenBao, program: Program
) -> None:
    api.keys.add(NEW)
    store(applied, bao, IN_BAO, NEW)
    applied.run("bash", "-c", "kill -HUP $(cat program.pid)")
    program.wait(lambda: api.count(NEW) > 0)
    applied.type_in("Going back")
    api.keys.remove(NEW)
    before = api.count(OLD)
    program.wait(lambda: api.count(OLD) > before + 2)
    assert set(program.statuses) == {200}


@pytest.mark.parametrize("reference", ["corp-vault://secret/sendgrid?version=1#api_key"], indirect=True)
def test_a_version_in_the_manifest_is_rotated_by_a_pull_request(
    applied: Terminal, api: Api, bao: OpenBao, program: Program, reference: str
) -> None:
    heading = "A version in the manifest"
    assert reference in blocks(heading, "yaml")[0]
    api.keys.add(NEW)
    store(applied, bao, IN_BAO, NEW)
    assert "no changes" in applied.run("connform", "plan", "--refresh").out
    applied.merge(*blocks(heading, "diff"))
    before = api.count(NEW)
    applied.type_in(heading)
    assert api.count(NEW) == before + 1
    api.keys.remove(OLD)
    program.wait(lambda: 401 in program.statuses)
    applied.run("bash", "-c", "kill -HUP $(cat program.pid)")
    before = api.count(OLD, 401)
    program.wait(lambda: api.count(OLD, 401) > before + 5)
    assert api.count(NEW) == 1, "it has the old manifest"
    with running_program(applied) as restarted:
        restarted.wait(lambda: len(restarted.statuses) > 2)
        assert set(restarted.statuses) == {200}


@pytest.mark.parametrize("reference", [IN_FILE], indirect=True)
def test_a_new_file_is_another_version(applied: Terminal, api: Api, planted: set[Path]) -> None:
    api.keys.add(NEW)
    applied.type_in("Other places of a secret")
    assert api.count(NEW) == 1


@pytest.mark.parametrize("reference", ["env://SENDGRID_KEY", "dotenv://.env#SENDGRID_KEY"], indirect=True)
def test_a_variable_has_no_version(applied: Terminal, api: Api) -> None:
    api.keys.add(NEW)
    applied.variables["SENDGRID_KEY"] = NEW
    (applied.folder / ".env").write_text(f"SENDGRID_KEY={NEW}\n")
    refreshed = applied.run("connform", "plan", "--refresh", "--detailed-exitcode")
    assert (refreshed.code, "no changes" in refreshed.out, api.count(NEW)) == (0, True, 1)


def test_another_path_needs_force_and_another_version_does_not(applied: Terminal, api: Api, bao: OpenBao) -> None:
    for path in (PATH, "secret/data/another"):
        bao.call("POST", path, {"data": {"api_key": OLD}})
    for reference, code in (("secret/sendgrid?version=2", 0), ("secret/another", 7)):
        applied.merge(f"-secret/sendgrid\n+{reference}\n")
        assert applied.run("connform", "apply", "--yes").code == code


CLIENT_CREDENTIALS = """\
version: 1
connections:
  app:
    provider: http
    base_url: https://api.acme.example/v1
    check: {path: /me, expect: {body: {required: [id]}}}
    auth: {method: client_credentials, client_id: app, client_auth: body, client_secret: "file://sendgrid-key",
           token_url: "https://login.acme.example/token"}
"""
LOGIN = (
    CLIENT_CREDENTIALS.partition("    auth:")[0]
    + """\
    auth: {method: login, password: "file://sendgrid-key",
           login: {url: "https://login.acme.example/token", form: {client_secret: "{password}"}, token_at: /access_token}}
"""
)
GRANT = CLIENT_CREDENTIALS.replace("client_credentials", "oauth2").replace(
    "client_id: app",
    'client_id: app, redirect_uri: "https://localhost/auth", authorize_url: "https://login.acme.example/"',
)


@pytest.mark.parametrize("manifest", [CLIENT_CREDENTIALS, LOGIN])
def test_check_proves_a_secret_that_obtains_tokens_by_itself(applied: Terminal, api: Api, manifest: str) -> None:
    applied.declare(manifest)
    api.client_secrets = {OLD}
    assert applied.run("connform", "check").code == 0
    (applied.folder / "sendgrid-key").write_text(NEW)
    assert applied.run("connform", "check").code == 4
    api.client_secrets.add(NEW)
    assert applied.run("connform", "check").code == 0
    assert api.count(NEW) == 1


def test_a_renewal_by_force_proves_the_client_secret_of_a_grant_and_check_does_not(applied: Terminal, api: Api) -> None:
    applied.declare(GRANT)
    api.client_secrets = {OLD}
    logged_in = applied.run("connform", "login", "app", "--with-refresh-token", stdin="refresh")
    assert logged_in.code == 0, logged_in.err
    (applied.folder / "sendgrid-key").write_text(NEW)
    api.shown.clear()
    assert applied.run("connform", "check").code == 0
    assert api.count(NEW, 401) == 0
    make_older(applied.folder)
    renew = ("connform", "token", "app", "--force-renew", "--output", "token")
    assert applied.run(*renew).code == 4
    api.client_secrets.add(NEW)
    assert applied.run(*renew).code == 0
    assert (api.count(NEW), api.count(OLD)) == (1, 0)


def make_older(folder: Path) -> None:
    """Let the tokens of a grant have been obtained two minutes ago."""
    store = open_grants("", folder / ".connform", None)
    kept = store.read("app")
    assert kept
    earlier = kept.facts.obtained_at - timedelta(minutes=2)
    keep(store, kept._replace(facts=kept.facts._replace(obtained_at=earlier)))
    store.close()


def test_a_private_key_and_its_name_are_rotated_in_one_pull_request(terminal: Terminal, api: Api, bao: OpenBao) -> None:
    heading = "A private key"
    keys = {f"acme-{year}": ec.generate_private_key(ec.SECP256R1()) for year in (2025, 2026)}
    for name, key in keys.items():
        bao.call("POST", "secret/data/ledger", {"data": {"private_key": pem_of(key)}})
        api.public_keys[name] = key.public_key()
    terminal.declare(blocks(heading, "yaml")[0])
    assert terminal.run("connform", "apply", "--yes").code == 0
    assert "no changes" in terminal.run("connform", "plan", "--refresh").out
    terminal.merge(*blocks(heading, "diff"))
    terminal.type_in(heading)
    del api.public_keys["acme-2025"]
    assert terminal.run("connform", "check").code == 0
    terminal.merge("-acme-2026\n+acme-2025\n")
    assert terminal.run("connform", "check").code == 4, "the new key under the old name"


def test_a_vendor_that_refuses_with_another_status_is_one_that_the_page_names() -> None:
    for name, status in (("slack", 200), ("gemini", 400)):
        answers = (catalog_entry(name) or {})["answers"]
        assert status in {one for answer in answers if answer["means"] == "auth_rejected" for one in answer["status"]}
