"""The JSON output: its schema, its completeness, its plainness."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from connform.engine.connection_report import StageResult
from connform.engine.report import Report
from connform.faults import Stage
from connform.reporters import reporter, view
from connform.reporters.schemas import REPORT_SCHEMA
from tests.reporters.samples import READY, SAMPLES


def rendered(report: Report) -> Any:
    return json.loads(reporter("json").render(view.build(report), color=True, width=80, verbosity=0))


def objects(schema: Any) -> list[dict[str, Any]]:
    found = [schema] if isinstance(schema, dict) and "properties" in schema else []
    inner = schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else []
    return found + [one for value in inner for one in objects(value)]


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(REPORT_SCHEMA)


def test_the_schema_is_closed_but_for_the_facts_of_a_stage() -> None:
    open_objects = [one for one in objects(REPORT_SCHEMA) if one.get("additionalProperties") is not False]
    assert {tuple(one["properties"]) for one in open_objects} == {("name", "status", "elapsed_ms")}


@pytest.mark.parametrize("sample", SAMPLES)
def test_every_sample_fits_the_schema(sample: str) -> None:
    Draft202012Validator(REPORT_SCHEMA).validate(rendered(SAMPLES[sample]))


@pytest.mark.parametrize("sample", SAMPLES)
def test_nothing_is_lost_between_view_and_text(sample: str) -> None:
    assert rendered(SAMPLES[sample]) == view.build(SAMPLES[sample])


def absent(schema: Any, values: list[Any]) -> set[str]:
    """Return the properties of a schema that none of the values has."""
    if "items" in schema:
        return absent(schema["items"], [item for value in values for item in value])
    names: set[str] = set()
    for name, inner in schema.get("properties", {}).items():
        found = [value[name] for value in values if value is not None and name in value]
        names |= absent(inner, found) if found else {name}
    return names


def test_every_field_of_the_schema_is_in_the_view_of_a_sample() -> None:
    views = [view.build(report) for report in SAMPLES.values()]
    assert absent(REPORT_SCHEMA, views) == {"api_key_header", "owner"}  # details of `show` that no sample has


def test_the_exit_code_is_the_reports() -> None:
    assert {name: rendered(report)["exit_code"] for name, report in SAMPLES.items()} == {
        name: int(report.exit_code) for name, report in SAMPLES.items()
    }


def test_the_summary_counts() -> None:
    assert rendered(SAMPLES["check-mixed"])["summary"] == {
        "connections": 4,
        "ready": 1,
        "failed": 1,
        "unknown": 1,
        "skipped": 1,
        "errors": 0,
        "warnings": 2,
        "policies": 0,
    }


def test_a_fact_never_replaces_a_field_of_its_stage() -> None:
    stage = StageResult(Stage.HTTP, "ok", 0.0015, {"status": 200, "http_status": 200})
    report = Report("check", connections=(READY.__class__("a", "http", "", "", "", "bearer", stages=(stage,)),))
    assert view.build(report)["connections"][0]["stages"] == [
        {"name": "http", "status": "ok", "elapsed_ms": 1.5, "http_status": 200}
    ]


def test_json_survives_any_encoding() -> None:
    assert reporter("json").render(view.build(SAMPLES["validate-errors"]), color=False, width=80, verbosity=0).isascii()
