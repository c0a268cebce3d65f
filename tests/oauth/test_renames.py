"""A connection with a living grant gets another name, and its old one again: at an OAuth server that was not written here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from connform.cli.main import main
from connform.database import open_grants
from connform.database.cipher import new_key
from connform.engine.login import Login, login
from connform.engine.run.state_location import StateLocation
from connform.grant import GrantFacts, GrantStore
from connform.secret import Secret
from tests.oauth.conftest import SECRET
from tests.oauth.provider import Provider
from tests.oauth.setting import LONG_AGO
from tests.oauth.test_removal import BEARER, changed

KEY = new_key()


class Person:
    """Who has a manifest, and a customer's grant."""

    def __init__(
        self, folder: Path, provider: Provider, state: StateLocation, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self._folder = folder
        self._provider = provider
        self._state = state
        self._capsys = capsys

    def declare(self, name: str, moved: Mapping[str, str], **values: Any) -> None:
        content = json.loads(changed(self._provider.manifest(), name, **values))
        (self._folder / "connections.yaml").write_text(json.dumps({**content, "moved": moved}))

    def log_in(self, name: str) -> None:
        with login((), name, state=self._state) as begun:
            assert isinstance(begun, Login)
            begun.finish(Secret(self._provider.consent(begun.url)))

    def run(self, *argv: str, code: int = 0) -> str:
        ended = main(list(argv))
        captured = self._capsys.readouterr()
        assert ended == code, (captured.out, captured.err)
        return captured.out + captured.err

    def ask(self, name: str) -> None:
        """Make a request, and one more once the access token has ended: the refresh token is spent."""
        request = ("request", name, "POST", "/packages/list", "--json", '{"take": 1, "skip": 0}')
        self.run(*request)
        with closing(self._store()) as store, store.lock(name, 5) as locked:
            kept = locked.read()
            assert kept is not None
            locked.write(kept._replace(facts=kept.facts._replace(expires_at=LONG_AGO)))
        self.run(*request)

    def _store(self) -> GrantStore:
        key = (lambda: Secret(KEY)) if self._state.key else None
        return open_grants(self._state.url, self._folder / ".connform", key)

    def access_token(self, name: str) -> str:
        with closing(self._store()) as store:
            kept = store.read(name)
        assert kept is not None
        return kept.access_token.reveal()

    @property
    def facts(self) -> GrantFacts:
        with closing(self._store()) as store:
            (facts,) = store.facts()
        return facts


@pytest.fixture(params=["sqlite", "postgresql"])
def person(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    lasting_provider: Provider,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Person:
    state = StateLocation()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PORTAL_SECRET", SECRET)
    if request.param == "postgresql":
        state = StateLocation(request.getfixturevalue("postgres").fresh(), "env://GRANTS_KEY")
        monkeypatch.setenv("CONNFORM_STATE", state.url)
        monkeypatch.setenv("CONNFORM_STATE_KEY", state.key)
        monkeypatch.setenv("GRANTS_KEY", KEY)
    return Person(tmp_path, lasting_provider, state, capsys)


def test_a_grant_lives_through_renames_there_and_back(person: Person, lasting_provider: Provider) -> None:
    person.declare("customer", {})
    person.log_in("customer")
    person.run("apply", "--yes")
    given, before = person.facts, lasting_provider.counts

    person.declare("acme", {})
    assert "write `moved: {customer: acme}`" in person.run("apply", "--yes", code=7)
    person.declare("acme", {"customer": "acme"})
    assert "~ move  customer → acme" in person.run("plan")
    assert "✓ moved  customer → acme" in person.run("apply", "--yes")
    person.ask("acme")
    person.run("plan", "--detailed-exitcode")

    person.declare("customer", {"acme": "customer"}, owner="payments")
    assert "✓ ready  acme → customer" in person.run("apply", "--yes")
    person.ask("customer")

    person.run("state", "mv", "customer", "globex")
    person.declare("globex", {}, owner="payments")
    person.ask("globex")
    person.run("plan", "--detailed-exitcode")
    (line,) = json.loads(person.run("state", "history", "globex", "--format", "json"))["connections"]
    assert [one["action"] for one in line["history"]] == ["create", "update"]

    after = lasting_provider.counts
    assert {key: after[key] - before[key] for key in ("code", "refresh", "revoked", "refused")} == {
        "code": 0,
        "refresh": 3,
        "revoked": 0,
        "refused": 0,
    }
    assert person.facts.granted_at == given.granted_at == given.obtained_at < person.facts.obtained_at
    assert "was revoked and deleted" in person.run("logout", "globex")
    assert lasting_provider.counts["revoked"] == before["revoked"] + 1, "it was alive all the while"


def test_a_rename_that_leaves_oauth_ends_the_grant_under_its_new_name(
    person: Person, lasting_provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    person.declare("customer", {})
    person.log_in("customer")
    person.run("apply", "--yes")
    before = lasting_provider.counts["revoked"]
    monkeypatch.setenv("TOKEN", person.access_token("customer"))
    person.declare("acme", {"customer": "acme"}, auth=BEARER)
    assert "it would revoke the grant of customer" in person.run("apply", "--yes", code=7)
    assert person.facts.connection == "customer"
    assert "the grant of acme was revoked and deleted" in person.run("apply", "--yes", "--force")
    assert lasting_provider.counts["revoked"] == before + 1
    person.run("plan", "--detailed-exitcode")
