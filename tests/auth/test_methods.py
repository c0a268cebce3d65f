from __future__ import annotations

import pickle
from base64 import b64encode
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from connform.auth import METHODS
from connform.auth.interface import AuthInputs
from connform.auth.oauth.server import AuthorizationServer
from connform.database.memory import MemoryStore, MemoryTokens
from connform.diagnostics import CODES, Severity
from connform.errors import ConnectionFailed
from connform.http.settings import ClientSettings
from connform.manifest.shape import Shape, selected
from connform.secret import Secret
from tests.canary import API_KEY, assert_no_canary
from tests.schemas import validator_of

OAUTH = {
    "client_id": "acme-portal",
    "client_secret": "env://PORTAL_SECRET",
    "redirect_uri": "https://localhost/auth/syngrafii",
}
EXAMPLES: dict[str, dict[str, Any]] = {
    "api_key": {"api_key": "env://ACME_KEY"},
    "bearer": {"token": "file:///run/secrets/token"},
    "oauth2": OAUTH,
    "device_code": {"client_id": "acme-tv", "issuer": "https://login.acme.example"},
    "basic": {"username": "bot@acme.example", "password": "env://ACME_PASSWORD"},
    "headers": {"headers": {"Authorization": "Token token={api_key}"}, "api_key": "env://ACME_KEY"},
    "query": {"parameter": "api_key", "api_key": "env://ACME_KEY"},
    "client_credentials": {
        "client_id": "acme-job",
        "client_secret": "env://ACME_SECRET",
        "token_url": "https://login.acme.example/token",
        "token_params": {"audience": "https://api.acme.example"},
    },
    "jwt_bearer": {
        "token_url": "https://login.acme.example/token",
        "private_key": "file:///run/secrets/key.pem",
        "jwt": {"alg": "RS256", "issuer": "robot@acme.example", "claims": {"scope": "{scope}"}},
        "scopes": ["read"],
    },
    "jwt": {"private_key": "file:///run/secrets/key.pem", "jwt": {"alg": "ES256", "issuer": "acme"}},
    "login": {
        "login": {
            "url": "https://api.acme.example/login",
            "json": {"user": "bot", "password": "{password}"},
            "token_at": "/token",
            "lifetime": {"seconds": 600},
        },
        "password": "env://ACME_PASSWORD",
    },
    "none": {},
}
WIRE = [
    ("api_key", {"api_key": Secret(API_KEY)}, "api_key", (b"api_key", API_KEY.encode())),
    ("api_key", {"api_key": Secret(API_KEY)}, "X-Api-Key", (b"X-Api-Key", API_KEY.encode())),
    ("bearer", {"token": Secret(API_KEY)}, "api_key", (b"Authorization", b"Bearer " + API_KEY.encode())),
]


def given(secrets: dict[str, Secret], header: str = "X-Api-Key") -> AuthInputs:
    client = ClientSettings("https://api.acme.example")
    return AuthInputs("acme", {}, secrets, header, AuthorizationServer(), MemoryStore, MemoryTokens, client)


def test_every_method_has_an_example_here() -> None:
    assert set(EXAMPLES) == set(METHODS)


@pytest.mark.parametrize("name", METHODS)
def test_its_schema_is_a_schema_accepts_its_example_and_is_described(name: str) -> None:
    shape = METHODS[name].shape
    assert validator_of(shape).is_valid(EXAMPLES[name])
    assert list(METHODS[name].rules(EXAMPLES[name])) == []
    assert shape.description
    assert all(not isinstance(part, Shape) and part.get("description") for part in shape.properties.values())


PLACES: dict[str, tuple[str, dict[str, Any], dict[str, str], list[tuple[bytes, bytes]], list[tuple[bytes, bytes]]]] = {
    "a user name and a password": (
        "basic", {"username": "bot"}, {"password": "pä:ss"},
        [(b"Authorization", b"Basic " + b64encode("bot:pä:ss".encode()))], [],
    ),
    "a key in place of the user name": ("basic", {}, {"api_key": "k1"}, [(b"Authorization", b"Basic " + b64encode(b"k1:"))], []),
    "a user name without a password": ("basic", {"username": "bot"}, {}, [(b"Authorization", b"Basic " + b64encode(b"bot:"))], []),
    "a text in front of the key": (
        "headers", {"headers": {"Authorization": "Token token={api_key}"}}, {"api_key": "k1"},
        [(b"Authorization", b"Token token=k1")], [],
    ),
    "two keys": (
        "headers", {"headers": {"X-A": "{api_key}", "X-B": "{second_key}"}}, {"api_key": "k1", "second_key": "k2"},
        [(b"X-A", b"k1"), (b"X-B", b"k2")], [],
    ),
    "a key in the query": ("query", {"parameter": "key"}, {"api_key": "k 1&"}, [], [(b"key", b"k 1&")]),
    "nothing": ("none", {}, {}, [], []),
}  # fmt: skip


@pytest.mark.parametrize(("name", "settings", "secrets", "headers", "parameters"), PLACES.values(), ids=PLACES)
def test_secrets_go_where_the_method_says(
    name: str,
    settings: dict[str, Any],
    secrets: dict[str, str],
    headers: list[tuple[bytes, bytes]],
    parameters: list[tuple[bytes, bytes]],
) -> None:
    inputs = given({key: Secret(value) for key, value in secrets.items()})._replace(settings=settings)
    lines = METHODS[name].credential(inputs).headers()
    assert lines.reveal() == headers
    assert lines.reveal_parameters() == parameters


@pytest.mark.parametrize(("name", "secrets", "header", "line"), WIRE, ids=["iinked", "http", "bearer"])
def test_the_credential_goes_into_one_header(
    name: str, secrets: dict[str, Secret], header: str, line: tuple[bytes, bytes]
) -> None:
    assert METHODS[name].credential(given(secrets, header)).headers().reveal() == [line]


@pytest.mark.parametrize(("name", "secrets"), [row[:2] for row in WIRE[1:]], ids=["api_key", "bearer"])
def test_a_credential_shows_nothing(name: str, secrets: dict[str, Secret]) -> None:
    credential = METHODS[name].credential(given(secrets))
    assert_no_canary(repr(credential), str(credential), f"{credential}", repr([credential]))
    assert not hasattr(credential, "__dict__")
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError) as caught:
            pickle.dumps(credential, protocol)
        assert_no_canary(str(caught.value))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda key: "", "empty"),
        (lambda key: key + "\n", "line break"),
        (lambda key: key + "\r\nHost: evil", "line break"),
        (lambda key: "\t" + key, "control character"),
        (lambda key: key + "\x00", "control character"),
        (lambda key: key + "\x7f", "control character"),
        (lambda key: key + " ", "space"),
        (lambda key: f"{key} {key}", "space"),
        (lambda key: key + "é", "not ASCII"),
        (lambda key: "\ufeff" + key, "not ASCII"),
        (lambda key: key + "\u2028", "not ASCII"),
        (lambda key: key + "\udc80", "not ASCII"),
    ],
    ids=[
        "empty",
        "newline",
        "header injection",
        "tab",
        "NUL",
        "DEL",
        "trailing space",
        "inner space",
        "accent",
        "BOM",
        "line separator",
        "surrogate",
    ],
)
@pytest.mark.parametrize(("name", "key"), [("api_key", "api_key"), ("bearer", "token")])
def test_what_a_header_cannot_carry_is_refused_and_never_echoed(name: str, key: str, change: Any, words: str) -> None:
    with pytest.raises(ConnectionFailed) as caught:
        METHODS[name].credential(given({key: Secret(change(API_KEY))}))
    assert caught.value.fault.name == "secret_malformed"
    assert words in caught.value.message
    assert f"`{key}`" in caught.value.message
    assert_no_canary(str(caught.value), repr(caught.value), caught.value.hint)
    assert caught.value.__cause__ is None


def test_without_a_grant_a_login_is_required() -> None:
    secrets = {"client_secret": Secret(API_KEY)}
    credential = METHODS["oauth2"].credential(given(secrets)._replace(settings={"client_id": "acme-portal"}))
    assert credential.is_renewable
    assert not credential.headers()
    with pytest.raises(ConnectionFailed) as caught:
        credential.renew()
    assert caught.value.fault.name == "login_required"


@pytest.mark.parametrize(
    ("name", "change", "keyword"),
    [
        ("api_key", {"api_key": None}, "required"),
        ("api_key", {"api_key": "hunter2"}, "pattern"),
        ("api_key", {"api_key": "env://NAME\n"}, "pattern"),
        ("api_key", {"api_key": 12}, "type"),
        ("api_key", {"token": "env://X"}, "additionalProperties"),
        ("bearer", {"token": None}, "required"),
        ("bearer", {"token": "hunter2"}, "pattern"),
        ("oauth2", {"client_id": None}, "required"),
        ("oauth2", {"redirect_uri": None}, "required"),
        ("oauth2", {"client_secret": "hunter2"}, "pattern"),
        ("oauth2", {"client_id": "acme portal"}, "pattern"),
        ("oauth2", {"client_id": ""}, "pattern"),
        ("oauth2", {"redirect_uri": "localhost/cb"}, "pattern"),
        ("oauth2", {"scopes": ["profile", "profile"]}, "uniqueItems"),
        ("oauth2", {"scopes": ["profile offline_access"]}, "pattern"),
        ("oauth2", {"scopes": ['pro"file']}, "pattern"),
        ("oauth2", {"scopes": ["profile\n"]}, "pattern"),
        ("oauth2", {"scopes": "profile"}, "type"),
    ],
    ids=str,
)
def test_one_mistake_is_one_error_of_the_schema(name: str, change: dict[str, Any], keyword: str) -> None:
    wrong = {key: value for key, value in (EXAMPLES[name] | change).items() if value is not None}
    schema = selected(METHODS[name].shape, wrong)
    assert [error.validator for error in Draft202012Validator(schema).iter_errors(wrong)] == [keyword]


@pytest.mark.parametrize(
    ("change", "code", "path"),
    [
        ({"redirect_uri": "http://app.acme.example/cb"}, "insecure-url", ("redirect_uri",)),
        ({"redirect_uri": "https://app.acme.example/cb#x"}, "malformed-url", ("redirect_uri",)),
        ({"token_url": "http://login.acme.example/t"}, "insecure-url", ("token_url",)),
        ({"revoke_url": "https://login.acme.example/r?x=1"}, "malformed-url", ("revoke_url",)),
        ({"client_id": "env://PORTAL_ID"}, "malformed-value", ("client_id",)),
        ({"client_id": "ref+vault://a#b"}, "malformed-value", ("client_id",)),
        ({"client_auth": "body", "client_secret": None}, "missing-key", ()),
    ],
    ids=str,
)
def test_what_a_schema_cannot_say_of_oauth2(change: dict[str, Any], code: str, path: tuple[str, ...]) -> None:
    auth = {key: value for key, value in (OAUTH | change).items() if value is not None}
    findings = list(METHODS["oauth2"].rules(auth))
    assert [(finding.code, finding.path) for finding in findings] == [(code, path)]


@pytest.mark.parametrize(
    "change",
    [
        {"redirect_uri": "https://oauth.pstmn.io/v1/callback"},
        {"redirect_uri": "https://app.acme.example/cb?tenant=7"},
        {"redirect_uri": "http://127.0.0.1:8400/cb"},
        {"authorize_url": "https://login.acme.example/a?tenant=7"},
        {"redirect_uri": "http://[::1]/cb"},
        {"redirect_uri": "http://localhost/cb"},
        {"client_id": "https://app.acme.example/client"},
        {"client_auth": "body"},
        {"scopes": ["repo"]},
        {"scopes": []},
    ],
    ids=str,
)
def test_what_oauth2_allows(change: dict[str, Any]) -> None:
    assert list(METHODS["oauth2"].rules(OAUTH | change)) == []


def test_a_public_client_needs_no_secret() -> None:
    public = {key: value for key, value in OAUTH.items() if key != "client_secret"}
    assert validator_of(METHODS["oauth2"].shape).is_valid(public)
    assert list(METHODS["oauth2"].rules(public)) == []
    credential = METHODS["oauth2"].credential(given({})._replace(settings=public))
    assert credential.is_renewable


def test_a_missing_refresh_token_is_a_warning() -> None:
    assert CODES["no-refresh-token"][0] is Severity.WARNING
