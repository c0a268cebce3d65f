"""The published schemas mean the same to validators in other languages as to jsonschema, and no less than connform does."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from connform.engine.load.vocabulary import vocabulary
from connform.manifest.files import Source
from connform.manifest.tally import Tally
from connform.manifest.validate import validate
from tests.conftest import require_library
from tests.editors.validators import ROOT, by_ajv, by_jsonschema, by_rust, documents, published

given = cache(documents)


@cache
def answers() -> list[bool]:
    """Return those of jsonschema."""
    return by_jsonschema(published(), given())


def test_it_refuses_nothing_that_connform_accepts() -> None:
    verdicts = answers()
    assert min(verdicts.count(True), verdicts.count(False)) > 100
    refused = [one for one, verdict in zip(given(), verdicts, strict=True) if not verdict]
    assert [one for one in refused if is_accepted(one)] == []


def is_accepted(data: Any) -> bool:
    """Return whether connform finds no error."""
    tally = Tally()
    validate([Source("connections.yaml", json.dumps(data).encode(), "")], vocabulary(), tally)
    return not tally.has_errors


@pytest.mark.parametrize("ask", [by_rust, by_ajv])
def test_all_give_the_same_answers(ask: Callable[[dict[str, Any], list[Any]], list[bool]]) -> None:
    if ask is by_rust:
        require_library("jsonschema_rs")
    compared = zip(given(), answers(), ask(published(), given()), strict=True)
    assert [data for data, one, other in compared if one is not other] == []


@pytest.mark.parametrize("file", sorted((ROOT / "schema").glob("*.json")), ids=lambda file: file.name)
def test_patterns_are_portable(file: Any) -> None:
    """No look-around, no class that engines read differently, no escape that only some know."""
    text = file.read_text("utf-8")
    patterns = re.findall(r'"pattern": ("(?:[^"\\]|\\.)*")', text)
    assert [one for one in map(json.loads, patterns) if re.search(r"\(\?[^:]|\\[sSwWdDbBuZAp]", one)] == []
