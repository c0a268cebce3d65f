"""`Situation`: what every section of `doctor` looks at. Layer 3, no IO."""

from __future__ import annotations

from typing import NamedTuple

from connform.engine.report import Report
from connform.engine.run.secret_resolver import SecretResolver
from connform.engine.run.state_location import StateLocation
from connform.manifest.decode import Manifest


class Situation(NamedTuple):
    """The manifest, and the flags of the command."""

    manifest: Manifest | None
    """The selected connections; `None` without a valid manifest."""
    validated: Report
    """The report of `validate`."""
    has_manifest: bool
    """Whether there is a manifest, valid or not."""
    state: StateLocation
    """Where the state database is."""
    source: SecretResolver
    """Reads the secrets of the manifest."""
    timeout_s: float
    """How long a store or server may take."""
    is_offline: bool
    """Whether nothing is asked over the network."""
