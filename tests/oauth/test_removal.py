"""A connection that is no longer declared, or not with OAuth: its grant is revoked at its server and deleted, or stays to be done."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

from connform.database import open_grants
from tests.conftest import Plant
from tests.database.conftest import grant, keep
from tests.end_to_end.running import run_here as run
from tests.oauth.conftest import SECRET
from tests.oauth.provider import Provider
from tests.oauth.test_whole_life import ENVIRONMENT, begin_login, declare, log_in
from tests.state.recording import record

NOTHING = json.dumps({"version": 1, "connections": {}})


def recorded(folder: Path) -> set[str]:
    return set(run("state", "list", "--format", "json", cwd=folder).connections)


def test_removal_revokes_and_deletes_the_grant(tmp_path: Path, provider: Provider) -> None:
    declare(tmp_path, provider)
    log_in(tmp_path, provider)
    assert run("apply", "--yes", cwd=tmp_path, env=ENVIRONMENT).code == 0
    before = provider.counts["revoked"]
    (tmp_path / "connections.yaml").write_text(NOTHING)
    refused = run("apply", "--yes", cwd=tmp_path, env=ENVIRONMENT)
    assert (refused.code, provider.counts["revoked"], recorded(tmp_path)) == (7, before, {"customer"})
    assert "it would revoke the grant of customer (client acme-basic, granted 2" in refused.err
    assert "scopes profile offline_access organization): where it was renamed, write `moved:" in refused.err
    removed = run("apply", "--yes", "--force", "--format", "json", cwd=tmp_path, env=ENVIRONMENT)
    assert (removed.code, removed.connection["action"]) == (0, "remove"), removed.out
    assert provider.counts["revoked"] == before + 1
    assert recorded(tmp_path) == set()
    declare(tmp_path, provider)
    assert run("login", cwd=tmp_path, env=ENVIRONMENT).code == 4, "its grant is gone"


def test_a_grant_that_can_t_be_revoked_keeps_its_connection(tmp_path: Path, provider: Provider) -> None:
    declare(tmp_path, provider, revoke_url="https://localhost:1/revocation")
    log_in(tmp_path, provider)
    assert run("apply", "--yes", cwd=tmp_path, env=ENVIRONMENT).code == 0
    (tmp_path / "connections.yaml").write_text(NOTHING)
    kept = run("apply", "--yes", "--force", "--format", "json", cwd=tmp_path, env=ENVIRONMENT)
    assert kept.code != 0
    assert "stays to be done" in kept.connection["message"]
    assert "logout customer --only-here" in kept.connection["hint"]
    assert recorded(tmp_path) == {"customer"}
    latest = run("state", "show", "customer", "--format", "json", cwd=tmp_path).connection["recorded"]["latest"]
    assert (latest["action"], latest["verdict"], latest["class"]) == ("remove", "unknown", "tcp_refused")
    tried = run("state", "history", "customer", cwd=tmp_path)
    assert (tried.code, "remove" in tried.out) == (0, True)
    assert run("logout", "customer", "--only-here", cwd=tmp_path).code == 0
    assert run("apply", "--yes", cwd=tmp_path, env=ENVIRONMENT).code == 0
    assert recorded(tmp_path) == set()


def changed(manifest: str, name: str = "customer", **values: Any) -> str:
    """Return a manifest with its connection renamed and completed."""
    content = json.loads(manifest)
    content["connections"] = {name: {**content["connections"]["customer"], **values}}
    return json.dumps(content)


def access_token(folder: Path) -> str:
    store = open_grants("", folder / ".connform", None)
    grant = store.read("customer")
    store.close()
    assert grant is not None
    return grant.access_token.reveal()


BEARER = {"method": "bearer", "token": "env://TOKEN"}


def test_a_connection_that_leaves_oauth_ends_its_grant(tmp_path: Path, lasting_provider: Provider) -> None:
    provider = lasting_provider
    declare(tmp_path, provider)
    log_in(tmp_path, provider)
    assert run("apply", "--yes", cwd=tmp_path, env=ENVIRONMENT).code == 0
    before = provider.counts["revoked"]
    variables = {"TOKEN": access_token(tmp_path)}

    (tmp_path / "connections.yaml").write_text(changed(provider.manifest(), auth=BEARER))
    kept = run("apply", "--yes", "--force", "--format", "json", cwd=tmp_path, env=variables)  # without the app's secret
    assert (kept.code, kept.connection["class"]) == (5, "secret_not_found"), kept.out
    assert "could not be revoked" in kept.connection["message"]
    planned = run("plan", "--format", "json", cwd=tmp_path)
    assert planned.connection["reasons"] == ["the last attempt failed: secret_not_found"]

    moved = run("apply", "--yes", "--force", cwd=tmp_path, env=ENVIRONMENT | variables)
    assert moved.code == 0, moved.out
    assert "note: the grant of customer was revoked and deleted" in moved.out
    assert provider.counts["revoked"] == before + 1
    assert run("plan", "--detailed-exitcode", cwd=tmp_path).code == 0
    declare(tmp_path, provider)
    assert run("login", cwd=tmp_path, env=ENVIRONMENT).code == 4, "its grant is gone"


def test_a_grant_that_nothing_recorded_explains_is_not_lost_in_silence(
    tmp_path: Path, lasting_provider: Provider
) -> None:
    """The login came after the last apply, which was with another method."""
    provider = lasting_provider
    declare(tmp_path, provider)
    log_in(tmp_path, provider)
    variables = {"TOKEN": access_token(tmp_path)}
    (tmp_path / "connections.yaml").write_text(changed(provider.manifest(), auth=BEARER))
    assert run("apply", "--yes", cwd=tmp_path, env=variables).code == 0
    (tmp_path / "connections.yaml").write_text(NOTHING)
    removed = run("apply", "--yes", "--force", cwd=tmp_path)
    assert removed.code == 0, removed.out
    assert "✓ removed" in removed.out
    assert "warning: the grant of customer was deleted here, not revoked" in removed.out
    declare(tmp_path, provider)
    assert run("login", cwd=tmp_path, env=ENVIRONMENT).code == 4, "its grant is gone"


def test_a_store_that_goes_with_its_connection_still_gives_the_secret(
    tmp_path: Path, provider: Provider, plant: Plant
) -> None:
    plant("secrets/portal", SECRET)
    content = json.loads(provider.manifest(client_secret="team://portal"))
    content["stores"] = {"team": {"type": "file", "path": "secrets"}}
    (tmp_path / "connections.yaml").write_text(json.dumps(content))
    log_in(tmp_path, provider)
    assert run("apply", "--yes", cwd=tmp_path).code == 0
    before = provider.counts["revoked"]
    (tmp_path / "connections.yaml").write_text(NOTHING)
    removed = run("apply", "--yes", "--force", cwd=tmp_path)
    assert removed.code == 0, removed.out
    assert provider.counts["revoked"] == before + 1


def test_a_store_that_is_still_declared_gives_the_secret_as_it_is_declared_now(tmp_path: Path, plant: Plant) -> None:
    """Its folder has moved since the connection was applied."""
    plant("now/portal", SECRET)
    auth = {
        "method": "oauth2",
        "client_id": "portal",
        "client_secret": "team://portal",
        "redirect_uri": "https://localhost/back",
        **{f"{kind}_url": f"https://localhost:1/{kind}" for kind in ("authorize", "token", "revoke")},
    }
    customer = {"provider": "http", "base_url": "https://localhost:1", "check": {"path": "/me"}, "auth": auth}

    def declare(folder: str, connections: dict[str, Any]) -> None:
        content = {"version": 1, "stores": {"team": {"type": "file", "path": folder}}, "connections": connections}
        (tmp_path / "connections.yaml").write_text(json.dumps(content))

    declare("then", {"customer": customer})
    record(tmp_path / "connections.yaml")
    with closing(open_grants("", tmp_path / ".connform", None)) as grants:
        keep(grants, grant("customer", token_url=auth["token_url"], client_id="portal"))
    declare("now", {})
    tried = run("apply", "--yes", "--force", "--format", "json", cwd=tmp_path)
    assert tried.connection["class"] == "tcp_refused", "it was read, and would have been sent"


def test_a_file_of_a_shared_state_is_looked_for_beside_its_own_manifest(
    tmp_path: Path, provider: Provider, plant: Plant
) -> None:
    (tmp_path / ".git").mkdir()
    state = ("--state", f"sqlite://{tmp_path}/state")
    named = ("-f", "east/connections.yaml", "-f", "west/connections.yaml")
    for team in ("east", "west"):
        plant(f"{team}/secret", SECRET if team == "west" else "another")
        manifest = provider.manifest(client_secret="file://secret")
        (tmp_path / team / "connections.yaml").write_text(changed(manifest, name=f"customer-{team}"))
    process, url = begin_login(tmp_path, *named, *state, connection="customer-west")
    _, err = process.communicate(provider.consent(url) + "\n", timeout=60)
    assert process.returncode == 0, err
    assert run("apply", "--yes", "-c", "customer-west", *named, *state, cwd=tmp_path).code == 0
    before = provider.counts["revoked"]
    (tmp_path / "west" / "connections.yaml").write_text(NOTHING)
    removed = run("apply", "--yes", "--force", "--exclude", "customer-east", *named, *state, cwd=tmp_path)
    assert removed.code == 0, removed.out
    assert provider.counts["revoked"] == before + 1


def test_a_server_without_revocation_is_said(tmp_path: Path, provider: Provider) -> None:
    declare(tmp_path, provider, revoke_url=f"{provider.origin}/nothing-here")
    log_in(tmp_path, provider)
    assert run("apply", "--yes", cwd=tmp_path, env=ENVIRONMENT).code == 0
    (tmp_path / "connections.yaml").write_text(NOTHING)
    removed = run("apply", "--yes", "--force", "--format", "json", cwd=tmp_path, env=ENVIRONMENT)
    assert removed.code == 0, removed.out
    (warning,) = removed.connection["warnings"]
    assert removed.connection["warning_codes"] == ["grant-not-revoked"]
    assert "deleted here; its server has no revocation" in warning
