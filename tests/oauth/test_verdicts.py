"""What is wrong with a store or a token endpoint is a verdict of a check, with its class and exit code."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from connform.database import open_grants
from connform.database.cipher import new_key
from connform.secret import Secret
from tests.canary import API_KEY, assert_no_canary
from tests.database.conftest import grant, keep
from tests.database.postgres import PASSWORD, Postgres
from tests.end_to_end.conftest import Issuer
from tests.end_to_end.running import run_here as run
from tests.http.servers import Behaviour, Connection, Server, answer
from tests.oauth.conftest import SECRET

if TYPE_CHECKING:
    import psycopg


ENVIRONMENT = {"PORTAL_SECRET": SECRET}
MANIFEST = """\
version: 1
connections:
  customer:
    environment: private
    base_url: https://localhost:{port}/api/v1
    tls: {{ca_file: "{ca_file}"}}
    timeouts: {{total_s: {total_s}}}
    auth:
      method: oauth2
      client_id: acme-portal
      client_secret: env://PORTAL_SECRET
      redirect_uri: https://localhost/auth
"""


@contextmanager
def _locked(state: Path) -> Iterator[None]:
    store = open_grants("", state, None)
    with store.lock("customer", 1):
        yield
    store.close()


def _mounted(*argv: str) -> None:
    if subprocess.run(["mount", *argv], check=False, capture_output=True).returncode:
        pytest.skip("mounting needs root")


@contextmanager
def read_only(state: Path) -> Iterator[None]:
    _mounted("--bind", str(state), str(state))
    try:
        _mounted("-o", "remount,ro,bind", str(state))
        yield
    finally:
        subprocess.run(["umount", "-l", state], check=True)


@contextmanager
def _full(state: Path) -> Iterator[None]:
    """Move the store to a disk of its own, and fill that."""
    kept = shutil.copytree(state, state.parent / "kept")
    _mounted("-t", "tmpfs", "-o", "size=256k,mode=0700", "connform", str(state))
    try:
        shutil.copytree(kept, state, dirs_exist_ok=True)
        with suppress(OSError), (state / "filling").open("wb", buffering=0) as filling:
            while True:
                filling.write(bytes(4096))
        yield
    finally:
        subprocess.run(["umount", "-l", state], check=True)


def _link(state: Path) -> None:
    file = state / "state.sqlite3"
    file.symlink_to(file.rename(state.parent / "elsewhere.sqlite3"))


def _linked_folder(state: Path) -> None:
    state.symlink_to(state.rename(state.parent / "elsewhere"))


def _done(damage: Callable[[Path], object]) -> Callable[[Path], AbstractContextManager[None]]:
    @contextmanager
    def done(state: Path) -> Iterator[None]:
        damage(state)
        yield

    return done


def prepare(
    folder: Path, server: Server, ca_file: Path, url: str = "", key: str = "", total_s: int = 30, **facts: Any
) -> None:
    """Declare a customer on `server`, and keep a grant whose access token has ended unless it is told otherwise."""
    (folder / "connections.yaml").write_text(MANIFEST.format(port=server.port, ca_file=ca_file, total_s=total_s))
    store = open_grants(url, folder / ".connform", (lambda: Secret(key)) if key else None)
    keep(store, grant(token_url=f"https://localhost:{server.port}/connect/token", **facts))
    store.close()


CASES = {
    "readable by others": (_done(lambda state: (state / "state.sqlite3").chmod(0o644)), "store_insecure", "0644"),
    "damaged": (_done(lambda state: os.truncate(state / "state.sqlite3", 5000)), "store_corrupt", "malformed"),
    "without its key": (_done(lambda state: (state / "key").unlink()), "store_key_wrong", "no key"),
    "a link": (_done(_link), "store_insecure", "is a link"),
    "a link to a folder": (_done(_linked_folder), "store_insecure", "links and devices are refused"),
    "read-only": (read_only, "store_unwritable", "Read-only"),
    "on a full disk": (_full, "store_unwritable", "full"),
    "a grant that is held": (_locked, "store_locked", "not free within"),
}


@pytest.mark.parametrize("case", CASES)
def test_a_store_that_cannot_be_used_is_a_verdict(authority: Issuer, ca_file: Path, tmp_path: Path, case: str) -> None:
    spoil, fault, words = CASES[case]
    with Server(answer(b"{}"), tls=authority.loopback()) as server:
        prepare(tmp_path, server, ca_file, total_s=2)  # of which it waits for the lock
        with spoil(tmp_path / ".connform"):
            checked = run("check", "--format", "json", cwd=tmp_path, env=ENVIRONMENT)
        assert server.requests == []
    found = checked.connection
    assert (checked.code, found["class"], found["stage"]) == (5, fault, "secret")
    assert words in found["message"]
    assert found["hint"]
    assert_no_canary(checked.out, checked.err)


@contextmanager
def _down(postgres: Postgres, _database: str) -> Iterator[None]:
    postgres.stop()
    try:
        yield
    finally:
        postgres.start()


@contextmanager
def _only_to_be_read(postgres: Postgres, database: str) -> Iterator[None]:
    with _admin(postgres) as admin:
        admin.execute(f"ALTER DATABASE {database} SET default_transaction_read_only = on")
    yield


def _admin(postgres: Postgres) -> psycopg.Connection:
    import psycopg

    return psycopg.connect(postgres.url(), autocommit=True)


ON_A_SERVER = {
    "down": (_down, "store_unavailable", "refused"),
    "only to be read": (_only_to_be_read, "store_unwritable", "read-only"),
}


@pytest.mark.parametrize("case", ON_A_SERVER)
def test_a_server_that_keeps_no_grants_is_a_verdict(
    authority: Issuer, ca_file: Path, tmp_path: Path, postgres: Postgres, case: str
) -> None:
    spoil, fault, words = ON_A_SERVER[case]
    database, key = "verdicts", new_key()
    url = postgres.fresh("verdicts")
    kept_there = {"CONNFORM_STATE": url, "CONNFORM_STATE_KEY": "env://STATE_KEY", "STATE_KEY": key}
    with Server(answer(b"{}"), tls=authority.loopback()) as server:
        prepare(tmp_path, server, ca_file, url, key)
        with spoil(postgres, database):
            checked = run("check", "--format", "json", cwd=tmp_path, env=ENVIRONMENT | kept_there)
        assert server.requests == []
    found = checked.connection
    assert (checked.code, found["class"], found["stage"]) == (5, fault, "secret")
    assert words in found["message"]
    assert found["hint"]
    assert PASSWORD not in checked.out + checked.err
    assert key not in checked.out + checked.err


def _says(error: str, status: int = 400) -> Behaviour:
    return answer(json.dumps({"error": error, "error_description": API_KEY}).encode(), status=status)


def _cut(connection: Connection) -> None:
    connection.read_request()
    connection.reset()


ENDPOINTS: dict[str, tuple[Behaviour, str, int, str]] = {
    "the grant is refused": (_says("invalid_grant"), "login_required", 4, "the server no longer accepts the grant"),
    "the app is refused": (
        _says("invalid_client", 401),
        *("client_credentials_rejected", 4, "the token endpoint answered 401 invalid_client"),
    ),
    "the server failed": (
        answer(b"<html>", status=500),
        *("token_endpoint_unavailable", 6, "the token endpoint answered 500"),
    ),
    "a gateway answers": (
        answer(b"<html>", status=503),
        *("token_endpoint_unavailable", 6, "the token endpoint answered 503"),
    ),
    "a page, and no tokens": (
        answer(b"<html>"),
        *("refresh_interrupted", 4, "the token endpoint answered 200 without tokens"),
    ),
    "the answer is lost": (
        _cut,
        *("refresh_interrupted", 4, "a refresh was interrupted, and the answer with the new token was lost"),
    ),
}


@pytest.mark.parametrize("case", ENDPOINTS)
def test_what_a_token_endpoint_answers_is_a_verdict(
    authority: Issuer, ca_file: Path, tmp_path: Path, case: str
) -> None:
    behaviour, fault, code, words = ENDPOINTS[case]
    with Server(behaviour, tls=authority.loopback()) as server:
        prepare(tmp_path, server, ca_file)
        checked = run("check", "--format", "json", cwd=tmp_path, env=ENVIRONMENT)
        assert len(server.requests) == 1  # a token call is never repeated
    found = checked.connection
    assert (checked.code, found["class"], found["stage"]) == (code, fault, "auth")
    assert words in found["message"]
    assert found["hint"]
    assert_no_canary(checked.out, checked.err)


REQUEST = ("request", "customer", "GET", "/x")


@pytest.mark.parametrize(
    "verb", [("check",), ("token", "customer"), REQUEST, ("login", "customer", "--with-refresh-token")]
)
def test_an_apps_secret_with_a_control_character_goes_nowhere(
    authority: Issuer, ca_file: Path, tmp_path: Path, verb: tuple[str, ...]
) -> None:
    with Server(answer(b"{}"), tls=authority.loopback()) as server:
        prepare(tmp_path, server, ca_file)
        ended = run(*verb, cwd=tmp_path, env={"PORTAL_SECRET": f"{SECRET}\r\nx"}, stdin="token\n")
        assert (ended.code, server.requests) == (5, [])
    assert "`client_secret` holds a line break or control character" in ended.out + ended.err
    assert_no_canary(ended.out, ended.err)
