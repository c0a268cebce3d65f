from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from connform.engine.load.catalog import vocabulary
from connform.manifest.files import Source
from connform.manifest.shape import selected
from connform.manifest.tally import Tally
from connform.manifest.validate import validate
from connform.providers.http import HTTP
from connform.providers.interface import CheckRequest, Instance
from tests.providers.connections import answer, connection

AUTH: dict[str, Any] = {"auth": {"method": "bearer", "token": "env://TOKEN"}}
GOOD: dict[str, Any] = {"base_url": "https://api.acme.example/v2/", "check": {"path": "/me"}}


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
        "environment": "sandbox",
        "base_url": "http://127.0.0.1:8080",
        "api_key_header": "Api-Token",
        "check": {"method": "HEAD", "path": "/me?fields=id", "expect_status": 204},
    }
    assert _errors(full) == []
    assert list(HTTP.rules(full | AUTH)) == []
    assert HTTP.instance(connection("http", **full)) == Instance("http://127.0.0.1:8080", "Api-Token")
    assert HTTP.check_request(connection("http", **full)) == CheckRequest("HEAD", "/me?fields=id")


@pytest.mark.parametrize(
    ("change", "keyword"),
    [
        ({"base_url": None}, "required"),
        ({"check": None}, "required"),
        ({"region": "us"}, "additionalProperties"),
        ({"environment": "staging"}, "enum"),
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


@pytest.mark.parametrize(
    ("status", "fault"),
    [
        (200, ""),
        (204, "http_not_this_api"),
        (302, "http_redirect_refused"),
        (401, "auth_rejected"),
        (403, "auth_denied"),
        (404, "http_not_this_api"),
        (429, "rate_limited"),
        (500, "server_error"),
        (503, "server_unavailable"),
    ],
)
def test_an_answer_is_judged_by_its_status(status: int, fault: str) -> None:
    assert HTTP.judge(connection("http", **GOOD), answer(status, "<html>")).fault == fault


def test_another_success_can_be_expected() -> None:
    expecting = connection("http", **(GOOD | {"check": {"path": "/me", "expect_status": 204}}))
    assert HTTP.judge(expecting, answer(204)).fault == ""
    assert HTTP.judge(expecting, answer(200)).fault == "http_not_this_api"


def test_the_dropped_underscore_is_hinted_at_only_where_there_is_one() -> None:
    plain = HTTP.judge(connection("http", **GOOD), answer(403))
    underscored = HTTP.judge(connection("http", **GOOD, api_key_header="api_key"), answer(403))
    assert "underscore" not in plain.hint
    assert "underscore" in underscored.hint


def test_a_key_of_another_provider_is_said_to_be_one() -> None:
    text = "version: 1\nconnections: {a: {provider: http, environment: production, region: eu, base_url: 'https://a.example', check: {path: /}, auth: {method: bearer, token: 'env://T'}}}\n"
    tally = Tally()
    validate([Source("connections.yaml", text.encode(), "")], vocabulary(), tally)
    details = [one.detail for one in tally.diagnostics()]
    assert details == ["`region` belongs to `provider: iinked-sign`: not allowed here"]
