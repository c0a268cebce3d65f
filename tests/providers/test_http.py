from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from connform.engine.load.vocabulary import vocabulary
from connform.manifest.files import Source
from connform.manifest.shape import selected
from connform.manifest.tally import Tally
from connform.manifest.validate import validate
from connform.providers.http import HTTP
from connform.providers.interface import CheckRequest, Instance
from tests.providers.connections import answer, connection

AUTH: dict[str, Any] = {"auth": {"method": "bearer", "token": "env://TOKEN"}}
EXPECT: dict[str, Any] = {"body": {"required": ["id"]}}
GOOD: dict[str, Any] = {"base_url": "https://api.acme.example/v2/", "check": {"path": "/me", "expect": EXPECT}}


def _errors(value: dict[str, Any]) -> list[str]:
    return [error.validator for error in Draft202012Validator(selected(HTTP.shape, value)).iter_errors(value)]


def test_the_smallest_connection() -> None:
    assert _errors(GOOD) == []
    assert list(HTTP.rules(GOOD | AUTH)) == []
    smallest = connection("http", **GOOD)
    assert HTTP.instance(smallest) == Instance("https://api.acme.example/v2", "X-Api-Key")
    assert HTTP.check_request(smallest) == CheckRequest("GET", "/me")


def test_everything_said() -> None:
    full = {
        "environment": "qa_2-eu",
        "class": "test",
        "base_url": "http://127.0.0.1:8080",
        "api_key_header": "Api-Token",
        "check": {
            "method": "POST",
            "path": "/me?fields=id",
            "json": {"take": 1},
            "expect": {"status": [200, 201], "body": {"required": ["ok"], "properties": {"ok": {"const": True}}}},
            "reject": {"status": [200, 400], "body": {"required": ["error"]}},
        },
    }
    assert _errors(full) == []
    assert list(HTTP.rules(full | AUTH)) == []
    assert HTTP.instance(connection("http", **full)) == Instance("http://127.0.0.1:8080", "Api-Token")
    assert HTTP.check_request(connection("http", **full)) == CheckRequest("POST", "/me?fields=id", {"take": 1})


@pytest.mark.parametrize(
    ("change", "keyword"),
    [
        ({"base_url": None}, "required"),
        ({"check": None}, "required"),
        ({"region": "us"}, "additionalProperties"),
        ({"environment": "Staging"}, "pattern"),
        ({"environment": "staging\n"}, "pattern"),
        ({"environment": "of acme"}, "pattern"),
        ({"environment": "-"}, "pattern"),
        ({"environment": "e" * 64}, "pattern"),
        ({"environment": ["staging"]}, "type"),
        ({"class": "sandbox"}, "enum"),
        ({"check": {}}, "required"),
        ({"check": {"path": "/me", "body": "x"}}, "additionalProperties"),
        ({"check": {"path": "me"}}, "pattern"),
        ({"check": {"path": "//evil.example/me"}}, "pattern"),
        ({"check": {"path": "/me\n"}}, "pattern"),
        ({"check": {"path": "/a b"}}, "pattern"),
        ({"check": {"path": "/me#top"}}, "pattern"),
        ({"check": {"path": "/\\evil"}}, "pattern"),
        ({"check": {"path": "/me", "method": "DELETE"}}, "enum"),
        ({"check": {"path": "/me", "expect_status": 401}}, "maximum"),
        ({"check": {"path": "/me", "expect_status": "200"}}, "type"),
        ({"check": {"path": "/me", "json": "{}"}}, "type"),
        ({"check": {"path": "/me", "expect": {"status": 302}}}, "maximum"),
        ({"check": {"path": "/me", "expect": {"status": [200, 503]}}}, "maximum"),
        ({"check": {"path": "/me", "expect": {"status": []}}}, "minItems"),
        ({"check": {"path": "/me", "expect": {"status": True}}}, "type"),
        ({"check": {"path": "/me", "expect": {"empty": False}}}, "const"),
        ({"check": {"path": "/me", "expect": {"text": ""}}}, "pattern"),
        ({"check": {"path": "/me", "expect": {"text": " pong"}}}, "pattern"),
        ({"check": {"path": "/me", "expect": {"text": "a" * 65}}}, "maxLength"),
        ({"check": {"path": "/me", "expect": {"html": True}}}, "additionalProperties"),
        ({"check": {"path": "/me", "reject": {"status": 400}}}, "type"),
        ({"check": {"path": "/me", "reject": {"status": [500]}}}, "maximum"),
        ({"api_key_header": "X Key"}, "pattern"),
        ({"api_key_header": "X-Key\n"}, "pattern"),
        ({"api_key_header": "X-Key: 1"}, "pattern"),
        ({"api_key_header": ""}, "pattern"),
    ],
    ids=str,
)
def test_one_mistake_is_one_error_of_the_schema(change: dict[str, Any], keyword: str) -> None:
    wrong = {key: value for key, value in (GOOD | change).items() if value is not None}
    assert _errors(wrong) == [keyword]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"base_url": "http://api.acme.example"}, "insecure-url"),
        ({"base_url": "https://user:s3cr3t@api.acme.example"}, "malformed-url"),
        ({"api_key_header": "Host"}, "malformed-value"),
        ({"api_key_header": "content-LENGTH"}, "malformed-value"),
    ],
    ids=str,
)
def test_what_a_schema_cannot_say(change: dict[str, Any], code: str) -> None:
    findings = list(HTTP.rules(GOOD | AUTH | change))
    assert [finding.code for finding in findings] == [code]
    assert "s3cr3t" not in findings[0].detail + findings[0].hint


def test_the_dropped_underscore_is_hinted_at_only_where_there_is_one() -> None:
    plain = HTTP.judge(connection("http", **GOOD), answer(403))
    underscored = HTTP.judge(connection("http", **GOOD, api_key_header="api_key"), answer(403))
    assert "underscore" not in plain.hint
    assert "underscore" in underscored.hint


def test_a_key_of_another_provider_is_said_to_be_one() -> None:
    text = "version: 1\nconnections: {a: {provider: http, environment: production, region: eu, base_url: 'https://a.example', check: {path: /, expect: {empty: true}}, auth: {method: bearer, token: 'env://T'}}}\n"
    tally = Tally()
    validate([Source("connections.yaml", text.encode(), "")], vocabulary(), tally)
    details = [one.detail for one in tally.diagnostics()]
    assert [one.partition(";")[0] for one in details] == ["`region` is not allowed in this entry"]
