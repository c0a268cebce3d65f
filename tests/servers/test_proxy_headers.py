"""Which headers the proxy passes on, and where references in answers lead."""

from __future__ import annotations

import pytest

from connform.servers.proxy.headers import Places, answer_headers, request_headers

PLACES = Places("https://api.example.test/v1", "http://127.0.0.1:49152/random/sandbox")
OWN = "http://127.0.0.1:49152/random/sandbox"
REFERENCES = {
    "https://api.example.test/v1/packages/7?x=1#top": f"{OWN}/packages/7?x=1#top",
    "https://API.example.test:443/v1/packages": f"{OWN}/packages",
    "https://api.example.test/v1": OWN,
    "/v1/packages/8": f"{OWN}/packages/8",
    "8?page=2": f"{OWN}/packages/8?page=2",
    "?page=2": f"{OWN}/packages/7?page=2",
    "https://api.example.test/v2/packages": "https://api.example.test/v2/packages",
    "https://api.example.test/v1evil": "https://api.example.test/v1evil",
    "/login": "https://api.example.test/login",
    "https://other.example.test/v1/x": "https://other.example.test/v1/x",
    "http://api.example.test/v1/x": "http://api.example.test/v1/x",
    "https://api.example.test:8443/v1/x": "https://api.example.test:8443/v1/x",
    "https://user@api.example.test/v1/x": "https://user@api.example.test/v1/x",
    "//other.example.test/v1/x": "https://other.example.test/v1/x",
    "../../login": "https://api.example.test/login",
    "https://[bad/": "https://[bad/",
}
ENDS_HERE = (
    *("connection: close", "keep-alive: 5", "te: trailers", "trailer: x", "transfer-encoding: chunked", "upgrade: h2c"),
    *("proxy-authorization: x", "proxy-connection: close", "http2-settings: x", "authorization: Bearer x", "cookie: a=b"),
    *("content-length: 5", "content_length: 5", "host: x", "expect: 100-continue", "via: 1.1 x", "forwarded: host=x"),
    *("x-forwarded-host: x", "x_forwarded_host: x", "x-http-method-override: PUT", "x-original-url: /x", "referer: http://x/hidden/y"),
)  # fmt: skip


def lines(*texts: str) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode()) for name, _, value in (text.partition(": ") for text in texts)]


@pytest.mark.parametrize("text", ENDS_HERE)
def test_a_header_that_ends_at_the_proxy_is_not_passed_on(text: str) -> None:
    assert request_headers(lines("accept: a/b", text), {}, b"hidden") == lines("accept: a/b")


def test_headers_that_connection_names_end_here_in_both_directions() -> None:
    sent = lines("x-one: 1", "connection: X-One, keep-alive", "x-two: 2")
    assert request_headers(sent, {}, b"hidden") == lines("x-two: 2")
    assert answer_headers(sent, PLACES, "/v1/x") == lines("x-two: 2")


def test_defaults_are_added_where_the_client_sends_no_such_header() -> None:
    defaults = dict(lines("user-agent: connform", "x-version: 2"))
    assert request_headers(lines("user-agent: curl"), defaults, b"hidden") == lines("user-agent: curl", "x-version: 2")


@pytest.mark.parametrize("reference", REFERENCES)
def test_a_reference_below_the_root_leads_to_the_proxy_and_no_other(reference: str) -> None:
    for name in ("Location", "Content-Location"):
        passed = answer_headers(lines(f"{name}: {reference}"), PLACES, "/v1/packages/7")
        assert passed == lines(f"{name}: {REFERENCES[reference]}")


def test_a_length_beside_a_transfer_encoding_ends_here() -> None:
    received = lines("Content-Length: 5", "Transfer-Encoding: chunked", "ETag: x")
    assert answer_headers(received, PLACES, "/v1/x") == lines("ETag: x")


def test_links_are_translated_and_what_is_for_the_origin_ends_here() -> None:
    link = '<https://api.example.test/v1/x?page=2>; rel="next", <https://other.example.test/>; rel="about"'
    received = lines(
        *(f"Link: {link}", "Set-Cookie: a=b", "Alt-Svc: h3", "Strict-Transport-Security: max-age=1", "ETag: x")
    )
    expected = f'Link: <{OWN}/x?page=2>; rel="next", <https://other.example.test/>; rel="about"'
    assert answer_headers(received, PLACES, "/v1/x") == lines(expected, "ETag: x")
