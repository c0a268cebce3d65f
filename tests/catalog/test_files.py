"""Every file of the catalogue has a source for what it says, and examples of answers to a good and to a bad credential."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest

from connform.providers import catalog_entry
from tests.catalog.manifest import NAMES

FROM_BEFORE = "iinked-sign"
"""Its documentation quotes no answer to a bad credential (docs/guides/providers.md)."""
SOURCED = {"root", "check", "ready", "auth_rejected"}
REFUSED = {"auth_rejected", "auth_denied"}


def entry_of(name: str) -> Mapping[str, Any]:
    entry = catalog_entry(name)
    assert entry
    return entry


@pytest.mark.parametrize("name", [name for name in NAMES if name != FROM_BEFORE])
def test_root_methods_check_and_both_answers_have_a_source(name: str) -> None:
    entry = entry_of(name)
    said = {word for source in entry["sources"] for word in re.findall(r"[\w.-]+", source["says"])}
    needed = {*SOURCED, *entry["auth"], *(["environments"] if len(entry.get("environments", ())) > 1 else [])}
    assert needed - said == set()
    means = {example["means"] for example in entry["examples"]}
    assert "ready" in means
    assert means & REFUSED


@pytest.mark.parametrize("name", NAMES)
def test_a_source_is_a_page_of_the_web_that_was_read(name: str) -> None:
    for source in entry_of(name)["sources"]:
        assert source["url"].startswith("https://")
        assert date(2026, 8, 1) <= date.fromisoformat(source["read"])
        assert source["says"]


@pytest.mark.parametrize("name", NAMES)
def test_names_of_variables_have_a_source(name: str) -> None:
    entry = entry_of(name)
    parts = [
        *entry.get("settings", {}).values(),
        *(one for method in entry["auth"].values() for one in method.get("secrets", {}).values()),
    ]
    if any("variables" in part for part in parts):
        assert any("variables" in source["says"] for source in entry["sources"])


@pytest.mark.parametrize("name", NAMES)
def test_a_method_says_when_to_choose_it(name: str) -> None:
    assert all(method.get("use") for method in entry_of(name)["auth"].values())


def test_a_variable_with_a_secret_is_of_one_provider() -> None:
    """`init --from-env` knows providers by them: a secret must not go to another vendor."""
    owners: dict[str, set[str]] = {}
    for name in NAMES:
        for method in entry_of(name)["auth"].values():
            for secret in method.get("secrets", {}).values():
                for variable in secret.get("variables", ()):
                    owners.setdefault(variable, set()).add(name)
    assert {variable: names for variable, names in owners.items() if len(names) > 1} == {}
