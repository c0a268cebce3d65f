"""Some random checkouts in every run of the tests; `make long ARGS=fuzz_trees` examines as many as are asked for."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from tests.fuzz.trees import examine_tree


@pytest.mark.parametrize("seed", range(12))
def test_names_and_links_by_chance_lead_nowhere_and_steer_nobody(seed: int, tmp_path: Path) -> None:
    for number in range(5):
        assert examine_tree(Random(f"{seed}:{number}"), tmp_path / str(number) / "checkout") == ""
