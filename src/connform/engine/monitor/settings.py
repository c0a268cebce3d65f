"""`MonitorSettings`: what a `monitor` was started with. Layer 3, no IO."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from connform.engine.load.selection import EVERYTHING, Selection
from connform.engine.run.live_check import TIMEOUT_S
from connform.engine.run.recording import KEEP_BY_DEFAULT
from connform.engine.run.state_location import DEFAULT, StateLocation
from connform.recorded import Actor

_GRACE_S = 20.0
"""What a check may take beyond its limit before other replicas take it over: for a busy machine."""


@dataclass(frozen=True, slots=True)
class MonitorSettings:
    """What a monitor was started with."""

    actor: Actor
    """Who runs it."""
    files: tuple[str, ...] = ()
    """Manifests; empty for the default search."""
    selection: Selection = EVERYTHING
    """Which connections."""
    policies: tuple[str, ...] = ()
    """Policy files and folders that judge every connection."""
    interval_s: float = 300.0
    """How often each connection is checked."""
    secret_interval_s: float = 300.0
    """How often secrets are read anew."""
    keep: timedelta = KEEP_BY_DEFAULT
    """For how long changes of verdicts and hourly figures are kept."""
    parallelism: int = 100
    """How many connections are checked at once."""
    timeout_s: float | None = None
    """The limit of each check; `None` for that of `check`."""
    state: StateLocation = DEFAULT
    """Where results are recorded, and where grants lie."""
    simulate: bool = False
    """Whether the simulator answers."""

    @property
    def lease_s(self) -> float:
        """After how many seconds a replica that holds a connection is taken for dead."""
        return (self.timeout_s or TIMEOUT_S) + _GRACE_S
