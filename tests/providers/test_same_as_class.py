"""The provider `iinked-sign` means as data what it meant as a class (`oracle/`): URLs, check request, judgements, diagnostics."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connform.auth import METHODS
from connform.diagnostics import Diagnostic
from connform.engine.load import catalog, manifest, vocabulary
from connform.manifest.files import Source
from connform.providers import PROVIDERS
from connform.providers.environments import class_of
from connform.providers.interface import Answer, Judgement
from tests.canary import API_KEY
from tests.providers.connections import answer, connection
from tests.providers.oracle.iinked_sign import IINKED_SIGN as CLASS
from tests.providers.oracle.iinked_sign import _error_code as error_code
from tests.providers.oracle.oauth2 import DEFAULT_SCOPES, OAUTH2
from tests.providers.test_iinked_sign import ANSWERS, INSTANCES
from tests.repetitions import repeated

DATA: Any = PROVIDERS["iinked-sign"]
TITLE = "iinked Sign"
BROKEN = Path(__file__).parents[1] / "manifest" / "broken"

# -------------------------------------------------------------------------------------------------------- connections

LABEL = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", fullmatch=True)
HOSTS = st.lists(LABEL, min_size=2, max_size=4).map(".".join) | st.sampled_from(
    ["SIGN.Acme.Example", "127.0.0.1", "[::1]", "localhost", "münchen.example", "sign.syngrafii.com", "acme.example."]
)
PORTS = st.just("") | st.integers(1, 65535).map(lambda port: f":{port}") | st.sampled_from([":443", ":0443"])
PATHS = st.sampled_from(["", "/", "/api/v1", "/api/v1/", "/root//api/v1///", "/%41/é", "/a b", "/connect/../x"])
BASE_URLS = st.builds(
    lambda scheme, host, port, path: f"{scheme}://{host}{port}{path}",
    st.sampled_from(["https", "HTTPS", "http"]),
    HOSTS,
    PORTS,
    PATHS | st.from_regex(r"(/[A-Za-z0-9._~%-]{0,6}){0,4}", fullmatch=True),
)
DOCUMENTED = [row[0] for row in INSTANCES]
VALID = (
    st.sampled_from(DOCUMENTED)
    | LABEL.map(lambda label: {"environment": "private", "instance": label})
    | BASE_URLS.map(lambda url: {"environment": "private", "base_url": url})
)


@settings(max_examples=repeated(2000, 20_000), deadline=None, database=None)
@given(VALID)
def test_a_connection_has_the_same_urls_and_check(here: dict[str, str]) -> None:
    declared = connection(**here)
    assert _or_error(lambda: DATA.instance(declared)) == _or_error(lambda: CLASS.instance(declared))
    assert DATA.check_request(declared) == CLASS.check_request(declared)
    assert class_of(DATA, here) == class_of(CLASS, here)


def test_a_login_asks_for_the_same_scopes() -> None:
    assert (DATA.default_scopes, DATA.refresh_scope) == (DEFAULT_SCOPES, "offline_access")


def _or_error(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except ValueError as error:  # a URL that validation refuses
        return type(error), str(error)


# ------------------------------------------------------------------------------------------------------------ answers

LIST = {"items": [{"packageId": "7", "signer": "Ada"}], "total": 7, "take": 1, "skip": 0}
ABSENT = object()
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([0, 1, 7, 0.0, 1.0, -0.0, 7.5, 1e300, float("inf"), float("nan"), 2**63, "", "1", "[]"])
    | st.text(max_size=4),
    lambda part: st.lists(part, max_size=3) | st.dictionaries(st.text(max_size=3), part, max_size=3),
    max_leaves=5,
)
NEAR_LISTS = st.builds(
    lambda changes: {key: value for key, value in (LIST | changes).items() if value is not ABSENT},
    st.dictionaries(st.sampled_from([*LIST, "next", "Items"]), JSON | st.just(ABSENT), max_size=3),
)
CODES = (
    st.sampled_from(
        [
            "package_not_found",
            "package_not_authorized",
            "user_not_authorized",
            "package_invalid_type",
            "package_range_take",
            "package_feature_api",
            "package_feature_bulk",
            "_feature_",
            "a_feature_",
            "feature_a",
            "a_features_b",
            "a_feature_b_feature_c",
            "Package_Not_Found",
            "package__not_found",
            "package_not_found\n",
            "package-not-found",
            "paçkage_not_found",
            "forbidden",
            "a_" * 31 + "ab",
            "a_" * 31 + "abc",
            "",
        ]
    )
    | st.from_regex(r"[a-z]{1,6}(_[a-z]{1,30}){0,3}", fullmatch=True)
    | st.from_regex(r"[a-z]{1,4}_(feature|Feature|features)_[a-z]{1,4}[\n 1]?", fullmatch=True)
)
ERRORS = st.fixed_dictionaries(
    {}, optional={"error": CODES | JSON, "message": st.text(max_size=5), "Error": CODES, "code": CODES}
) | CODES.map(lambda code: {"error": code, "message": "m"})
BODIES = (
    NEAR_LISTS
    | ERRORS
    | JSON
    | st.builds(lambda near, size: {**near, "more": "x" * size}, NEAR_LISTS, st.sampled_from([65_000, 65_536, 900_000]))
    | st.sampled_from(["<html>", "<!doctype html><title>Log in</title>", "pong", " ", "[", json.dumps(LIST)[:-1]])
    | st.binary(max_size=8)
)
WITH_A_COUNT = st.builds(
    lambda key, count: answer(200, LIST | {key: count}),
    st.sampled_from([*LIST]),
    st.sampled_from([0, 1.0, -0.0, 7.5, 1e300, float("inf"), True, None, "1", [], {}, 2**63]),
)
WITH_A_CODE = st.builds(
    lambda status, code: answer(status, {"error": code, "message": "m"}),
    st.sampled_from([400, 401, 403, 404, 418]),
    CODES | st.integers(62, 66).map(lambda length: ("a_" * 40)[: length - 1] + "b"),
)
STATUSES = st.sampled_from([200, 400, 401, 403, 404, 429, 502, 503]) | st.integers(200, 599)
HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "content_type": st.sampled_from(
            [
                "application/json",
                "application/json; charset=utf-8",
                "text/plain",
                "text/html",
                "Text/HTML;x=y",
                "",
                "html",
            ]
        ),
        "retry_after": st.sampled_from(["30", "0", "-1", "1.5", "soon", "Sun, 01 Mar 2026 12:01:30 GMT", "9" * 20]),
        "location": st.sampled_from(
            ["https://login.example/sso?t=1", "//login.example:8443/x", "/login", "https://u:p@x.example", "\x1b[31m"]
        ),
        "received_at": st.just(datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)),
    },
)
GENERATED = st.builds(lambda status, body, rest: answer(status, body, **rest), STATUSES, BODIES, HEADERS)
TOO_LARGE = GENERATED.map(lambda one: one._replace(body=None, json=None, is_json=False))


@settings(max_examples=repeated(2000, 60_000), deadline=None, database=None)
@given(
    st.sampled_from(DOCUMENTED),
    GENERATED | GENERATED | WITH_A_COUNT | WITH_A_CODE | TOO_LARGE | st.sampled_from([row[1] for row in ANSWERS]),
)
def test_an_answer_is_judged_the_same(here: dict[str, str], given_answer: Answer) -> None:
    assert DATA.judge(connection(**here), given_answer) == _by_the_class(here, given_answer)


@pytest.mark.parametrize("here", DOCUMENTED, ids=str)
def test_the_documented_answers_are_judged_the_same(here: dict[str, str]) -> None:
    for name, given_answer, _ in ANSWERS:
        assert DATA.judge(connection(**here), given_answer) == _by_the_class(here, given_answer), name


def _by_the_class(here: dict[str, str], given_answer: Answer) -> Judgement:
    """Return the judgement of the class, but for what is meant to differ.

    1.0 counts as a whole number; a page is never ready; the message on an answer that isn't documented names a page, or
    the error code.
    """
    status = given_answer.status
    judgement = CLASS.judge(connection(**here), given_answer._replace(json=_with_whole_counts(given_answer.json)))
    is_documented = judgement.fault and TITLE not in judgement.message
    if "text/html" in given_answer.headers.get("content-type", "").lower() and not is_documented:
        message = f"the server answered {status} with a page (text/html), not with the list of packages"
        return Judgement("http_not_this_api", message)
    if f"answered {status}, which {TITLE}" in judgement.message and (code := error_code(given_answer)):
        return judgement._replace(message=judgement.message.replace(f"{status},", f"{status} {code},"))
    return judgement


def _with_whole_counts(body: Any) -> Any:
    if not isinstance(body, dict):
        return body
    counts = {key: body[key] for key in ("total", "take", "skip") if isinstance(body.get(key), float)}
    return body | {key: int(count) for key, count in counts.items() if count.is_integer()}


# -------------------------------------------------------------------------------------------------------- diagnostics

FORMER_PROVIDERS = {**PROVIDERS, "iinked-sign": CLASS}
FORMER_METHODS = {**METHODS, "oauth2": OAUTH2}
_former_vocabulary = cache(vocabulary.vocabulary.__wrapped__)


@contextmanager
def _with_the_class() -> Iterator[None]:
    """Read manifests with the class in place of the data."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (catalog, vocabulary):
            patch.setattr(module, "PROVIDERS", FORMER_PROVIDERS)
            patch.setattr(module, "METHODS", FORMER_METHODS)
        patch.setattr(manifest, "vocabulary", _former_vocabulary)
        yield


def _diagnostics(sources: list[Source]) -> tuple[tuple[Diagnostic, ...], tuple[Diagnostic, ...]]:
    """Return the diagnostics with the data, and with the class."""
    now = manifest.examine(sources)[1].diagnostics
    with _with_the_class():
        return now, manifest.examine(sources)[1].diagnostics


def _assert_same(now: Sequence[Diagnostic], before: Sequence[Diagnostic]) -> None:
    """Assert that diagnostics are the same, but for two.

    The schema of `oauth2` found the lack of `client_secret`. Public clients have none, so that a rule of the provider finds
    it where nothing else is wrong in `auth`, and then other rules find what else is wrong. And a wrong `instance`, such as
    `-acme`, made a URL that `revoke_url` was compared with.
    """
    if any(one.detail.startswith("the instance is the subdomain alone") for one in before):
        now, before = ([one for one in found if one.code != "foreign-revoke-url"] for found in (now, before))
    lacks = {(one.code, one.span) for one in before if "needs `client_secret`" in one.detail}
    if not lacks:
        assert now == before
        return
    others = {one for one in before if (one.code, one.span) not in lacks}
    assert others <= set(now)
    assert others or lacks <= {(one.code, one.span) for one in now}


OF_A_PUBLIC_CLIENT = "oauth2-client-auth-of-a-public-client"
"""A connection of the provider `http`, which the method of then refuses for its lack of a secret."""
CASES = sorted(
    path for path in BROKEN.iterdir() if (path.is_dir() or path.suffix == ".yaml") and path.stem != OF_A_PUBLIC_CLIENT
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_a_broken_manifest_gets_the_same_diagnostics(case: Path) -> None:
    files = sorted(case.glob("*.yaml")) if case.is_dir() else [case]
    sources = [Source(file.name, file.read_bytes().replace(b"@CANARY@", API_KEY.encode()), "/m") for file in files]
    _assert_same(*_diagnostics(sources))


WRONG = JSON | st.sampled_from(["us", "eu", "ca", "acme", "Acme", "acme.syngrafii.com", "acme\n", "-acme", "a" * 64])
REFERENCE = st.sampled_from(["env://A_KEY", "file://a.key", "env:A", "in clear"])
URLS = BASE_URLS | st.sampled_from(
    ["https://localhost/cb", "http://127.0.0.1:8400/cb", "https://a.example/?q", "ftp://a"]
)
AUTH = st.fixed_dictionaries(
    {"method": st.sampled_from(["api_key", "bearer", "oauth2", "oauth2", "basic"])},
    optional={
        "api_key": REFERENCE,
        "token": REFERENCE,
        "client_id": st.sampled_from(["acme-portal", "env://ID", "a b", ""]),
        "client_secret": REFERENCE,
        "client_auth": st.sampled_from(["basic", "body", "none"]),
        "redirect_uri": URLS,
        "scopes": st.lists(st.sampled_from(["profile", "offline_access", "a b", 1]), max_size=3),
        "revoke_url": URLS,
    },
)
CONNECTIONS = st.fixed_dictionaries(
    {},
    optional={
        "environment": st.sampled_from(["sandbox", "production", "private", "Sandbox", "staging"]) | JSON,
        "region": WRONG,
        "instance": WRONG,
        "base_url": URLS | WRONG,
        "auth": AUTH,
        "owner": st.just("ops"),
        "regoin": st.just("us"),
    },
) | st.builds(lambda here, auth: {**here, "auth": auth}, VALID, AUTH)


@settings(
    max_examples=repeated(500, 20_000), deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)
@given(CONNECTIONS)
def test_a_connection_gets_the_same_diagnostics(here: dict[str, Any]) -> None:
    text = json.dumps({"version": 1, "connections": {"a": here}}, indent=1)
    _assert_same(*_diagnostics([Source("m.yaml", text.encode(), "/m")]))
