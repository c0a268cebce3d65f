"""Each documented answer of Key Vault and of the token endpoint of Entra ID, played by a stand-in, and what it means."""

from __future__ import annotations

from typing import Any

import pytest

from connform.errors import ConnectionFailed
from connform.secrets.azure.login import scope_of
from tests.canary import API_KEY
from tests.secrets.azure.stand_in import BUNDLE, TOKEN, StandIn
from tests.secrets.documented_answers import Answer, assert_meaning, documented, name_of


def _error(code: str, message: str = API_KEY, inner: str = "", key: str = "innererror") -> dict[str, Any]:
    """Return an error object; where the meaning is not in the message, that is a secret, which nothing may repeat."""
    error: dict[str, Any] = {"code": code, "message": message}
    return {"error": error | {key: {"code": inner}} if inner else error}


def _forbidden(code: str, fault: str, words: str) -> Answer:
    return Answer(403, code, _error("Forbidden", inner=code), fault, words)


DENIED, NOT_FOUND, UNAVAILABLE = "secret_denied", "secret_not_found", "secret_backend_unavailable"
VAULT = [
    Answer(200, "", BUNDLE[1], "", "found"),
    Answer(200, "exp", {"value": "found", "attributes": {"enabled": True, "exp": 1}}, "", "found"),
    Answer(400, "BadParameter", _error("BadParameter"), NOT_FOUND, "does not accept the name or the version"),
    Answer(401, "AKV10022", _error("Unauthorized", f"AKV10022: Invalid audience. {API_KEY}"), DENIED, "`resource`"),
    Answer(401, "AKV10032", _error("Unauthorized", f"AKV10032: Invalid issuer. {API_KEY}"), DENIED, "another tenant"),
    Answer(401, "Unauthorized", _error("Unauthorized"), DENIED, "does not accept the login"),
    _forbidden("SecretDisabled", NOT_FOUND, "disabled"),
    _forbidden("ForbiddenByRbac", DENIED, "role Key Vault Secrets User"),
    _forbidden("ForbiddenByPolicy", DENIED, "access polic"),
    _forbidden("AccessDenied", DENIED, "access polic"),
    _forbidden("ForbiddenByFirewall", DENIED, "firewall"),
    _forbidden("ForbiddenByConnection", DENIED, "public networks"),
    Answer(404, "SecretNotFound", _error("SecretNotFound"), NOT_FOUND, "az keyvault secret recover"),
    Answer(429, "Throttled", _error("Throttled"), UNAVAILABLE, "429"),
    Answer(500, "", {}, UNAVAILABLE, "500"),
    Answer(503, "", {}, UNAVAILABLE, "503"),
]
LOGIN = [
    Answer(200, "", TOKEN[1], "", "found"),
    Answer(400, "invalid_request", {"error": "invalid_request"}, DENIED, "`tenant_id`"),
    Answer(400, "invalid_scope", {"error": "invalid_scope"}, DENIED, "`resource`"),
    Answer(400, "invalid_resource", {"error": "invalid_resource"}, DENIED, "`resource`"),
    Answer(400, "unauthorized_client", {"error": "unauthorized_client"}, DENIED, "`client_id`"),
    Answer(401, "invalid_client", {"error": "invalid_client", "error_description": API_KEY}, DENIED, "expired"),
    Answer(503, "temporarily_unavailable", {"error": "temporarily_unavailable"}, UNAVAILABLE, "503"),
]
UNDOCUMENTED = [
    Answer(400, "", _error("Other"), UNAVAILABLE, "none of its answers"),
    Answer(403, "", _error("Forbidden", inner=API_KEY), DENIED, "Key Vault Secrets User"),
    Answer(403, "innerError", _error("Forbidden", inner="SecretDisabled", key="innerError"), NOT_FOUND, "disabled"),
    Answer(403, "a proxy", "<html>", DENIED, "refuses"),
    Answer(200, "a proxy", "<html>", UNAVAILABLE, "none of its answers"),
    Answer(403, "odd", {"error": {"innererror": "x"}}, DENIED, "refuses"),
]
UNDOCUMENTED_LOGIN = [
    Answer(200, "empty", {}, UNAVAILABLE, "none of its answers"),
    Answer(200, "a proxy", "<html>", UNAVAILABLE, "none of its answers"),
    Answer(302, "a proxy", "", UNAVAILABLE, "none of its answers"),
    Answer(403, "a proxy", "<html>", UNAVAILABLE, "none of its answers"),
    Answer(400, "odd", {"error": API_KEY}, DENIED, "does not accept the login"),
]


@pytest.mark.parametrize("answer", [*VAULT, *UNDOCUMENTED], ids=name_of)
def test_what_an_answer_of_the_vault_means(stand_in: StandIn, answer: Answer) -> None:
    stand_in.secret = (answer.status, answer.body)
    assert_meaning(answer, stand_in.read(timeout_s=answer.timeout_s))


@pytest.mark.parametrize("answer", [*LOGIN, *UNDOCUMENTED_LOGIN], ids=name_of)
def test_what_an_answer_of_the_token_endpoint_means(stand_in: StandIn, answer: Answer) -> None:
    stand_in.token = (answer.status, answer.body)
    assert_meaning(answer, stand_in.read(timeout_s=answer.timeout_s))


def test_a_token_that_no_header_can_carry_is_not_taken_for_the_client_secret(stand_in: StandIn) -> None:
    stand_in.token = (200, {"access_token": "a b"})
    with pytest.raises(ConnectionFailed, match="`access_token` holds a space"):
        stand_in.read()


@pytest.mark.parametrize(("heading", "answers"), [("Key Vault", VAULT), ("Entra ID", LOGIN)])
def test_the_documentation_has_these_answers(heading: str, answers: list[Answer]) -> None:
    assert documented(heading) == {(str(answer.status), answer.code, answer.fault) for answer in answers}


@pytest.mark.parametrize(
    ("settings", "scope"),
    [
        ({}, "https://vault.azure.net/.default"),
        ({"address": "https://acme.vault.azure.cn"}, "https://vault.azure.cn/.default"),
        (
            {"address": "https://kv.acme.example", "resource": "https://vault.azure.net/"},
            "https://vault.azure.net/.default",
        ),
    ],
    ids=["bare", "cloud", "own-name"],
)
def test_what_a_token_is_for(settings: dict[str, str], scope: str) -> None:
    assert scope_of(settings) == scope


def test_the_token_endpoint_is_asked_for_the_resource(stand_in: StandIn) -> None:
    stand_in.read(resource="https://vault.azure.net")
    assert stand_in.server.requests[0].form["scope"] == "https://vault.azure.net/.default"
