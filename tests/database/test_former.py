"""What was recorded of connections that are gone is kept, by every kind of store, in databases of every version."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from connform.database import open_state
from connform.database.sqlite import FILE
from connform.database.state_table import StateTable
from tests.database.test_versions import VERSIONS

SPEC: dict[str, Any] = {"settings": {"environment": "production"}, "base_url": "https://api.acme.example", "stores": {}}


@pytest.fixture(params=["sqlite", "postgresql", *(path.stem for path in VERSIONS)])
def states(request: pytest.FixtureRequest, tmp_path: Path) -> StateTable:
    folder = tmp_path / ".connform"
    if request.param == "postgresql":
        return open_state(request.getfixturevalue("database"), folder)
    folder.mkdir(mode=0o700)
    if request.param != "sqlite":
        shutil.copy(Path(__file__).parent / "versions" / f"{request.param}.sqlite3", folder / FILE)
        (folder / FILE).chmod(0o600)
    return open_state("", folder)


def test_a_specification_outlives_its_record_once_each(states: StateTable) -> None:
    assert states.specifications() == []
    other = SPEC | {"base_url": "https://other.acme.example"}
    with states.lock_parts(["00"], 5) as changes:
        for former in (SPEC, SPEC, other):
            changes.write((), ["shop"], [("shop", former)])
    found = states.specifications()
    assert sorted(found, key=str) == sorted([("shop", SPEC), ("shop", other)], key=str)
    assert states.read() == {}
    states.close()
