"""What other programs read from the format openmetrics."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from connform.reporters import openmetrics
from connform.reporters.view import View, build
from tests.conftest import require_peer
from tests.reporters.samples import SAMPLES

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def text_of(name: str) -> str:
    view: View = build(SAMPLES[name])
    return openmetrics.render_at(view, now=NOW)


@pytest.mark.parametrize("name", sorted(name for name in SAMPLES if name.startswith(("check", "state", "list"))))
def test_promtool_and_both_parsers_understand_it(name: str) -> None:
    text = text_of(name)
    both = [
        {sample for family in parse(text) for sample in map(str, family.samples)}
        for parse in (parse_text, parse_openmetrics)
    ]
    assert both[0] == both[1]
    run = subprocess.run(
        [require_peer("promtool"), "check", "metrics"],
        input=text,
        text=True,
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


def test_names_of_strangers_stay_inside_of_their_labels() -> None:
    view: View = build(SAMPLES["check-mixed"])
    awkward = 'a"} 1\nconnform_evil{x="\\'
    view["connections"][0]["environment"] = awkward
    families = list(parse_openmetrics(openmetrics.render_at(view, now=NOW)))  # type: ignore[no-untyped-call]  # prometheus_client has no types here
    assert "connform_evil" not in {family.name for family in families}
    environments = {sample.labels.get("environment") for family in families for sample in family.samples}
    assert awkward in environments


def test_a_check_that_is_not_recorded_ended_when_the_file_was_written() -> None:
    line = f'connform_last_check_timestamp_seconds{{name="sandbox-us"}} {NOW.timestamp()!r}\n'
    assert line in text_of("check-ready")
