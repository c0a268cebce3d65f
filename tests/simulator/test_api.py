"""What iinked Sign documents, the simulator answers."""

from __future__ import annotations

from typing import Any

import pytest

from connform.simulator import Simulator
from tests.simulator.client import LIST, SANDBOX, ask

FIRST_PACKAGE = "00000000-0000-4000-8000-000000000001"
NO_PACKAGE = "00000000-0000-4000-8000-999999999999"
MULTIPART = {"Content-Type": "multipart/form-data; boundary=x"}
FILE = b'--x\r\nContent-Disposition: form-data; filename="a.pdf"\r\n\r\n%PDF\r\n--x--\r\n'


@pytest.mark.parametrize(
    ("body", "numbers"),
    [
        ({"take": 1, "skip": 0}, [1]),
        ({"take": 2, "skip": 1}, [2, 3]),
        ({"take": 0, "skip": 0}, []),
        ({"take": 10, "skip": 9}, []),
        ({}, [1, 2, 3]),
        ({"take": None, "skip": None}, [1, 2, 3]),
        (None, [1, 2, 3]),
    ],
    ids=repr,
)
@pytest.mark.parametrize("kind", ["package", "template"])
def test_a_list_honours_take_and_skip(
    simulator: Simulator, key: dict[str, str], kind: str, body: Any, numbers: list[int]
) -> None:
    answer = ask(simulator, "POST", f"/api/v1/{kind}s/list", key, body)
    options = body or {}
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
    assert answer.json == {
        "items": [{f"{kind}Id": f"00000000-0000-4000-8000-{number:012d}"} for number in numbers],
        "total": 3,
        "take": 100 if options.get("take") is None else options["take"],
        "skip": options.get("skip") or 0,
    }


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "error"),
    [
        ("POST", "/packages/list", b"[1]", 400, "package_invalid_body"),
        ("POST", "/packages/list", b"{", 400, "package_invalid_body"),
        ("POST", "/packages/list", b"[" * 100_000, 400, "package_invalid_body"),
        ("POST", "/packages/list", {"take": -1}, 400, "package_range_take"),
        ("POST", "/packages/list", {"take": True}, 400, "package_range_take"),
        ("POST", "/templates/list", {"skip": "0"}, 400, "template_range_skip"),
        ("GET", f"/packages/{NO_PACKAGE}", None, 404, "package_not_found"),
        ("POST", f"/packages/{NO_PACKAGE}/link/sign/signer-1", None, 404, "package_not_found"),
        ("POST", "/packages/add", {}, 400, "package_invalid_name"),
        ("POST", "/packages/add", None, 400, "package_invalid_body"),
        ("POST", "/files/upload", b"%PDF", 400, "file_invalid_content"),
        ("POST", "/events/endpoints/set", b"no JSON", 400, "endpoint_invalid_body"),
        ("GET", "/nothing/here", None, 404, "resource_not_found"),
        ("DELETE", f"/packages/{FIRST_PACKAGE}", None, 404, "resource_not_found"),
    ],
)
def test_a_mistake_gets_the_documented_error_body(
    simulator: Simulator, key: dict[str, str], *, method: str, path: str, body: Any, status: int, error: str
) -> None:
    answer = ask(simulator, method, "/api/v1" + path, key, body)
    assert (answer.status, answer.json["error"], list(answer.json)) == (status, error, ["error", "message"])


def test_an_added_package_can_be_read_listed_and_signed_on_its_host_alone(
    simulator: Simulator, key: dict[str, str]
) -> None:
    added = ask(simulator, "POST", "/api/v1/packages/add", key, {"name": "Synthetic"}).json["packageId"]
    assert ask(simulator, "GET", f"/api/v1/packages/{added}", key).json["packageId"] == added
    assert ask(simulator, "POST", LIST, key, {"take": 1, "skip": 3}).json["items"] == [{"packageId": added}]
    assert ask(simulator, "POST", f"/api/v1/packages/{added}/link/sign/signer-1", key).json == {
        "packageId": added,
        "type": "package_sign",
        "link": f"https://{SANDBOX}/link/signer-1",
    }
    assert ask(simulator, "GET", f"/api/v1/packages/{added}", key, host="acme.syngrafii.com").status == 404


def test_each_uploaded_file_gets_an_id_of_its_own(simulator: Simulator, key: dict[str, str]) -> None:
    uploads = [ask(simulator, "POST", "/api/v1/files/upload", key | MULTIPART, FILE) for _ in range(2)]
    assert [upload.status for upload in uploads] == [200, 200]
    assert uploads[0].json["fileId"] != uploads[1].json["fileId"]


def test_a_webhook_can_be_set(simulator: Simulator, key: dict[str, str]) -> None:
    answer = ask(simulator, "POST", "/api/v1/events/endpoints/set", key, {"url": "https://acme.example/hook"})
    assert (answer.status, answer.json) == (200, {})


def test_the_key_page_is_a_web_page_for_persons(simulator: Simulator) -> None:
    answer = ask(simulator, "GET", "/integration", {})
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/html")


@pytest.mark.parametrize("path", ["/connect/userinfo", "/connect/token", "/"])
def test_what_is_not_simulated_is_not_found(simulator: Simulator, path: str) -> None:
    assert ask(simulator, "GET", path, {}).status == 404


def test_a_private_instance_may_have_any_host_and_a_prefix(simulator: Simulator, key: dict[str, str]) -> None:
    answer = ask(simulator, "POST", "/signing" + LIST, key, {"take": 1, "skip": 0}, host="api.acme.example")
    assert answer.json["total"] == 3


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD"])
def test_any_other_api_answers_what_its_manifest_asks(simulator: Simulator, method: str) -> None:
    headers = {"X-Api-Key": simulator.issue_api_key("api.acme.example")}
    answer = ask(simulator, method, "/me?verbose=1", headers, host="api.acme.example")
    assert (answer.status, answer.body) == (200, b"" if method == "HEAD" else b'{"simulated": true}')
