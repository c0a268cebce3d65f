"""Each documented answer of Secret Manager and of Google's token endpoint, played by a stand-in, and what it means."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from connform.secrets.google.checksum import crc32c
from tests.canary import API_KEY
from tests.conftest import require_library
from tests.secrets.documented_answers import Answer, assert_meaning, documented, name_of
from tests.secrets.google.stand_in import TOKEN, StandIn, version

require_library("google.auth")


def _error(status: str, *details: Any) -> dict[str, Any]:
    return {"error": {"code": 0, "message": API_KEY, "status": status, "details": list(details)}}


def _forbidden(reason: str, words: str) -> Answer:
    info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "googleapis.com"}
    other = {"@type": "type.googleapis.com/google.rpc.Help", "links": []}
    return Answer(403, reason, _error("PERMISSION_DENIED", other, info), DENIED, words)


DENIED, NOT_FOUND, UNAVAILABLE = "secret_denied", "secret_not_found", "secret_backend_unavailable"
SECRET_MANAGER = [
    Answer(200, "", version(b"found", str(crc32c(b"found"))), "", "found"),
    Answer(200, "dataCrc32c", version(API_KEY.encode(), "1"), UNAVAILABLE, "checksum"),
    Answer(400, "FAILED_PRECONDITION", _error("FAILED_PRECONDITION"), NOT_FOUND, "disabled or destroyed"),
    Answer(400, "INVALID_ARGUMENT", _error("INVALID_ARGUMENT"), NOT_FOUND, "`location`"),
    Answer(401, "UNAUTHENTICATED", _error("UNAUTHENTICATED"), DENIED, "does not accept the login"),
    Answer(403, "PERMISSION_DENIED", _error("PERMISSION_DENIED"), DENIED, "role Secret Manager Secret Accessor"),
    _forbidden("SERVICE_DISABLED", "gcloud services enable secretmanager.googleapis.com"),
    _forbidden("BILLING_DISABLED", "billing"),
    _forbidden("USER_PROJECT_DENIED", "quota project"),
    _forbidden("CONSUMER_SUSPENDED", "suspended"),
    _forbidden("CONSUMER_INVALID", "no such project"),
    _forbidden("SECURITY_POLICY_VIOLATED", "VPC Service Controls"),
    _forbidden("ACCESS_TOKEN_SCOPE_INSUFFICIENT", "scope"),
    Answer(404, "NOT_FOUND", _error("NOT_FOUND"), NOT_FOUND, "no such secret"),
    Answer(429, "RESOURCE_EXHAUSTED", _error("RESOURCE_EXHAUSTED"), UNAVAILABLE, "429"),
    Answer(500, "INTERNAL", _error("INTERNAL"), UNAVAILABLE, "500"),
    Answer(503, "UNAVAILABLE", _error("UNAVAILABLE"), UNAVAILABLE, "503"),
    Answer(504, "DEADLINE_EXCEEDED", _error("DEADLINE_EXCEEDED"), UNAVAILABLE, "504"),
]
LOGIN = [
    Answer(200, "", TOKEN[1], "", "found"),
    Answer(400, "invalid_grant", {"error": "invalid_grant", "error_description": API_KEY}, DENIED, "accept the login"),
    Answer(429, "", {}, UNAVAILABLE, "429"),
    Answer(500, "", {}, UNAVAILABLE, "out of order"),
    Answer(502, "", {}, UNAVAILABLE, "out of order"),
    Answer(503, "", {}, UNAVAILABLE, "out of order"),
]
UNDOCUMENTED_LOGIN = [
    Answer(200, "no token", {}, UNAVAILABLE, "out of order"),
    Answer(200, "a proxy", "<html>", UNAVAILABLE, "out of order"),
    Answer(302, "a proxy", "", UNAVAILABLE, "out of order"),
    Answer(200, "odd token", {**TOKEN[1], "access_token": "a b"}, "secret_malformed", "`access_token`"),
]
UNDOCUMENTED = [
    Answer(200, "no checksum", version(b"found"), "", "found"),
    Answer(200, "a number", version(b"found", crc32c(b"found")), "", "found"),
    Answer(200, "no payload", {"payload": None}, "secret_malformed", "empty"),
    Answer(400, "other", _error("OUT_OF_RANGE"), UNAVAILABLE, "none of its answers"),
    Answer(
        400, "odd", {"error": {"status": ["FAILED_PRECONDITION"], "details": 1}}, UNAVAILABLE, "none of its answers"
    ),
    Answer(403, "odd", {"error": {"details": [1, {}]}}, DENIED, "Secret Manager Secret Accessor"),
    Answer(
        403, "another kind", _error("PERMISSION_DENIED", {"@type": "x", "reason": "SERVICE_DISABLED"}), DENIED, "role"
    ),
    Answer(403, "a proxy", "<html>", DENIED, "refuses"),
]


@pytest.mark.parametrize("answer", [*SECRET_MANAGER, *UNDOCUMENTED], ids=name_of)
def test_what_an_answer_of_secret_manager_means(stand_in: StandIn, answer: Answer) -> None:
    stand_in.secret = (answer.status, answer.body)
    assert_meaning(answer, stand_in.read(timeout_s=answer.timeout_s))


@pytest.mark.parametrize("answer", [*LOGIN, *UNDOCUMENTED_LOGIN], ids=name_of)
def test_what_an_answer_of_the_token_endpoint_means(
    stand_in: StandIn, answer: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_waiting = SimpleNamespace(sleep=lambda _: None)  # google-auth tries three times
    monkeypatch.setattr("google.auth._exponential_backoff.time", without_waiting)
    stand_in.token = (answer.status, answer.body)
    assert_meaning(answer, stand_in.read(timeout_s=answer.timeout_s))


@pytest.mark.parametrize(("heading", "answers"), [("Secret Manager", SECRET_MANAGER), ("Token endpoint", LOGIN)])
def test_the_documentation_has_these_answers(heading: str, answers: list[Answer]) -> None:
    assert documented(heading) == {(str(answer.status), answer.code, answer.fault) for answer in answers}


@pytest.mark.parametrize(
    ("data", "checksum"),
    [(b"", 0), (b"123456789", 0xE3069283), (bytes(32), 0x8A9136AA), (b"\xff" * 32, 0x62A8AB43)],
    ids=["empty", "check", "zeros", "ones"],
)
def test_the_checksum_is_crc32c(data: bytes, checksum: int) -> None:
    """The last two are of RFC 3720, appendix B.4."""
    assert crc32c(data) == checksum
