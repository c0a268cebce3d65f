"""`connform graph`: what it draws is what the manifest says, in forms that their own programs read."""

from __future__ import annotations

import json
import subprocess
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connform.database import open_state
from connform.recorded import Actor, AppliedRecord, Attempt
from tests.conftest import require_peer
from tests.end_to_end.running import run_here as run

MANIFEST = {
    "version": 1,
    "stores": {"team": {"type": "file", "path": "secrets"}},
    "templates": {"portal": {"environment": "production", "auth": {"method": "api_key"}}},
    "connections": {
        "shop": {"extends": "portal", "region": "eu", "auth": {"api_key": "team://shop"}},
        "desk": {"extends": "portal", "region": "us", "auth": {"api_key": "env://DESK_KEY"}},
    },
}
MERMAID = """\
flowchart LR
  subgraph g0["production/eu"]
    c0["shop"]:::new
  end
  subgraph g1["production/us"]
    c1["desk"]:::new
  end
  t0[/"portal"/]
  s0[("team")]
  s1[("env")]
  t0 --> c0
  c0 -.-> s0
  t0 --> c1
  c1 -.-> s1
  classDef ready fill:#d5f0d9,stroke:#666
  classDef failed fill:#f8d0d0,stroke:#666
  classDef unknown fill:#fbeec2,stroke:#666
  classDef new fill:#ffffff,stroke:#666
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "connections.yaml").write_text(json.dumps(MANIFEST))
    return tmp_path


def test_mermaid(folder: Path) -> None:
    drawn = run("graph", cwd=folder)
    assert (drawn.code, drawn.out) == (0, MERMAID)


def test_graphviz_reads_what_is_meant_for_it(folder: Path) -> None:
    dot = require_peer("dot")
    source = run("graph", "--format", "dot", cwd=folder).out
    plain = subprocess.run([dot, "-Tplain"], input=source, capture_output=True, text=True, check=True).stdout
    assert sum(line.startswith("edge ") for line in plain.splitlines()) == 4
    assert "<svg" in run("graph", "--format", "svg", cwd=folder).out


def test_without_graphviz_there_is_no_svg_but_a_hint(folder: Path) -> None:
    refused = run("graph", "--format", "svg", cwd=folder, env={"PATH": "/nonexistent"})
    assert refused.code == 64
    assert "Graphviz" in refused.err


COLOURS = {"ready": "#d5f0d9", "failed": "#f8d0d0", "unknown": "#fbeec2", "": "#ffffff"}


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """A folder whose four connections have a record of each verdict, and none; their names are the verdicts."""
    connections = {
        verdict or "new": {
            "environment": "production",
            "region": "eu",
            "auth": {"method": "api_key", "api_key": "env://KEY"},
        }
        for verdict in COLOURS
    }
    (tmp_path / "connections.yaml").write_text(json.dumps({"version": 1, "connections": connections}))
    states = open_state("", tmp_path / ".connform")
    with closing(states), states.lock_parts(["00"], 5) as changes:
        for verdict in filter(None, COLOURS):
            attempt = Attempt(datetime.now(UTC), Actor("user", "host"), "create", "", "", "api_key", verdict)
            changes.write([AppliedRecord(verdict, "connections.yaml", "", {}, attempt)])
    return tmp_path


def test_a_recorded_verdict_is_a_class_with_its_colour_in_mermaid(recorded: Path) -> None:
    drawn = run("graph", cwd=recorded).out
    for verdict, colour in COLOURS.items():
        name = verdict or "new"
        assert f'["{name}"]:::{name}\n' in drawn
        assert f"classDef {name} fill:{colour}," in drawn


def test_a_recorded_verdict_is_a_colour_in_dot(recorded: Path) -> None:
    source = run("graph", "--format", "dot", cwd=recorded).out
    plain = subprocess.run(
        [require_peer("dot"), "-Tplain"], input=source, capture_output=True, text=True, check=True
    ).stdout
    nodes = [line.split() for line in plain.splitlines() if line.startswith("node ")]
    drawn = {fields[6]: fields[-1] for fields in nodes}
    assert {verdict: drawn[verdict or "new"] for verdict in COLOURS} == COLOURS


def test_what_apply_found_is_drawn(folder: Path) -> None:
    assert run("apply", "--yes", "--timeout", "1", cwd=folder).code == 5
    assert 'c0["shop"]:::failed' in run("graph", cwd=folder).out
