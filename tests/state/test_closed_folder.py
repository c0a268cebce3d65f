"""A folder of state that its owner may not enter, as after `chmod -R 600`, is told with what opens it again."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.conftest import require_peer
from tests.end_to_end.running import run
from tests.state.conftest import Repository
from tests.state.recording import record


@pytest.mark.parametrize("verb", ["plan", "apply --yes", "state list"])
def test_a_folder_that_cannot_be_entered_is_told_with_its_mode(sqlite_repository: Repository, verb: str) -> None:
    repository = sqlite_repository
    repository.declare("a")
    record(repository.folder / "connections.yaml")
    repository.declare("a", tags=["x"])
    state = repository.folder / ".connform"
    for path in (*state.rglob("*"), state):
        path.chmod(0o600)
    root_as_others = [require_peer("setpriv"), "--bounding-set=-dac_override,-dac_read_search"]
    before: list[str | Path] = [] if os.geteuid() else [*root_as_others]
    refused = run(*verb.split(), cwd=repository.folder, env=repository.environment, before=before)
    state.chmod(0o700)
    assert refused.code == 5
    assert f"{state} can't be entered: its mode is 0600, and a folder needs 0700" in refused.err
    assert f"chmod 0700 {state}" in refused.err
