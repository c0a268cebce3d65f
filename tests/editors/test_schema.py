"""The published schema agrees with connform, tells people what each key is, and offers snippets."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from connform.engine.load.manifest import examine
from connform.engine.load.manifest_schemas import manifest_schema
from connform.manifest.files import Source
from connform.manifest.parser import parse
from connform.manifest.portable import portable
from connform.providers import GROUPS

ROOT = Path(__file__).parents[2]
EXAMPLES = [ROOT / "connections.yaml.example", *sorted((ROOT / "tests/manifest/broken").rglob("*.yaml"))]


@cache
def _schema() -> dict[str, Any]:
    """Return the published schema: to make it takes 200 ms, so that it isn't made where no test of these is run."""
    return manifest_schema()


@cache
def _published() -> Draft7Validator:
    """Return the judge of manifests by the published schema."""
    return Draft7Validator(_schema())


def test_it_is_a_schema_of_draft_07() -> None:
    Draft7Validator.check_schema(_schema())
    assert _schema()["$schema"] == "http://json-schema.org/draft-07/schema#"
    assert not {"$defs", "unevaluatedProperties", "dependentRequired", "prefixItems"} & set(_keywords(_schema()))


@pytest.mark.parametrize(
    ("text", "accepted"),
    [
        ("{version: 1, connections: {a: {environment: sandbox, region: ca, auth: {method: bearer, token: 'env://A'}}}}", False),
        ("{version: 1, defaults: {owner: a}, connections: {a: {environment: sandbox, region: us}}}", False),
        ("{version: 1, defaults: {auth: {method: bearer, token: 'env://A'}}, connections: {a: {environment: sandbox, region: us}}}", True),
        ("{version: 1, defaults: {provider: http}, connections: {a: {base_url: 'https://acme.example', check: {path: /me}}}}", True),
        ("{version: 1}", False),
        ("{version: 1, providers: {}}", True),
        ("{version: 1, providers: {crm: {}}}", False),
        ("{version: 1, templates: {t: {region: us}}, connections: {a: {extends: t, environment: sandbox}}}", True),
    ],
    ids=["wrong region", "incomplete", "completed by defaults", "another provider by defaults", "no connections", "providers alone", "a provider without a team", "completed by a template"],
)  # fmt: skip
def test_a_connection_is_judged_alone_where_nothing_is_inherited_but_settings(text: str, *, accepted: bool) -> None:
    data = yaml.safe_load(text)
    assert _published().is_valid(data) is accepted


def test_a_text_or_list_may_be_a_list_in_the_published_form_as_well() -> None:
    published = Draft7Validator(portable(_schema()))
    store: Any = {"type": "env", "environment": ["staging", "production"]}
    assert published.is_valid({"version": 1, "stores": {"keys": store}, "connections": {}})
    store["environment"] = "staging\n"
    assert not published.is_valid({"version": 1, "stores": {"keys": store}, "connections": {}})


def test_every_key_is_described() -> None:
    told = {key: any("description" in schema for schema in found) for key, found in _properties(_schema()).items()}
    assert [key for key, is_told in told.items() if not is_told] == []


def test_every_object_has_a_title_or_a_description() -> None:
    objects = {
        name: schema for name, schema in _schema()["definitions"].items() if "properties" in schema or "if" in schema
    }
    assert [name for name, schema in objects.items() if not {"title", "description"} & schema.keys()] == []


def test_what_is_said_often_is_said_once() -> None:
    """Editors load it, and slow down with its size: of each provider, it has little more than its file."""
    assert len(json.dumps(_schema())) < 130_000 + 4_500 * len(GROUPS)


def _snippets() -> list[tuple[str, dict[str, Any]]]:
    parts = _schema()["properties"]
    return [
        (part, snippet) for part in ("providers", "stores", "connections") for snippet in parts[part]["defaultSnippets"]
    ]


def test_there_is_a_snippet_for_each_usual_thing() -> None:
    labels = {snippet["label"] for _, snippet in _snippets()}
    assert labels >= {
        "iinked Sign: sandbox",
        "iinked Sign: oauth2",
        "iinked Sign: private",
        "any HTTP API",
        "dotenv file",
    }


def test_each_snippet_is_valid_as_it_is_inserted(subtests: pytest.Subtests) -> None:
    for part, snippet in _snippets():
        with subtests.test(snippet["label"]):
            _assert_valid(part, snippet["body"])


def _assert_valid(part: str, body: dict[str, Any]) -> None:
    text = yaml.safe_dump({"version": 1, "connections": {}, part: body})
    text = text.replace("'\"$", '"$').replace("}\"'", '}"')  # editors insert a text as it is
    places = sorted(int(number) for number in re.findall(r"\$\{(\d+)", text))
    assert places == list(range(1, len(places) + 1))
    for choice in range(3):
        filled = _filled(text, choice)
        assert _published().is_valid(parse(filled.encode(), "")[0])
        found = examine([Source("connections.yaml", filled.encode(), "")])[1].diagnostics
        assert [one.code for one in found] == ([] if part == "connections" else ["no-connections"])


def _filled(text: str, choice: int) -> str:
    """Return a snippet's text with its defaults, and of each list of choices the given one."""

    def chosen(match: re.Match[str]) -> str:
        values = match[1].split(",")
        return values[choice % len(values)]

    return re.sub(r"\$\{\d+\|([^|]*)\|\}", chosen, re.sub(r"\$\{\d+:([^}]*)\}", r"\1", text))


def _keywords(schema: Any) -> Iterator[str]:
    if isinstance(schema, list):
        for item in schema:
            yield from _keywords(item)
    elif isinstance(schema, dict):
        yield from schema
        for item in schema.values():
            yield from _keywords(item)


def _properties(schema: Any) -> dict[str, list[dict[str, Any]]]:
    """Return every schema of each key, wherever it stands; a reference leads to one that has been met."""
    found: dict[str, list[dict[str, Any]]] = {}
    stack = [schema]
    while stack:
        here = stack.pop()
        if isinstance(here, list):
            stack += here
        elif isinstance(here, dict):
            for key, part in here.get("properties", {}).items() if isinstance(here.get("properties"), dict) else ():
                if not isinstance(part, dict):  # a schema of the keyword `properties`
                    continue
                target = _schema()["definitions"][part["$ref"].rpartition("/")[2]] if "$ref" in part else part
                found.setdefault(key, []).extend([target, *target.get("anyOf", [])])
            stack += here.values()
    return found


OWN = {"provider": "acme/crm", "site": "north", "auth": {"method": "token", "token": "env://T"}}


@pytest.mark.parametrize(
    "declared",
    [
        {"connections": {"a": OWN}},
        {"connections": {"a": {"extends": "crm", "site": "south"}}, "templates": {"crm": OWN}},
        {"connections": {"a": {"site": "south"}}, "defaults": OWN},
    ],
    ids=["connection", "template", "defaults"],
)
def test_keys_of_a_declared_provider_are_not_marked(declared: dict[str, Any]) -> None:
    assert _published().is_valid({"version": 1, **declared})


def test_keys_of_a_built_in_provider_are_marked_beside_a_declared_one() -> None:
    wrong = {"environment": "sandbox", "region": "us", "site": "x", "auth": {"method": "bearer", "token": "env://T"}}
    assert not _published().is_valid({"version": 1, "connections": {"a": OWN, "b": wrong}})
