"""What the wheel and the source distribution hold, as hatchling says before it builds; `.ci/run` builds and installs them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.message import Message
from email.parser import Parser
from typing import Any

import pytest

from tests.ci.conftest import ROOT
from tests.conftest import require_library, require_peer
from tests.end_to_end.running import run_program

GENERATED = {"PKG-INFO"}
"""What hatchling adds to a source distribution."""


@pytest.fixture
def committed() -> set[str]:
    if not (ROOT / ".git").exists():
        pytest.skip("this is no clone")
    ended = run_program(require_peer("git"), "ls-files", "-z", cwd=ROOT)
    return {name for name in ended.out.split("\0") if (ROOT / name).is_file()}


def contents(builder: Any) -> Iterator[str]:
    """Yield the names of the files that a builder puts together."""
    for file in builder.recurse_included_files():
        yield file.distribution_path


def test_the_source_distribution_holds_the_repository(committed: set[str]) -> None:
    require_library("hatchling")
    from hatchling.builders.sdist import SdistBuilder

    held = set(contents(SdistBuilder(str(ROOT)))) - GENERATED
    assert committed - held == set()


def test_the_wheel_holds_the_package_and_its_data_and_nothing_else(committed: set[str]) -> None:
    require_library("hatchling")
    from hatchling.builders.wheel import WheelBuilder

    held = set(contents(WheelBuilder(str(ROOT))))
    package = {name.removeprefix("src/") for name in committed if name.startswith("src/")}
    assert package - held == set()
    assert {"connform/py.typed", "connform/starters/github.yml"} < held
    assert {name for name in held if not name.startswith("connform/") or "test_" in name} == set()


def metadata() -> Message:
    require_library("hatchling")
    from hatchling.metadata.core import ProjectMetadata
    from hatchling.metadata.spec import construct_metadata_file_2_4
    from hatchling.plugin.manager import PluginManager

    return Parser().parsestr(construct_metadata_file_2_4(ProjectMetadata(str(ROOT), PluginManager())))


def test_what_an_index_shows_has_no_link_that_is_dead_there() -> None:
    found = metadata()
    assert found["License-Expression"] == "Apache-2.0"
    assert found.get_all("License-File") == ["LICENSE"]
    text = str(found.get_payload())
    assert re.findall(r"\]\((?!https://)", text) == []
    for extra in found.get_all("Provides-Extra", []):
        assert f"`{extra}`" in text, extra
        assert f"`{extra}`" in (ROOT / "README.md").read_text(), extra
