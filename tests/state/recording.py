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
from connform.engine.run.shard import SINGLE_SHARD
from connform.engine.run.state_location import StateLocation
from connform.engine.run.states import StateOfRun
from connform.recorded import Actor, AppliedRecord, Attempt

BY = Actor("test", "localhost")


def record(file: Path, *, state: str = "", **facts: Any) -> None:
    """Record every connection of a manifest as applied just now; `facts` are fields of the attempt."""
    manifest = load_manifest([str(file)])
    location = StateLocation(state, root=str(file.parent))
    with closing(StateOfRun(location, [str(file)])) as states, states.locked(SINGLE_SHARD, 5) as held:
        for change in make_plan(manifest, states, EVERYTHING).changes:
            assert change.connection is not None
            attempt = Attempt(
                datetime.now(UTC), BY, "create", change.after, change.spec["base_url"], "", "ready", **facts
            )
            one = AppliedRecord(change.name, states.paths.of_manifest(str(file)), change.after, change.spec, attempt)
            held[change.table].write([one])


def rewrite(file: Path, earlier: Mapping[str, tuple[Mapping[str, Any], str]]) -> None:
    """Give each record the specification and digest of an earlier version, by the names of the connections."""
    with closing(StateOfRun(StateLocation(), [str(file)])) as states, states.locked(SINGLE_SHARD, 5) as held:
        (changes,) = held.values()
        for one in states.read().values():
            spec, digest = earlier[one.connection]
            changes.write([one._replace(spec=spec, digest=digest, latest=one.latest._replace(digest=digest))])
