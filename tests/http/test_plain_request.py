"""A check's request is the one that httpx would send, and so is that of a token: path, query, headers and body."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from connform.http import ClientSettings, sync_client
from connform.http.origin import origin_of, pinned_origin
from connform.http.plain_request import plain_request

BASES = (
    "https://api.example.test",
    "https://api.example.test/v2",
    "https://api.example.test/v2/",
    "https://x.test/a%20b",
)
ORIGINS = (
    *("https://a.test", "https://A.test/x", "http://localhost:8080/", "https://1.2.3.4:443", "https://[::1]:8/x"),
    *("https://ü.test", "https://a.test:0/", "https://a_b.test:8443?x"),
)
PATHS = (
    ("/me", "the usual one"),
    ("/me?take=1&skip=0", "a query"),
    ("/a/../b", "dots"),
    ("/.well-known/x", "a dot at the beginning of a part"),
    ("/with space", "a blank"),
    ("/ü?ä=ö", "no ASCII"),
    ("/100%", "a lone percent sign"),
    ("/a%2Fb", "an encoded character"),
    ("/a[b]{c}|d", "brackets"),
    ("/q?a='b'\"<c>", "quotes"),
    ("/x?", "an empty query"),
    ("/", "the root"),
)


@pytest.mark.parametrize("base_url", BASES)
@pytest.mark.parametrize(("path", "what"), PATHS, ids=[what for _, what in PATHS])
def test_the_target_is_that_of_httpx(base_url: str, path: str, what: str) -> None:
    del what
    settings = ClientSettings(base_url)
    with httpx.Client(base_url=base_url) as client:
        expected = client.build_request("GET", path).url.raw_path
    assert plain_request(settings, "GET", path).target == expected


@pytest.mark.parametrize("path", ["/oauth/token?tenant=a%20b", "//oauth/token", "//ü/token", ""])
def test_the_target_of_a_token_url_is_what_it_says(path: str) -> None:
    url = f"https://login.example.test{path}"
    assert plain_request(ClientSettings("https://login.example.test"), "POST", path).target == httpx.URL(url).raw_path


@pytest.mark.parametrize(
    ("method", "content", "changes"),
    [
        ("GET", None, {}),
        ("HEAD", None, {"user_agent": "connform/1"}),
        ("POST", None, {}),
        ("POST", {"take": 1, "name": "ü"}, {"headers": {"X-Version": "3", "user-agent": "of theirs"}}),
        (
            "POST",
            [1, 2],
            {"headers": {"content-type": "application/vnd.api+json", "Accept": "application/vnd.api+json"}},
        ),
        ("GET", None, {"query": {"v": "2", "lang": "en GB"}}),
    ],
)
def test_headers_and_body_are_those_of_httpx(method: str, content: Any, changes: dict[str, Any]) -> None:
    settings = ClientSettings("https://api.example.test", **changes)
    made = plain_request(settings, method, "/x?v=1", content)
    with sync_client(settings) as client:
        built = client.build_request(method, "/x?v=1", json=content)
    unsent = {
        "host",
        "accept-encoding",
        "content-length",
    }  # each transport has its own; httpx 0.27 writes blanks into JSON
    assert _lines(made.headers, unsent) == _lines(built.headers.raw, unsent)
    assert json.loads(made.content or "null") == json.loads(built.read() or "null") == content
    assert (b"Content-Length", b"%d" % len(made.content)) in made.headers or not (made.content or method == "POST")
    assert made.target == built.url.raw_path


@pytest.mark.parametrize(
    "base_url",
    ORIGINS,
)
def test_the_origin_is_that_of_httpx(base_url: str) -> None:
    assert pinned_origin(base_url) == origin_of(httpx.URL(base_url))


def _lines(lines: list[tuple[bytes, bytes]], without: set[str]) -> set[tuple[str, str]]:
    return {(name.decode().lower(), value.decode()) for name, value in lines if name.decode().lower() not in without}
