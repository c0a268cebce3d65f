"""What benchmarks/ says is right where a test can tell: `make bench` itself is no test, and `.ci/run` runs its short form."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from benchmarks.kit.figures import Figures
from benchmarks.kit.goals import Goal, beside, table_of
from benchmarks.kit.picture import Panel, drawn
from benchmarks.page import BEGIN, END, PAGE, with_output

ROOT = Path(__file__).parent.parent
OURS = Figures([1.0, 1.2, 1.1], [20, 20, 20])
PEERS = Figures([2.0, 2.0], [20, 20])


def test_a_goal_whose_peer_is_not_installed_is_missed() -> None:
    goal = beside("time", 10, {"connform": OURS}, "connform", "kubeconform", "jsonschema-rs")
    assert not goal.is_met
    assert goal.row() == "| time | ≤ 10 | not measured | kubeconform is not installed | **missed** |"


def test_the_peer_that_stands_in_is_named_and_compared_in_the_same_rounds() -> None:
    goal = beside("time", 0.6, {"connform": OURS, "jsonschema-rs": PEERS}, "connform", "kubeconform", "jsonschema-rs")
    assert goal.measured == pytest.approx(0.55)
    assert goal.is_met
    assert goal.peer.startswith("jsonschema-rs: 2.00 s")


@pytest.mark.parametrize(
    ("measured", "is_least", "is_met"), [(1.1, False, True), (1.11, False, False), (1.2, True, True), (1, True, False)]
)
def test_a_goal_is_met_up_to_its_limit(measured: float, is_least: bool, is_met: bool) -> None:
    goal = Goal("figure", 1.1, measured, is_least=is_least)
    assert goal.is_met is is_met
    assert table_of([goal])[-1] == ("1 met, 0 missed." if is_met else "0 met, 1 missed.")


def test_the_page_has_a_place_for_the_output() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert with_output(page, "new").count("\nnew\n") == 1
    with pytest.raises(ValueError, match="no line"):
        with_output(page.replace(END, ""), "new")
    assert page.count(BEGIN) == page.count(END) == 1


def test_no_name_covers_another_in_the_picture() -> None:
    picture = ET.fromstring(drawn((1, 10), [Panel("Time", "s", {name: [0.1, 3] for name in "abc"})]))
    heights = sorted(
        float(text.attrib["y"]) for text in picture.iter("{http://www.w3.org/2000/svg}text") if text.text in set("abc")
    )
    assert [later - earlier for earlier, later in pairwise(heights)] == [15, 15]


def test_a_wrong_answer_of_connform_fails_the_run(tmp_path: Path) -> None:
    connform = shutil.which("connform", path=os.path.dirname(sys.executable))
    assert connform
    wrong = tmp_path / "connform"  # right in all but validate
    wrong.write_text(
        f'#!/bin/sh\n[ "$1" = validate ] || exec {connform} "$@"\necho "20 connections in 1 file: no errors"\n'
    )
    wrong.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    argv = [sys.executable, "-m", "benchmarks", "--smoke", "bad"]
    done = subprocess.run(argv, check=False, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "WRONG ANSWER: connform ended with 0" in done.stdout
    assert done.stderr.endswith("wrong answers: bad\n")
