"""What a row of answers demands of a body: JSON, a short text, nothing; a page is never ready."""

from __future__ import annotations

import pytest

from connform.providers.described.answer_rows import AnswerRows
from connform.providers.described.definition import decode
from connform.providers.described.examples import answer_of


def judged(row: dict[str, object], **answer: object) -> str:
    node = {
        "title": "Acme",
        "root": "https://api.acme.example",
        "auth": {},
        "check": {"method": "GET", "path": "/me"},
        "answers": [{"status": [200, 204], "means": "ready", **row}],
    }
    return AnswerRows(decode("acme/crm", node)).judge({}, answer_of({"status": 200, **answer})).fault or "ready"


@pytest.mark.parametrize(
    ("row", "answer", "means"),
    [
        ({"empty": True}, {}, "ready"),
        ({"empty": True}, {"body": ""}, "ready"),
        ({"empty": True}, {"body": " "}, "http_not_this_api"),
        ({"empty": True}, {"body": {}}, "http_not_this_api"),
        ({"text": "pong"}, {"body": " pong\n"}, "ready"),
        ({"text": "pong"}, {"body": "pong pong"}, "http_not_this_api"),
        ({"text": "pong"}, {}, "http_not_this_api"),
        ({"body": {"required": ["id"], "type": "object"}}, {"body": {"id": 1}}, "ready"),
        ({"body": {"required": ["id"], "type": "object"}}, {"body": [1]}, "http_not_this_api"),
        ({"body": {"required": ["id"], "type": "object"}}, {"body": '{"id": 1}'}, "http_not_this_api"),
        ({"body": {"type": "object"}}, {"body": {"id": "x" * 1_000_000}}, "ready"),
        ({"text": "pong"}, {"body": "pong", "headers": {"Content-Type": "text/html"}}, "http_not_this_api"),
    ],
    ids=str,
)  # fmt: skip
def test_of_a_body(row: dict[str, object], answer: dict[str, object], means: str) -> None:
    assert judged(row, **answer) == means


@pytest.mark.parametrize(
    ("code", "means"),
    [("2014", "auth_denied"), (2014, "auth_denied"), (2014.0, "auth_rejected"), (True, "auth_rejected"), ([2014], "auth_rejected")],
    ids=repr,
)  # fmt: skip
def test_an_error_code_may_be_an_integer(code: object, means: str) -> None:
    node = {
        "title": "Acme",
        "auth": {},
        "check": {"method": "GET", "path": "/me"},
        "error_code": {"at": "/code", "pattern": "[0-9]+|True"},
        "answers": [
            {"status": [401], "code": "2014|True", "means": "auth_denied"},
            {"status": [401], "means": "auth_rejected"},
        ],
    }
    answer = answer_of({"status": 401, "body": {"code": code}})
    assert AnswerRows(decode("acme/crm", node)).judge({}, answer).fault == means
