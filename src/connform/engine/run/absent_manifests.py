"""Manifests that a command line names, that are missing or empty, and of which something is recorded. Layer 3; reads the state."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing, suppress

from connform.engine.load.manifest import absent_paths
from connform.engine.report import Report
from connform.engine.run.state_location import StateLocation
from connform.engine.run.states import StateOfRun
from connform.errors import ConnectionFailed


def recorded_absent(state: StateLocation, files: Sequence[str], report: Report) -> list[str]:
    """Return the files and folders of a command line that are missing or empty, and of which something is recorded.

    Args:
        state: where it lies.
        files: the command line's.
        report: the report on them.
    """
    absent = absent_paths(files, report)
    if not absent:
        return []
    with closing(StateOfRun(state, report.files, absent)) as states, suppress(ConnectionFailed):
        return [name for name in absent if states.has_recorded(name)]
    return []
