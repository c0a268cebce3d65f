from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from connform.faults import FAULTS
from connform.manifest.shape import selected
from connform.providers import PROVIDERS
from connform.providers.described.provider import DescribedProvider
from connform.providers.interface import CheckRequest
from tests.providers.connections import answer, connection

IINKED_SIGN = PROVIDERS["iinked-sign"]

# ---------------------------------------------------------------------------------------------------------- instances

INSTANCES = [
    (
        {"environment": "sandbox", "region": "us"},
        "https://sandbox.syngrafii.com/api/v1",
        "https://sandbox.syngrafii.com/integration",
        "https://sandbox.syngrafii.com/connect/authorize",
        "https://sandbox.syngrafii.com/connect/token",
    ),
    (
        {"environment": "sandbox", "region": "eu"},
        "https://sandbox.syngrafii.eu/api/v1",
        "https://sandbox.syngrafii.eu/integration",
        "https://sandbox.syngrafii.eu/connect/authorize",
        "https://sandbox.syngrafii.eu/connect/token",
    ),
    (
        {"environment": "production", "region": "us"},
        "https://sign.syngrafii.com/api/v1",
        "https://sign.syngrafii.com/integration",
        "https://sign.syngrafii.com/connect/authorize",
        "https://sign.syngrafii.com/connect/token",
    ),
    (
        {"environment": "production", "region": "ca"},
        "https://sign.syngrafii.ca/api/v1",
        "https://sign.syngrafii.ca/integration",
        "https://sign.syngrafii.ca/connect/authorize",
        "https://sign.syngrafii.ca/connect/token",
    ),
    (
        {"environment": "production", "region": "eu"},
        "https://sign.syngrafii.eu/api/v1",
        "https://sign.syngrafii.eu/integration",
        "https://sign.syngrafii.eu/connect/authorize",
        "https://sign.syngrafii.eu/connect/token",
    ),
    (
        {"environment": "private", "instance": "acme"},
        "https://acme.syngrafii.com/api/v1",
        "https://acme.syngrafii.com/integration",
        "https://acme.syngrafii.com/connect/authorize",
        "https://acme.syngrafii.com/connect/token",
    ),
    (
        {"environment": "private", "base_url": "https://sign.acme.example:8443/root/api/v1/"},
        "https://sign.acme.example:8443/root/api/v1",
        "https://sign.acme.example:8443/integration",
        "https://sign.acme.example:8443/connect/authorize",
        "https://sign.acme.example:8443/connect/token",
    ),
    (
        {"environment": "private", "base_url": "https://sign.acme.example"},
        "https://sign.acme.example",
        "https://sign.acme.example/integration",
        "https://sign.acme.example/connect/authorize",
        "https://sign.acme.example/connect/token",
    ),
]


@pytest.mark.parametrize(
    ("settings", "base_url", "keys", "authorize", "token"),
    INSTANCES,
    ids=["-".join(row[0].values()) for row in INSTANCES],
)
def test_an_instance_has_the_four_urls_of_the_vendors_page(
    settings: dict[str, str], base_url: str, keys: str, authorize: str, token: str
) -> None:
    instance = IINKED_SIGN.instance(connection(**settings))
    assert isinstance(IINKED_SIGN, DescribedProvider)
    assert IINKED_SIGN.base_url(connection(**settings)) == base_url
    assert (instance.base_url, instance.key_management_url) == (base_url, keys)
    assert (instance.authorize_url, instance.token_url) == (authorize, token)
    assert instance.api_key_header == "api_key"


def test_the_check_only_reads_and_asks_for_one_item() -> None:
    request = IINKED_SIGN.check_request(connection(environment="sandbox", region="us"))
    assert request == CheckRequest("POST", "/packages/list", {"take": 1, "skip": 0})


# ------------------------------------------------------------------------------------------------------------- schema


def _errors(value: dict[str, Any]) -> list[str]:
    schema = selected(IINKED_SIGN.shape, value)
    return [error.validator for error in Draft202012Validator(schema).iter_errors(value)]


@pytest.mark.parametrize("settings", [row[0] for row in INSTANCES], ids=str)
def test_every_instance_is_accepted(settings: dict[str, str]) -> None:
    assert _errors(settings) == []
    assert list(IINKED_SIGN.rules({**settings, "auth": {"method": "api_key"}})) == []


@pytest.mark.parametrize(
    ("settings", "keyword"),
    [
        ({"environment": "sandbox", "region": "ca"}, "enum"),
        ({"environment": "sandbox", "region": "US"}, "enum"),
        ({"environment": "production", "region": "de"}, "enum"),
        ({"environment": "production", "region": 1}, "enum"),
        ({"environment": "sandbox"}, "required"),
        ({"environment": "staging", "region": "us"}, "enum"),
        ({"region": "us"}, "required"),
        ({"environment": "private", "region": "us", "instance": "acme"}, "additionalProperties"),
        ({"environment": "sandbox", "region": "us", "instance": "acme"}, "additionalProperties"),
        ({"environment": "private", "instance": "https://acme.syngrafii.com"}, "pattern"),
        ({"environment": "private", "instance": "acme.syngrafii.com"}, "pattern"),
        ({"environment": "private", "instance": "acme\n"}, "pattern"),
        ({"environment": "private", "instance": "-acme"}, "pattern"),
        ({"environment": "private", "instance": ""}, "pattern"),
        ({"environment": "private", "instance": "a" * 64}, "pattern"),
        ({"environment": "private", "instance": "äcme"}, "pattern"),
        ({"environment": "private", "instance": 12}, "type"),
        ({"environment": "private", "base_url": "acme.example/api"}, "pattern"),
        ({"environment": "private", "base_url": "ftp://acme.example"}, "pattern"),
    ],
    ids=str,
)
def test_one_mistake_is_one_error_of_the_schema(settings: dict[str, Any], keyword: str) -> None:
    assert _errors(settings) == [keyword]


def test_the_canadian_sandbox_is_explained() -> None:
    region = selected(IINKED_SIGN.shape, {"environment": "sandbox"})["properties"]["region"]
    assert (region["enum"], region["x-code"]) == (["us", "eu"], "unknown-region")
    assert "no sandbox in Canada" in region["errorMessage"]
    region = selected(IINKED_SIGN.shape, {"environment": "production"})["properties"]["region"]
    assert region["enum"] == ["us", "ca", "eu"]


# -------------------------------------------------------------------------------------------------------------- rules


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ({}, [("instance-or-base-url", ())]),
        ({"instance": "acme", "base_url": "https://acme.example"}, [("instance-or-base-url", ("base_url",))]),
        ({"base_url": "http://acme.example"}, [("insecure-url", ("base_url",))]),
        ({"base_url": "https://acme.example?x=1"}, [("malformed-url", ("base_url",))]),
        (
            {"instance": "acme", "base_url": "http://acme.example"},
            [("instance-or-base-url", ("base_url",)), ("insecure-url", ("base_url",))],
        ),
    ],
    ids=["neither", "both", "plain http", "query", "both and plain http"],
)
def test_a_private_instance_has_exactly_one_good_address(settings: dict[str, str], found: list[Any]) -> None:
    connection = {"environment": "private", "auth": {"method": "api_key"}, **settings}
    assert [(finding.code, finding.path) for finding in IINKED_SIGN.rules(connection)] == found


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({}, []),
        ({"client_secret": None}, [("missing-key", ("auth",))]),
        ({"redirect_uri": "http://127.0.0.1:8400/cb"}, [("insecure-url", ("auth", "redirect_uri"))]),
    ],
    ids=str,
)
def test_an_oauth_client_is_as_the_vendor_documents_it(change: dict[str, Any], found: list[Any]) -> None:
    auth = {"method": "oauth2", "client_secret": "env://A", "redirect_uri": "https://localhost/cb", **change}
    auth = {key: value for key, value in auth.items() if value is not None}
    findings = IINKED_SIGN.rules({"environment": "sandbox", "region": "eu", "auth": auth})
    assert [(finding.code, finding.path) for finding in findings] == found


# ------------------------------------------------------------------------------------------------------------ answers

LIST = {"items": [{"signer": "Ada <ada@acme.example>"}], "total": 7, "take": 1, "skip": 0}


def _error(code: object) -> dict[str, object]:
    return {"error": code, "message": "no permission for ada@acme.example"}


ANSWERS = [
    ("the list", answer(200, LIST), ""),
    ("an empty list", answer(200, {"items": [], "total": 0, "take": 1, "skip": 0}), ""),
    ("a list with a new key", answer(200, LIST | {"next": None}), ""),
    ("a list of one large package", answer(200, LIST | {"items": [{"note": "x" * 1_000_000}]}), ""),
    ("a count of 1.0", answer(200, LIST | {"take": 1.0}), ""),
    ("a count of 1.5", answer(200, LIST | {"take": 1.5}), "http_not_this_api"),
    ("the list, as a page", answer(200, LIST, content_type="text/html; charset=utf-8"), "http_not_this_api"),
    ("a page of HTML", answer(200, "<html>"), "http_not_this_api"),
    ("an empty 200", answer(200), "http_not_this_api"),
    ("foreign JSON", answer(200, {"status": "up"}), "http_not_this_api"),
    ("a bare array", answer(200, []), "http_not_this_api"),
    ("items that are none", answer(200, LIST | {"items": "x"}), "http_not_this_api"),
    ("a total that is true", answer(200, LIST | {"total": True}), "http_not_this_api"),
    ("a list without total", answer(200, {"items": [], "take": 1, "skip": 0}), "http_not_this_api"),
    ("201", answer(201, LIST), "http_not_this_api"),
    ("204", answer(204), "http_not_this_api"),
    ("302", answer(302, location="https://login.example/?token=ada"), "http_redirect_refused"),
    ("307 without a target", answer(307), "http_redirect_refused"),
    ("304", answer(304), "http_redirect_refused"),
    ("400 of the API", answer(400, _error("package_invalid_take")), "http_not_this_api"),
    ("400 of nginx", answer(400, "<html>ada"), "http_not_this_api"),
    ("401", answer(401), "auth_rejected"),
    ("401 with a body", answer(401, _error("Ada Lovelace")), "auth_rejected"),
    ("403 of the API", answer(403, _error("package_not_authorized")), "auth_denied"),
    ("403 without a message", answer(403, {"error": "package_not_authorized"}), "auth_denied"),
    ("403 for a missing feature", answer(403, _error("package_feature_disabled")), "feature_missing"),
    ("400 for a missing feature", answer(400, _error("package_feature_api")), "feature_missing"),
    ("403 of nginx", answer(403, "<html>ada"), "denied_by_intermediary"),
    ("403 of a gateway", answer(403, {"message": "Forbidden ada"}), "denied_by_intermediary"),
    ("403 of a framework", answer(403, _error("Forbidden")), "denied_by_intermediary"),
    ("403 with a sentence", answer(403, _error("ada has no key")), "denied_by_intermediary"),
    ("403 with a long code", answer(403, _error("a_" * 32 + "ada")), "denied_by_intermediary"),
    ("403 with a code and a newline", answer(403, _error("not_authorized\n")), "denied_by_intermediary"),
    ("403 with a list", answer(403, _error(["ada"])), "denied_by_intermediary"),
    ("404 of the API", answer(404, _error("package_not_found")), "http_not_this_api"),
    ("404 of nginx", answer(404, "<html>ada"), "http_not_this_api"),
    ("418", answer(418), "http_not_this_api"),
    ("429", answer(429, _error("too_many")), "rate_limited"),
    ("500", answer(500, _error("package_exception_ada")), "server_error"),
    ("501", answer(501), "server_error"),
    ("502", answer(502, "ada"), "server_unavailable"),
    ("503", answer(503), "server_unavailable"),
    ("504", answer(504), "server_unavailable"),
]


@pytest.mark.parametrize(("given", "fault"), [row[1:] for row in ANSWERS], ids=[row[0] for row in ANSWERS])
def test_an_answer_is_judged(given: Any, fault: str) -> None:
    judgement = IINKED_SIGN.judge(connection(environment="sandbox", region="us"), given)
    assert judgement.fault == fault
    assert fault == "" or fault in FAULTS
    assert bool(judgement.message) == bool(fault)
    shown = f"{judgement.message} {judgement.hint} {judgement.facts}".lower()
    assert "ada" not in shown, "a body with personal data shows"
    assert "\n" not in shown


def test_the_apis_own_error_code_is_named() -> None:
    judged = IINKED_SIGN.judge(connection(), answer(403, _error("package_not_authorized")))
    assert judged.message == "the API answered 403 package_not_authorized"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (answer(418, _error("tea_pot")), "the server answered 418 tea_pot, which iinked Sign never does for the list of packages"),
        (answer(418, _error("Ada")), "the server answered 418, which iinked Sign never does for the list of packages"),
        (answer(404, "<html>ada", content_type="text/html"), "the server answered 404 with a page (text/html), not with the list of packages"),
        (answer(200, LIST, content_type="text/html"), "the server answered 200 with a page (text/html), not with the list of packages"),
    ],
    ids=["an error code", "another text", "a page", "the list as a page"],
)  # fmt: skip
def test_an_answer_that_is_not_documented_is_described(given: Any, message: str) -> None:
    assert IINKED_SIGN.judge(connection(), given).message == message


def test_the_dropped_underscore_is_hinted_at() -> None:
    judged = IINKED_SIGN.judge(connection(), answer(403, "<html>"))
    assert "underscore" in (judged.hint or FAULTS[judged.fault].hint)


@pytest.mark.parametrize(
    ("location", "named"),
    [
        ("https://login.example/sso?token=t0ken", "login.example"),
        ("//login.example:8443/x", "login.example"),
        ("https://user:t0ken@login.example/", "login.example"),
        ("/login?t0ken", "another address"),
        ("https://b\x1b[31md.example/t0ken", "another address"),
        ("https://exämple.example/", "another address"),
        ("", "another address"),
    ],
    ids=["absolute", "without scheme", "with user", "relative", "escape sequence", "non-ASCII", "absent"],
)
def test_of_a_redirects_target_only_the_host_is_named(location: str, named: str) -> None:
    judged = IINKED_SIGN.judge(connection(), answer(302, location=location))
    assert named in judged.message
    assert "t0ken" not in judged.message
    assert "sso" not in judged.message
    assert judged.message.isprintable()


NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("retry_after", "wait_s", "words"),
    [
        ("30", 30.0, "asks to wait 30 s, until 2026-03-01T12:00:30+00:00"),
        ("Sun, 01 Mar 2026 12:01:30 GMT", 90.0, "asks to wait 90 s"),
        ("Thu, 01 Jan 2099 00:00:00 GMT", 2298542400.0, "until 2099-01-01T00:00:00+00:00"),
        ("soon", None, "without saying how long"),
        ("", None, "without saying how long"),
        ("9" * 5000, None, "without saying how long"),
    ],
    ids=["seconds", "date", "year 2099", "junk", "absent", "5000 digits"],
)
@pytest.mark.parametrize("status", [429, 503])
def test_how_long_to_wait_is_said(status: int, retry_after: str, wait_s: float | None, words: str) -> None:
    judged = IINKED_SIGN.judge(connection(), answer(status, received_at=NOW, retry_after=retry_after))
    assert judged.facts.get("retry_after_s") == wait_s
    assert words in judged.message


def test_seconds_are_understood_without_a_clock() -> None:
    judged = IINKED_SIGN.judge(connection(), answer(429, retry_after="30"))
    assert judged.facts == {"retry_after_s": 30.0}
