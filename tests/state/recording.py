"""Records connections as applied without asking a server: for what no test can log in to, and for many."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from connform.engine.changes.make_plan import make_plan
from connform.engine.load.manifest import load_manifest
from connform.engine.load.selection import EVERYTHING
from connform.engine.run.state_location import StateLocation
from connform.engine.run.states import SINGLE_SHARD, StateOfRun
from connform.recorded import Actor, AppliedRecord, Attempt

BY = Actor("test", "localhost")


def record(file: Path, *, state: str = "", **facts: Any) -> None:
    """Record every connection of a manifest as applied just now; `facts` are fields of the attempt."""
    manifest = load_manifest([str(file)])
    with closing(StateOfRun(StateLocation(state), [str(file)])) as states, states.locked(SINGLE_SHARD, 5) as held:
        for change in make_plan(manifest, states, EVERYTHING).changes:
            assert change.connection is not None
            attempt = Attempt(
                datetime.now(UTC), BY, "create", change.after, change.spec["base_url"], "", "ready", **facts
            )
            one = AppliedRecord(change.name, states.manifest_path(str(file)), change.after, change.spec, attempt)
            held[change.table].write([one])


def rewrite(file: Path, spec: Mapping[str, Any], digest: str) -> None:
    """Give the only record the specification and digest of an earlier version."""
    with closing(StateOfRun(StateLocation(), [str(file)])) as states, states.locked(SINGLE_SHARD, 5) as held:
        (one,) = states.read().values()
        (changes,) = held.values()
        changes.write([one._replace(spec=spec, digest=digest, latest=one.latest._replace(digest=digest))])
