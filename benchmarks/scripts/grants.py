"""Runs an authorization server with COUNT grants, and fills the store beside MANIFEST with them: `grants.py MANIFEST COUNT`.

Every access token in the store has ended, so that each connection renews its own. Prints one line when all is ready, and what
the store takes; ends with standard input.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

from connform.database import open_grants
from connform.grant import Grant, GrantFacts
from connform.secret import Secret
from connform.simulator import Simulator
from connform.simulator.messages import Reply, Request

manifest, count = Path(sys.argv[1]), int(sys.argv[2])
SCOPES = ("profile", "offline_access", "organization")
LONG_AGO = datetime.now(UTC) - timedelta(days=1)


class Counting(Simulator):
    """Counts token calls: the simulator itself remembers 10,000 requests only."""

    def _answer(self, request: Request) -> Reply:
        renewals[request.path == "/connect/token"] += 1
        return super()._answer(request)


renewals: Counter[bool] = Counter()
with Counting() as simulator:
    host, port = simulator.address
    origin = f"https://{host}:{port}"
    (manifest.parent / "ca.pem").write_bytes(simulator.ca_pem)
    auth = {"method": "oauth2", "client_id": "acme", "client_secret": "env://PORTAL_SECRET"}
    customer = {
        "environment": "private",
        "base_url": f"{origin}/api/v1",
        "tls": {"ca_file": "ca.pem"},
        "auth": {**auth, "redirect_uri": "https://localhost/auth"},
    }
    names = [f"customer-{number:05}" for number in range(count)]
    manifest.write_text(json.dumps({"version": 1, "connections": dict.fromkeys(names, customer)}, indent=1))
    folder = manifest.parent / ".connform"
    store = open_grants("", folder, None)
    started = time.perf_counter()
    for name in names:
        _, refresh = simulator.issue_grant(host, "acme", SCOPES)
        facts = GrantFacts(name, f"{origin}/connect/token", "acme", SCOPES, LONG_AGO, LONG_AGO, is_renewable=True)
        with store.lock(name, 10) as locked:
            locked.write(Grant(facts, Secret("ended"), Secret(refresh)))
    seconds = time.perf_counter() - started
    store.close()
    size = (folder / "state.sqlite3").stat().st_size
    print(json.dumps({"write_ms": seconds / count * 1000, "bytes": size / count}), flush=True)
    sys.stdin.read()
    calls = renewals[True]
    print(json.dumps({"token_calls": calls}), flush=True)
