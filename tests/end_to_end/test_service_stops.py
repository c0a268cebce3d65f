"""A server of others that is told to end while a grant is being renewed, and whose request no longer waits for it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from connform.database import open_grants
from tests.conftest import require_library
from tests.database.conftest import tokens
from tests.end_to_end.conftest import Servers
from tests.repetitions import repeated
from tests.services.api import Api
from tests.services.services import SERVICES
from tests.services.setting import keep_grant

pytestmark = pytest.mark.usefixtures("default_signals")
MANIFEST = """\
version: 1
connections:
  grant:
    environment: private
    base_url: "https://localhost:{port}/api"
    tls: {{ca_file: "{ca_file}"}}
    timeouts: {{total_s: 3}}
    auth: {{method: oauth2, client_id: app, client_secret: "file://client-secret", redirect_uri: "https://localhost/auth",
            token_url: "https://localhost:{port}/token"}}
"""


STOPS_S = {"gunicorn": 2, "uvicorn": 2, "celery": 6}
"""Longer than a server takes to end where nothing is waited for."""


@pytest.mark.parametrize("under", repeated(["gunicorn", "celery"], [*STOPS_S]))
def test_a_renewal_ends_before_its_server(under: str, servers: Servers, ca_file: Path, tmp_path: Path) -> None:
    require_library(under)
    api = Api()
    api.token_s = 1
    server = servers.tls(api)
    (tmp_path / "connections.yaml").write_text(MANIFEST.format(port=server.port, ca_file=ca_file))
    (tmp_path / "client-secret").write_text(api.good["client secret"])
    keep_grant(tmp_path, server)
    with SERVICES[under](tmp_path) as service:
        assert service.ask("grant", "") == "200"
        time.sleep(1)  # the access token ends
        api.is_stalled, refreshes = True, api.refreshes
        given_up = service.ask("grant", "")
        assert ("SoftTimeLimitExceeded" if under == "celery" else "is still being renewed") in given_up
        (process,) = service.processes
        process.terminate()
        time.sleep(STOPS_S[under])
        assert api.refreshes == refreshes
        api.is_stalled = False
        assert process.wait(30) == 0
    store = open_grants("", tmp_path / ".connform", None)
    kept = store.read("grant")
    store.close()
    assert kept is not None
    assert kept.facts.pending is None
    assert tokens(kept) == (f"access-{refreshes + 1}", f"refresh-{refreshes + 1}")
