"""A connection with a grant: what is planned, recorded, exported and drawn of it holds neither tokens nor the app's secret."""

from __future__ import annotations

import json
from pathlib import Path

from connform.database import open_grants
from connform.reporters import FORMATS
from connform.reporters.graphs import GRAPHS
from tests.canary import assert_no_canary
from tests.end_to_end.running import run_here as run
from tests.oauth.provider import Provider
from tests.oauth.test_removal import NOTHING, changed
from tests.oauth.test_whole_life import ENVIRONMENT, declare, log_in


def tokens(folder: Path) -> tuple[str, str]:
    store = open_grants("", folder / ".connform", None)
    grant = store.read("customer")
    store.close()
    assert grant is not None
    assert grant.refresh_token is not None
    return grant.access_token.reveal(), grant.refresh_token.reveal()


def test_nothing_of_a_grant_is_published(tmp_path: Path, lasting_provider: Provider) -> None:
    declare(tmp_path, lasting_provider)
    log_in(tmp_path, lasting_provider)
    secrets = tokens(tmp_path)
    said: list[str] = []

    def tell(*argv: str) -> None:
        ended = run(*argv, cwd=tmp_path, env=ENVIRONMENT)
        assert ended.code == 0, ended.err
        said.extend((ended.out, ended.err))

    tell("apply", "--yes", "-vv")
    for manifest in (changed(lasting_provider.manifest(), owner="payments"), NOTHING):
        (tmp_path / "connections.yaml").write_text(manifest)
        for kind in FORMATS:
            tell("plan", "-vv", "--format", kind)
        tell("plan", "--out", "plan.json")
        assert json.loads((tmp_path / "plan.json").read_text())["changes"]
        for kind in GRAPHS:
            tell("graph", "--format", kind)
        tell("plan", "--refresh", "-vv")
        tell("state", "export")
        tell("state", "show", "customer")
        tell("apply", "--yes", "--force", "-vv", "--format", "json")
        said += [path.read_text("latin-1") for path in tmp_path.rglob("*") if path.is_file()]
    assert "env://PORTAL_SECRET" in "".join(said)
    assert_no_canary(*said)
    assert not any(secret in text for secret in secrets for text in said)
