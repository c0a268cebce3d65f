"""Records every connection of MANIFEST as applied, as `apply` would have: `states.py MANIFEST`. Prints what a record takes."""

from __future__ import annotations

import json
import sys
import time
from contextlib import closing
from datetime import UTC, datetime

from connform.engine.changes.make_plan import make_plan
from connform.engine.load.manifest import load_manifest
from connform.engine.load.selection import EVERYTHING
from connform.engine.run.actor import actor
from connform.engine.run.shard import SINGLE_SHARD
from connform.engine.run.state_location import StateLocation
from connform.engine.run.states import StateOfRun
from connform.faults import Stage
from connform.recorded import AppliedRecord, Attempt, UsedSecret

BATCH = 100
"""As many as `apply` checks at once."""
file = sys.argv[1]
manifest = load_manifest([file])
stages = tuple({"name": str(stage), "status": "ok", "elapsed_ms": 1.0} for stage in Stage)
records = []
with closing(StateOfRun(StateLocation(), [file])) as states, states.locked(SINGLE_SHARD, 5) as held:
    for change in make_plan(manifest, states, EVERYTHING).changes:
        assert change.connection is not None
        secrets = tuple(UsedSecret(key, str(text), "") for key, text in change.connection.auth.references.items())
        attempt = Attempt(
            at=datetime.now(UTC),
            by=actor(),
            action="create",
            digest=change.after,
            base_url=change.spec["base_url"],
            auth_method=change.connection.auth.method,
            verdict="ready",
            stages=stages,
            latency_ms=12.5,
            certificate_expires_at="2027-03-01T12:00:00+00:00",
            secrets=secrets,
        )
        records.append(AppliedRecord(change.name, states.paths.of_manifest(file), change.after, change.spec, attempt))
    (changes,) = held.values()
    started = time.perf_counter()
    for start in range(0, len(records), BATCH):
        changes.write(records[start : start + BATCH])
    seconds = time.perf_counter() - started
    folder = states.folder_of(states.tables[0])
size = (folder / ".connform" / "state.sqlite3").stat().st_size
print(json.dumps({"bytes": size / len(records), "write_ms": seconds / len(records) * 1000}))
