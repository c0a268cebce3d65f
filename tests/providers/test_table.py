"""The contract that every provider keeps. Those of the catalogue have the class of iinked Sign's; tests/catalog/ has what their files say."""

from __future__ import annotations

from typing import Any

import pytest

from connform.faults import FAULTS
from connform.manifest.shape import Shape
from connform.providers import PROVIDERS
from connform.providers.interface import Judgement
from tests.providers.connections import answer, connection
from tests.schemas import validator_of

EXAMPLES: dict[str, dict[str, Any]] = {
    "iinked-sign": {"environment": "sandbox", "region": "us"},
    "http": {"base_url": "https://api.acme.example", "check": {"path": "/me", "expect": {"text": "me"}}},
}

BODIES: tuple[Any, ...] = (None, "<html>", {}, [], {"error": "package_not_found", "message": ""})


def test_every_class_of_provider_has_an_example_here() -> None:
    assert {type(PROVIDERS[name]) for name in EXAMPLES} == {type(provider) for provider in PROVIDERS.values()}


@pytest.mark.parametrize("name", EXAMPLES)
def test_its_schema_is_a_schema_and_accepts_its_example(name: str) -> None:
    assert validator_of(PROVIDERS[name].shape).is_valid(EXAMPLES[name])


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_key_is_described_for_editors(name: str) -> None:
    def undescribed(shape: Shape) -> list[str]:
        found = [] if shape.description else ["(shape)"]
        for key, part in shape.properties.items():
            found += undescribed(part) if isinstance(part, Shape) else [] if part.get("description") else [key]
        return found + [key for branch in shape.branches.values() for key in undescribed(branch)]

    assert undescribed(PROVIDERS[name].shape) == []


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_status_gets_a_judgement_that_the_table_of_faults_knows(name: str) -> None:
    here = connection(name, **EXAMPLES[name])
    for status in range(200, 600):
        for body in BODIES:
            judgement = PROVIDERS[name].judge(here, answer(status, body))
            assert judgement.fault in {"", *FAULTS}
            assert judgement.fault == "" or judgement.message


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_check_request_only_reads(name: str) -> None:
    request = PROVIDERS[name].check_request(connection(name, **EXAMPLES[name]))
    assert request.method in {"GET", "HEAD", "POST"}
    assert request.path.startswith("/")


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_simulated_answer_to_a_check_is_judged_ready(name: str) -> None:
    here, provider = connection(name, **EXAMPLES[name]), PROVIDERS[name]
    assert provider.judge(here, provider.ready_answer(here)) == Judgement()  # type: ignore[attr-defined]  # not of every plug-in
