"""What an answer of a token or revocation endpoint stands for."""

from __future__ import annotations

import pytest

from connform.auth.oauth.token_answer import AnswerLost, EndpointFailed, TokenAnswer, read_revocation, read_tokens


@pytest.mark.parametrize(
    ("content", "what"), [(b"<html>", "tokens: with a page, perhaps"), (b'{"a": 1}', "an access token")]
)
def test_what_came_instead_of_tokens_is_said(content: bytes, what: str) -> None:
    with pytest.raises(AnswerLost, match=f"^the token endpoint answered 201 without {what}$"):
        read_tokens(TokenAnswer(201, "", content))


@pytest.mark.parametrize(("content", "error"), [(b"", ""), (b'{"error": "server_error"}', " server_error")])
def test_an_error_is_named_after_its_status(content: bytes, error: str) -> None:
    with pytest.raises(EndpointFailed, match=f"^the token endpoint answered 503{error}$"):
        read_tokens(TokenAnswer(503, "", content))


REVOCATIONS = {
    (200, b""): True,
    (204, b""): True,
    (404, b""): False,
    (405, b""): False,
    (400, b'{"error": "unsupported_token_type"}'): False,
}


@pytest.mark.parametrize(("status", "content"), REVOCATIONS)
def test_a_server_without_revocation_is_told_from_one_that_has_revoked(status: int, content: bytes) -> None:
    """RFC 7009 §2.2 and §2.2.1."""
    assert read_revocation(TokenAnswer(status, "", content)) is REVOCATIONS[status, content]
