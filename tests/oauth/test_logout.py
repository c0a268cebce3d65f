"""What a logout sends, and where: a refresh token and the app's secret go to the grant's own server, or nowhere."""

from __future__ import annotations

import base64
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from connform.database import open_grants
from connform.grant import Grant
from tests.canary import API_KEY
from tests.database.conftest import NOW, grant, keep, tokens
from tests.end_to_end.conftest import Issuer
from tests.end_to_end.running import Run
from tests.end_to_end.running import run_here as run
from tests.http.servers import Behaviour, Server, answer
from tests.oauth.conftest import SECRET

HERE, ELSEWHERE, NOWHERE = "its server", "another server", ""


class Places:
    """The grant's own server and another one, both of which a client would trust."""

    def __init__(self, folder: Path, ca_file: Path, server: Server, other: Server) -> None:
        self.folder = folder
        self.ca_file = ca_file
        self.servers = {HERE: server, ELSEWHERE: other}

    def url(self, place: str) -> str:
        return f"https://localhost:{self.servers[place].port}/revocation" if place else ""

    @property
    def token_url(self) -> str:
        return f"https://localhost:{self.servers[HERE].port}/token"

    def declare(self, **auth: str) -> None:
        oauth = {
            "method": "oauth2",
            "client_id": "acme-portal",
            "client_secret": "env://PORTAL_SECRET",
            "redirect_uri": "https://localhost/auth",
            "authorize_url": f"{self.token_url}/authorize",
            "token_url": self.token_url,
        }
        customer = {
            "provider": "http",
            "base_url": "https://localhost:1/api",
            "check": {"path": "/me", "expect": {"body": {"required": ["ok"]}}},
            "tls": {"ca_file": str(self.ca_file)},
            "auth": oauth | {key: value for key, value in auth.items() if value},
        }
        (self.folder / "connections.yaml").write_text(json.dumps({"version": 1, "connections": {"customer": customer}}))

    def declare_base(self, server: Server) -> None:
        """Let the API be at a server; what is declared otherwise stays."""
        file = self.folder / "connections.yaml"
        content = json.loads(file.read_text())
        content["connections"]["customer"]["base_url"] = f"https://localhost:{server.port}/api"
        file.write_text(json.dumps(content))

    def declare_nothing(self) -> None:
        (self.folder / "connections.yaml").write_text(json.dumps({"version": 1, "connections": {}}))

    def keep(self, connection: str = "customer", **facts: Any) -> None:
        store = open_grants("", self.folder / ".connform", None)
        keep(store, grant(connection, token_url=self.token_url, **facts))
        store.close()

    def grants(self) -> list[str]:
        store = open_grants("", self.folder / ".connform", None)
        names = [facts.connection for facts in store.facts()]
        store.close()
        return names

    def run(self, *argv: str, stdin: str | None = None) -> Run:
        return run(*argv, cwd=self.folder, env={"PORTAL_SECRET": SECRET}, stdin=stdin)

    def asked(self) -> str:
        """Where the token went; the other server must not have been connected to, even where it was not asked."""
        came = [place for place, server in self.servers.items() if server.requests]
        assert len(came) < 2
        assert bool(self.servers[ELSEWHERE].connections) == (came == [ELSEWHERE])
        for place in came:
            (request,) = self.servers[place].requests
            form = {name: value for name, (value,) in parse_qs(request.partition(b"\r\n\r\n")[2].decode()).items()}
            assert form == {"token": tokens(grant())[1], "token_type_hint": "refresh_token"}
        return came[0] if came else NOWHERE


@pytest.fixture
def places(authority: Issuer, ca_file: Path, tmp_path: Path) -> Iterator[Places]:
    with (
        Server(answer(b""), tls=authority.loopback()) as server,
        Server(answer(b""), tls=authority.loopback()) as other,
    ):
        yield Places(tmp_path, ca_file, server, other)


WAYS = {  # what the manifest names, what was kept with the grant, where the token goes
    "the login found it": (NOWHERE, HERE, HERE),
    "the manifest names it": (HERE, NOWHERE, HERE),
    "the manifest names another by now": (HERE, ELSEWHERE, HERE),
    "the manifest names another server, as its login found": (ELSEWHERE, ELSEWHERE, ELSEWHERE),
    "only the store names another server": (NOWHERE, ELSEWHERE, NOWHERE),
    "nobody names one": (NOWHERE, NOWHERE, NOWHERE),
}


@pytest.mark.parametrize("case", WAYS)
def test_a_grant_is_revoked_where_the_manifest_says_or_at_its_own_server(places: Places, case: str) -> None:
    declared, kept, goes = WAYS[case]
    places.declare(revoke_url=places.url(declared))
    places.keep(revoke_url=places.url(kept))
    ended = places.run("logout", "customer")
    words = "was revoked and deleted" if goes else "not known to revoke"
    assert (ended.code, words in ended.out, places.grants()) == (0, True, []), ended.err
    assert places.asked() == goes


@pytest.mark.parametrize("kept", [HERE, NOWHERE])
def test_another_server_that_only_the_manifest_names_gets_nothing_unless_it_is_forced(
    places: Places, kept: str
) -> None:
    """Whoever changes one line of a manifest can't lead the refresh token and the app's secret to a server of theirs."""
    places.declare(revoke_url=places.url(ELSEWHERE))
    places.keep(revoke_url=places.url(kept))
    refused = places.run("logout", "customer")
    assert (refused.code, refused.out, places.grants()) == (7, "", ["customer"]), refused.err
    assert f"its refresh token would go to https://localhost:{places.servers[ELSEWHERE].port}" in refused.err
    assert "--force" in refused.err
    assert places.asked() == NOWHERE
    forced = places.run("logout", "customer", "--force")
    assert (forced.code, places.grants()) == (0, []), forced.err
    assert places.asked() == ELSEWHERE


def test_a_grant_of_another_server_is_given_up_here_without_asking_anybody(places: Places) -> None:
    places.declare(revoke_url=places.url(ELSEWHERE))
    places.keep(revoke_url=places.url(HERE))
    assert places.run("logout", "customer", "--only-here").code == 0
    assert (places.asked(), places.grants()) == (NOWHERE, [])


def test_the_record_of_an_earlier_version_vouches_for_no_other_server(places: Places) -> None:
    """It was sealed without its `revoke_url`, so that whoever writes to the store may have chosen it."""
    places.declare(revoke_url=places.url(ELSEWHERE))
    places.keep(revoke_url="")
    with closing(sqlite3.connect(places.folder / ".connform" / "state.sqlite3", isolation_level=None)) as database:
        (key,) = (places.folder / ".connform" / "key").read_text().split()
        facts = grant(token_url=places.token_url)
        database.execute("DELETE FROM connform_stamps")
        database.execute(
            "UPDATE connform_grants SET revoke_url = ?, sealed = ?", (places.url(ELSEWHERE), first_seal(key, facts))
        )
    refused = places.run("logout", "customer")
    assert (refused.code, places.asked(), places.grants()) == (7, NOWHERE, ["customer"]), refused.err


def first_seal(key: str, kept: Grant) -> bytes:
    """Seal tokens as the first version did."""
    bound = json.dumps([kept.facts.connection, kept.facts.token_url, kept.facts.client_id]).encode()
    return bytes(12) + AESGCM(base64.b64decode(key)).encrypt(bytes(12), json.dumps(list(tokens(kept))).encode(), bound)


def test_an_apply_that_would_send_a_removed_grant_elsewhere_is_refused_before_anything_is_done(places: Places) -> None:
    places.servers[HERE].behaviour = answer(b'{"ok": true}', "Content-Type: application/json")
    places.declare(revoke_url=places.url(ELSEWHERE))
    places.keep(revoke_url=places.url(HERE), expires_at=None)
    places.declare_base(places.servers[HERE])
    assert places.run("apply", "--yes").code == 0
    places.servers[HERE].requests.clear()
    places.keep(revoke_url=places.url(HERE), is_renewable=False, expires_at=NOW)  # a living one needs --force anyway
    places.declare_nothing()
    refused = places.run("apply", "--yes")
    assert (refused.code, places.asked(), places.grants()) == (7, NOWHERE, ["customer"]), refused.out
    assert f"would go to https://localhost:{places.servers[ELSEWHERE].port}" in refused.err
    assert places.run("state", "show", "customer").code == 0, "it stays recorded"
    forced = places.run("apply", "--yes", "--force")
    assert (forced.code, places.asked(), places.grants()) == (0, ELSEWHERE, []), forced.out + forced.err


@pytest.mark.parametrize(
    ("auth", "is_foreign"),
    [
        ({"revoke_url": ELSEWHERE}, True),
        ({"revoke_url": HERE}, False),
        ({}, False),
    ],
)
def test_validate_warns_of_another_server(places: Places, auth: dict[str, str], is_foreign: bool) -> None:
    places.declare(**{key: places.url(place) for key, place in auth.items()})
    said = places.run("validate", "--format", "concise")
    assert (said.code, "warning[foreign-revoke-url]" in said.out) == (0, is_foreign), said.out


def test_an_address_that_was_changed_in_the_store_gets_nothing(places: Places) -> None:
    """Whoever can write to the store, and has no key, can't lead the refresh token to a server of theirs."""
    places.declare()
    places.keep(revoke_url=places.url(HERE))
    with sqlite3.connect(places.folder / ".connform" / "state.sqlite3") as database:
        database.execute("UPDATE connform_grants SET revoke_url = ?", (places.url(HERE) + "/../steal",))
    database.close()
    ended = places.run("logout", "customer")
    assert (ended.code, "store_corrupt" in ended.err) == (5, True), ended.err
    assert places.asked() == NOWHERE


def test_a_grant_of_a_server_that_the_manifest_left_is_deleted_and_not_sent(places: Places) -> None:
    places.declare(token_url=places.url(ELSEWHERE), revoke_url=places.url(ELSEWHERE))
    places.keep(revoke_url=places.url(HERE))
    ended = places.run("logout", "customer")
    assert (ended.code, "not revoked" in ended.out, places.grants()) == (0, True, []), ended.err
    assert places.asked() == NOWHERE


def _says(error: str) -> Behaviour:
    return answer(json.dumps({"error": error, "error_description": API_KEY}).encode(), status=400)


ANSWERS = {
    "the grant had ended": (_says("invalid_grant"), 0, "had ended already"),
    "the token had ended": (_says("invalid_token"), 0, "had ended already"),
    "it revokes no such tokens": (_says("unsupported_token_type"), 0, "no revocation"),
    "there is no such page": (answer(b"<html>", status=404), 0, "no revocation"),
    "the app is refused": (_says("invalid_client"), 4, "client_credentials_rejected"),
    "the server failed": (answer(b"<html>", status=503), 6, "token_endpoint_unavailable"),
    "the answer is lost": (lambda connection: connection.read_request() and connection.reset(), 6, "_unavailable"),
}


@pytest.mark.parametrize("case", ANSWERS)
def test_what_a_server_answers_to_a_revocation_deletes_or_keeps_the_grant(places: Places, case: str) -> None:
    behaviour, code, words = ANSWERS[case]
    places.servers[HERE].behaviour = behaviour
    places.declare(revoke_url=places.url(HERE))
    places.keep()
    ended = places.run("logout", "customer")
    assert (ended.code, words in ended.out + ended.err) == (code, True), ended.out + ended.err
    assert places.grants() == ([] if code == 0 else ["customer"])


def test_a_lost_key_is_replaced_once_what_it_sealed_is_given_up(places: Places) -> None:
    places.declare(revoke_url=places.url(HERE))
    for name in ("customer", "another"):
        places.keep(name)
    (places.folder / ".connform" / "key").unlink()
    for verb in ("login", "logout"):
        refused = places.run(verb, "customer", stdin="x\n")
        assert (refused.code, "store_key_wrong" in refused.err) == (5, True), refused.err
        assert "connform logout NAME --only-here" in refused.err
    assert places.run("login").code == 0  # needs no key
    assert places.grants() == ["another", "customer"]

    assert places.run("logout", "customer", "--only-here").code == 0
    assert places.run("login", "customer", stdin="x\n").code == 5, "another grant still waits for its key"
    assert places.run("logout", "another", "--only-here").code == 0
    begun = places.run("login", "customer", stdin="x\n")
    assert (begun.code, "login_bad_callback" in begun.err) == (4, True), "the login goes on to ask the person"
    assert places.asked() == NOWHERE
