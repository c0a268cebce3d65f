"""The files of deploy/ that belong to a monitor: alert rules, an example of a configuration, the dashboard."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from connform.reporters.metrics import FAMILIES
from tests.conftest import require_peer


@pytest.fixture
def deploy(pytestconfig: pytest.Config) -> Path:
    return pytestconfig.rootpath / "deploy"


def promtool(*arguments: str) -> str:
    run = subprocess.run(
        [require_peer("promtool"), *arguments], capture_output=True, text=True, timeout=50, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


def test_prometheus_takes_the_configuration_and_the_rules(deploy: Path) -> None:
    assert "SUCCESS" in promtool("check", "config", str(deploy / "prometheus" / "prometheus.yaml"))
    assert "SUCCESS" in promtool(
        "check", "rules", "--lint=all", "--lint-fatal", str(deploy / "prometheus" / "alerts.yaml")
    )


def test_an_alert_fires_for_what_is_down_stale_or_about_to_end_and_none_for_a_429(deploy: Path, tmp_path: Path) -> None:
    story = (Path(__file__).parent / "alerts_test.yaml").read_text()
    file = tmp_path / "alerts_test.yaml"
    file.write_text(story.replace("ALERTS]", f"{deploy / 'prometheus' / 'alerts.yaml'}]", 1))
    assert "SUCCESS" in promtool("test", "rules", str(file))


def test_rules_and_dashboard_use_metrics_that_exist(deploy: Path) -> None:
    source = Path(__file__).parents[2] / "src" / "connform" / "servers" / "monitor" / "pages.py"
    known = {family.name for family in FAMILIES} | set(re.findall(r'"(connform_\w+)"', source.read_text()))
    known.add("connform_build_info")
    for file in (deploy / "prometheus" / "alerts.yaml", deploy / "grafana" / "dashboard.json"):
        used = set(re.findall(r"\bconnform_\w+", file.read_text()))
        assert used <= known, file.name
        assert len(used) > 5


def test_every_panel_of_the_dashboard_has_a_query_and_a_place(deploy: Path) -> None:
    dashboard = json.loads((deploy / "grafana" / "dashboard.json").read_text())
    assert {"title", "uid", "schemaVersion", "panels", "templating", "time"} <= dashboard.keys()
    taken: set[tuple[int, int]] = set()
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert place["x"] + place["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells
        assert panel["title"]
        assert all(target["expr"] and target["refId"] for target in panel["targets"])
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(set(ids)) == len(ids)


def test_prometheus_understands_every_query_of_the_dashboard(deploy: Path, tmp_path: Path) -> None:
    dashboard = json.loads((deploy / "grafana" / "dashboard.json").read_text())
    queries = [
        target["expr"].replace("$name", ".*").replace("$environment", ".*")
        for panel in dashboard["panels"]
        for target in panel["targets"]
    ]
    rules = [{"record": f"panel:{number}", "expr": query} for number, query in enumerate(queries)]
    file = tmp_path / "panels.json"
    file.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}))
    assert f"SUCCESS: {len(queries)} rules found" in promtool("check", "rules", str(file))
