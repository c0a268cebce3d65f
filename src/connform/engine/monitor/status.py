"""`Status`: whether a monitor's manifest and state are in order, for `/readyz` and the metrics. Layer 3, no IO."""

from __future__ import annotations

from dataclasses import dataclass

from connform.diagnostics import Diagnostic
from connform.errors import ConnectionFailed


@dataclass(slots=True)
class Status:
    """The status of a monitor. One thread writes it, others read it."""

    is_manifest_valid: bool = True
    """Whether the manifest at work is the one that lies there now."""
    refused: tuple[Diagnostic, ...] = ()
    """What is wrong with the one that lies there now, if it isn't."""
    manifest_loaded_at: float = 0.0
    """When the manifest at work was read, in seconds since 1970."""
    is_state_reachable: bool = False
    """Whether the state database took what was written last."""
    state_failure: ConnectionFailed | None = None
    """Why the state database can't be used; `None` while it can be."""
    recorded_at: float = 0.0
    """When something was last written to it, in seconds since 1970; 0 for never."""
    unrecorded: int = 0
    """How many results wait until it can be written."""
    secrets_read_at: float = 0.0
    """When secrets were last read, in seconds since 1970."""

    @property
    def is_ready(self) -> bool:
        """Whether a manifest is at work, perhaps the last good one, and the state database can be written."""
        return bool(self.manifest_loaded_at) and self.is_state_reachable
