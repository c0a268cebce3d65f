"""What a check of the provider `http` expects: contradictions in it, and what answers mean by it."""

from __future__ import annotations

from typing import Any

import pytest

from connform.providers.http import HTTP
from connform.providers.http_answer import ready_answer
from connform.providers.http_check import check_findings
from connform.providers.interface import Answer
from tests.providers.connections import answer, connection

ID = {"body": {"required": ["id"], "properties": {"id": {"type": "integer"}}}}
OK = {"required": ["ok"], "properties": {"ok": {"const": True}}}
NOT_OK = {"required": ["ok"], "properties": {"ok": {"const": False}}}
SLACK = {"method": "POST", "expect": {"body": OK}, "reject": {"body": NOT_OK}}
SECRET = "CANARY-in-a-body"


def judge(given: Answer, **check: Any) -> str:
    settings = {"base_url": "https://api.acme.example", "check": {"path": "/me", **check}}
    judgement = HTTP.judge(connection("http", **settings), given)
    assert SECRET not in judgement.message + judgement.hint
    assert not judgement.facts or judgement.fault == "rate_limited"
    return f"{judgement.fault}: {judgement.message}" if judgement.fault else "ready"


@pytest.mark.parametrize(
    ("check", "found"),
    [
        ({"expect": ID}, []),
        ({**SLACK, "json": {}}, []),
        ({"expect": {"status": [201], "text": "pong"}, "reject": {"status": [200, 400]}}, []),
        ({"method": "HEAD", "expect": {"empty": True}}, []),
        # nothing is expected
        ({}, [("nothing-expected", "")]),
        ({"method": "HEAD"}, [("nothing-expected", "")]),
        ({"expect_status": 204}, [("nothing-expected", "")]),
        ({"expect": {"status": 201}}, [("nothing-expected", "expect")]),
        ({"reject": {"body": NOT_OK}}, [("nothing-expected", "")]),
        ({"expect": {"body": {"type": "object"}}}, [("nothing-expected", "expect.body")]),
        ({"expect": {"body": {"properties": OK["properties"]}}}, [("nothing-expected", "expect.body")]),
        ({"expect": {"body": {"type": "array"}}}, []),
        ({"expect": {"body": {"const": {}}}}, []),
        # contradictions
        ({"json": {}, "expect": ID}, [("malformed-value", "json")]),
        ({"method": "HEAD", "json": [], "expect": {"empty": True}}, [("malformed-value", "json")]),
        ({"expect": ID, "expect_status": 200}, [("malformed-value", "expect_status")]),
        ({"expect": {**ID, "empty": True}}, [("malformed-value", "expect.empty")]),
        (
            {"expect": {"empty": True, "text": "a", **ID}},
            [("malformed-value", "expect.text"), ("malformed-value", "expect.empty")],
        ),
        ({"method": "HEAD", "expect": ID}, [("malformed-value", "expect.body")]),
        ({"method": "HEAD", "expect": {"text": "a"}}, [("malformed-value", "expect.text")]),
        (
            {"method": "HEAD", "expect": {"empty": True}, "reject": {"body": OK}},
            [("malformed-value", "reject.body")],
        ),
        ({"expect": ID, "reject": {}}, [("missing-key", "reject")]),
        ({"expect": ID, "reject": {"status": [400, 200]}}, [("missing-key", "reject")]),
        ({"expect": {"status": 201, **ID}, "reject": {}}, [("missing-key", "reject")]),
        ({"expect": ID, "reject": {"status": [302, 404, 429]}}, [("out-of-range", "reject.status.0"), ("out-of-range", "reject.status.2")]),
        ({"expect": {"body": {"pattern": "("}}}, [("malformed-value", "expect.body.pattern")]),
        ({"expect": ID, "reject": {"body": {"pattern": "("}}}, [("malformed-value", "reject.body.pattern")]),
    ],
    ids=str,
)  # fmt: skip
def test_what_is_said_of_a_check(check: dict[str, Any], found: list[tuple[str, str]]) -> None:
    findings = list(check_findings({"path": "/me", **check}))
    assert all(finding.path[0] == "check" for finding in findings)
    assert [(one.code, ".".join(map(str, one.path[1:]))) for one in findings] == found


JSON = answer(200, {"id": 7, "name": SECRET})
PAGE = answer(200, "<html>", content_type="text/html; charset=utf-8")
OTHER_JSON = answer(200, {"error": SECRET})
NO_API = "http_not_this_api: the server answered"


@pytest.mark.parametrize(
    ("check", "given", "meaning"),
    [
        # nothing is expected: JSON
        ({}, JSON, "ready"),
        ({}, answer(200, []), "ready"),
        ({}, answer(200, [], content_type="text/plain"), "ready"),
        ({}, OTHER_JSON, "ready"),
        ({}, answer(200, "pong"), f"{NO_API} 200 without JSON"),
        ({}, answer(200), f"{NO_API} 200 without JSON"),
        ({}, PAGE, f"{NO_API} 200 with a page (text/html), which shows no valid credential"),
        ({}, answer(200, {"id": 7}, content_type="Text/HTML"), f"{NO_API} 200 with a page (text/html), which shows no valid credential"),
        ({}, JSON._replace(body=None, json=None, is_json=False), f"{NO_API} 200 without JSON"),
        ({}, answer(201, {}), f"{NO_API} 201 where `check:` expects 200"),
        ({"expect_status": 201}, answer(201, {}), "ready"),
        ({"expect_status": 204}, answer(204), f"{NO_API} 204 without JSON"),
        # HEAD
        ({"method": "HEAD"}, answer(200, content_type="application/json"), "ready"),
        ({"method": "HEAD"}, answer(200, content_type="application/problem+json;charset=utf-8"), "ready"),
        ({"method": "HEAD"}, answer(200), f"{NO_API} 200 without a Content-Type that says JSON"),
        ({"method": "HEAD"}, answer(200, content_type="text/plain"), f"{NO_API} 200 without a Content-Type that says JSON"),
        ({"method": "HEAD"}, answer(200, content_type="application/jsonp"), f"{NO_API} 200 without a Content-Type that says JSON"),
        ({"method": "HEAD"}, answer(200, content_type="application/json, text/html"), f"{NO_API} 200 with a page (text/html), which shows no valid credential"),
        ({"method": "HEAD", "expect": {"empty": True}}, answer(200), "ready"),
        ({"method": "HEAD", "expect": {"empty": True}}, answer(200, content_type="text/html"), f"{NO_API} 200 with a page (text/html), which shows no valid credential"),
        # a body
        ({"expect": ID}, JSON, "ready"),
        ({"expect": ID}, answer(200, {"id": 7.0}), "ready"),
        ({"expect": ID}, answer(200, {"id": True}), f"{NO_API} 200 with JSON of another form than `check.expect` has"),
        ({"expect": ID}, OTHER_JSON, f"{NO_API} 200 with JSON of another form than `check.expect` has"),
        ({"expect": ID}, answer(200, "<html>"), f"{NO_API} 200 without JSON"),
        ({"expect": ID}, answer(200, {"id": 7, "more": "x" * 1_000_000}), "ready"),
        ({"expect": ID | {"status": [200, 202]}}, answer(202, {"id": 7}), "ready"),
        ({"expect": ID | {"status": [200, 202]}}, answer(204), f"{NO_API} 204 where `check:` expects 200 or 202"),
        # no body, a text
        ({"expect": {"status": 204, "empty": True}}, answer(204), "ready"),
        ({"expect": {"empty": True}}, answer(200, " "), f"{NO_API} 200 with a body where `check.expect` has none"),
        ({"expect": {"empty": True}}, answer(200)._replace(body=None), f"{NO_API} 200 with a body where `check.expect` has none"),
        ({"expect": {"text": "pong"}}, answer(200, "pong"), "ready"),
        ({"expect": {"text": "pong"}}, answer(200, "\r\npong\n"), "ready"),
        ({"expect": {"text": "pong"}}, answer(200, "ping pong"), f"{NO_API} 200 with another text than `check.expect` has"),
        ({"expect": {"text": "pong"}}, answer(200, b"pong\xff"), f"{NO_API} 200 with another text than `check.expect` has"),
        ({"expect": {"text": "pong"}}, answer(200, "pong")._replace(body=None), f"{NO_API} 200 with another text than `check.expect` has"),
        ({"expect": {"text": "pong"}}, answer(200, "pong", content_type="text/html"), f"{NO_API} 200 with a page (text/html), which shows no valid credential"),
        # a refused credential
        (SLACK, answer(200, {"ok": True, "user": SECRET}), "ready"),
        (SLACK, answer(200, {"ok": False, "error": SECRET}), "auth_rejected: the API answered 200 as `check.reject` says"),
        (SLACK, answer(200, {"ok": 0}), f"{NO_API} 200 with JSON of another form than `check.expect` has"),
        (SLACK, answer(400, {"ok": False}), f"{NO_API} 400 where `check:` expects 200"),
        (SLACK, answer(500, {"ok": False}), "server_error: the server answered 500"),
        ({"expect": ID, "reject": {"status": [403]}}, answer(403), "auth_rejected: the API answered 403 as `check.reject` says"),
        ({"expect": ID, "reject": {"status": [400], "body": NOT_OK}}, answer(400, {"ok": False}), "auth_rejected: the API answered 400 as `check.reject` says"),
        ({"expect": ID, "reject": {"status": [400], "body": NOT_OK}}, answer(400, {}), f"{NO_API} 400 where `check:` expects 200"),
        # whatever is expected
        ({"expect": ID}, answer(302, {"id": 7}), "http_redirect_refused: the server answered 302 and points to another address"),
        ({"expect": ID}, answer(401, {"id": 7}), "auth_rejected: the API answered 401"),
        ({"expect": ID}, answer(403, {"id": 7}), "auth_denied: the API answered 403"),
        ({"expect": ID}, answer(404, {"id": 7}), f"{NO_API} 404 where `check:` expects 200"),
        ({"expect": ID}, answer(429, {"id": 7}), "rate_limited: the server answered 429 without saying how long to wait"),
        ({"expect": ID}, answer(503, {"id": 7}), "server_unavailable: the server answered 503 without saying how long to wait"),
    ],
    ids=str,
)  # fmt: skip
def test_what_an_answer_means(check: dict[str, Any], given: Answer, meaning: str) -> None:
    assert judge(given, **check) == meaning


def test_the_hint_says_what_to_write() -> None:
    def hint(given: Answer, **check: Any) -> str:
        return HTTP.judge(connection("http", check={"path": "/me", **check}), given).hint

    assert "`check.expect` takes `body`, `text` or `empty: true`" in hint(answer(204), expect_status=204)
    assert "correct `check.expect`" in hint(answer(200, {}), expect=ID)
    assert hint(PAGE, expect=ID) == ""  # that of the fault names captive portals


@pytest.mark.parametrize(
    "check",
    [
        {},
        SLACK,
        {"expect": ID},
        {"expect_status": 202},
        {"expect": {"status": [204, 200], "empty": True}},
        {"expect": {"text": "pong"}},
        {"method": "HEAD"},
        {"method": "HEAD", "expect": {"empty": True}},
    ],
    ids=str,
)
def test_the_answer_for_the_simulator_is_ready(check: dict[str, Any]) -> None:
    given = ready_answer(check)
    if check.get("method") == "HEAD":
        given = given._replace(body=b"", json=None, is_json=False)
    assert judge(given, **check) == "ready"
