"""Real answers to the check of the provider `http`: what is ready, and what is said of the rest."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.canary import API_KEY
from tests.end_to_end.conftest import Servers
from tests.end_to_end.running import KEY, manifest, run_here
from tests.http.servers import Behaviour, Connection, answer, head, raw, redirect

NOTHING: dict[str, Any] = {"path": "/me"}
ID = {"path": "/me", "expect": {"body": {"required": ["id"]}}}
SLACK = {
    "path": "/auth.test",
    "method": "POST",
    "expect": {"body": {"required": ["ok"], "properties": {"ok": {"const": True}}}},
    "reject": {"body": {"required": ["ok"], "properties": {"ok": {"const": False}}}},
}
HEAD = {"path": "/me", "method": "HEAD"}
EMPTY = {"path": "/me", "expect": {"status": [200, 204], "empty": True}}
TEXT = {"path": "/health", "expect": {"text": "pong"}}
POST = {"path": "/graphql", "method": "POST", "json": ["a", {"take": 1}], "expect": {"body": {"required": ["data"]}}}
NOT_THIS = "http_not_this_api"
LARGE = json.dumps({"id": "a" * 1_000_000}).encode()


def of_json(body: bytes, status: int = 200) -> Behaviour:
    return answer(body, "Content-Type: application/json; charset=utf-8", status=status)


def page(body: bytes = b"<html>Please sign in to the hotel's network</html>") -> Behaviour:
    return answer(body, "Content-Type: text/html")


def only_head(*fields: str, status: int = 200) -> Behaviour:
    return raw(head(status, fields))


def reads_the_body(connection: Connection) -> None:
    """Answer an error to anything but the right POST."""
    while request := connection.read_request():
        lines, _, content = request.partition(b"\r\n\r\n")
        is_json = b"\r\ncontent-type: application/json\r\n" in lines.lower()
        is_right = lines.startswith(b"POST /v1/graphql ") and is_json and json.loads(content) == POST["json"]
        body = b'{"data": {}}' if is_right else b'{"errors": []}'
        connection.send(head(200, [f"Content-Length: {len(body)}", "Content-Type: application/json"]) + body)


CASES: dict[str, tuple[Behaviour, dict[str, Any], str, str]] = {
    "ready": (of_json(b'{"id": 7}'), ID, "", ""),
    "any JSON": (of_json(b"[]"), NOTHING, "", ""),
    "a portal's page": (page(), ID, NOT_THIS, "with a page"),
    "a portal's page, nothing expected": (page(), NOTHING, NOT_THIS, "with a page"),
    "a portal's page for any status": (page(), {"path": "/me", "expect_status": 200}, NOT_THIS, "with a page"),
    "a page without a type": (answer(b"<html>"), NOTHING, NOT_THIS, "without JSON"),
    "a catch-all's page that is JSON": (page(b'{"ok":true}'), SLACK, NOT_THIS, "with a page"),
    "a catch-all's JSON": (of_json(b'{"ok":true}'), ID, NOT_THIS, "JSON of another form"),
    "an error inside": (of_json(b'{"ok":false,"error":"invalid_auth"}'), SLACK, "auth_rejected", "as `check.reject` says"),
    "no error inside": (of_json(b'{"ok":true,"user":"bot"}'), SLACK, "", ""),
    "an error inside that is no refusal": (of_json(b'{"error":"no such path"}'), ID, NOT_THIS, "JSON of another form"),
    "a sign-in page elsewhere": (redirect("https://login.example/?next=/me"), ID, "http_redirect_refused", "login.example"),
    "the body of a POST": (reads_the_body, POST, "", ""),
    "204": (answer(b"", status=204), EMPTY, "", ""),
    "204, and only its status expected": (answer(b"", status=204), {"path": "/me", "expect_status": 204}, NOT_THIS, "`empty: true`"),
    "a body in place of none": (of_json(b"{}"), EMPTY, NOT_THIS, "with a body"),
    "nothing": (answer(b""), NOTHING, NOT_THIS, "without JSON"),
    "a text": (answer(b"pong\n", "Content-Type: text/plain"), TEXT, "", ""),
    "another text": (answer(b"ping", "Content-Type: text/plain"), TEXT, NOT_THIS, "another text"),
    "a text in no UTF-8": (answer(b"pong\xff"), TEXT, NOT_THIS, "another text"),
    "HEAD of JSON": (only_head("Content-Length: 9", "Content-Type: application/json"), HEAD, "", ""),
    "HEAD of 2 MB": (only_head("Content-Length: 2000000", "Content-Type: application/json"), HEAD, "", ""),
    "HEAD of a page": (only_head("Content-Length: 9", "Content-Type: text/html"), HEAD, NOT_THIS, "with a page"),
    "HEAD of a text": (only_head("Content-Length: 9", "Content-Type: text/plain"), HEAD, NOT_THIS, "Content-Type"),
    "HEAD of nothing": (only_head("Content-Length: 0"), HEAD | {"expect": {"empty": True}}, "", ""),
    "1 MB": (of_json(LARGE), NOTHING, "", ""),
    "1 MB, and something expected": (of_json(LARGE), ID, "", ""),
    "2 MB": (of_json(b" " * 2_000_000), NOTHING, "http_too_large", ""),
    "2 MB in place of nothing": (of_json(b" " * 2_000_000), EMPTY, "http_too_large", ""),
    "JSON in no UTF-8": (of_json(b'{"id": "\xff"}'), ID, NOT_THIS, "without JSON"),
    "NaN": (of_json(b"NaN"), NOTHING, NOT_THIS, "without JSON"),
    "deep JSON": (of_json(b"[" * 30_000 + b"]" * 30_000), {"path": "/me", "expect": {"body": {"const": []}}}, NOT_THIS, ""),
    "a body that echoes the key": (of_json(json.dumps({"error": API_KEY}).encode()), ID, NOT_THIS, "JSON of another form"),
    "a number of digits without end": (of_json(b"[" + b"9" * 60_000 + b"]"), NOTHING, NOT_THIS, "without JSON"),
}  # fmt: skip


@pytest.fixture
def check(servers: Servers, tmp_path: Path) -> Callable[[Behaviour, dict[str, Any]], dict[str, Any]]:
    """Checks a connection to a server, and returns what is reported of it."""

    def run_check(behaviour: Behaviour, declared: dict[str, Any]) -> dict[str, Any]:
        base_url = f"http://127.0.0.1:{servers.plain(behaviour).port}/v1"
        api = {"provider": "http", "base_url": base_url, "check": declared}
        (tmp_path / "connections.yaml").write_text(manifest(api=api))
        return run_here("check", "--format", "json", cwd=tmp_path, env=KEY).connection

    return run_check


@pytest.mark.parametrize("name", CASES)
def test_what_a_real_answer_means(name: str, check: Callable[[Behaviour, dict[str, Any]], dict[str, Any]]) -> None:
    behaviour, declared, fault, says = CASES[name]
    found = check(behaviour, declared)
    assert found["class"] == fault, found
    assert says in f"{found['message']} {found['hint']}"
    assert (found["verdict"] == "ready") is (fault == "")
