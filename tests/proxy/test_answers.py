"""Answers that pass the proxy: links stay with it, headers of the origin end here, and what was cut is not made whole."""

from __future__ import annotations

import gzip
import http.client
import json
import socket
from urllib.parse import quote, urljoin

import pytest

from tests.proxy.conftest import Setting
from tests.proxy.raw import PATIENCE_S, Answer, ask, request
from tests.proxy.running import Proxy
from tests.proxy.upstream import ROOT


def answer_with(proxy: Proxy, *headers: str, status: int = 200) -> Answer:
    """Return what the proxy makes of an answer with these headers."""
    asked = quote(json.dumps([quote(header) for header in headers]), safe="")
    found = ask(proxy.port, request(f"{proxy.path}/answer/{status}?headers={asked}", proxy.host))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("sent", "received"),
    [
        ("https://127.0.0.1:{port}{root}/a?b=c#d", "{base}/a?b=c#d"),
        ("{root}/a", "{base}/a"),
        ("//127.0.0.1:{port}{root}/a", "{base}/a"),
        ("a/b", "{base}/answer/a/b"),
        ("?page=2", "{base}/answer/302?page=2"),
        ("/other", "https://127.0.0.1:{port}/other"),
        ("{root}/../other", "https://127.0.0.1:{port}/api/other"),
        ("https://127.0.0.1:{port}{root}x/a", "https://127.0.0.1:{port}{root}x/a"),
        ("https://elsewhere.example{root}/a", "https://elsewhere.example{root}/a"),
        ("http://127.0.0.1:{port}{root}/a", "http://127.0.0.1:{port}{root}/a"),
    ],
)
def test_a_redirect_below_the_root_stays_with_the_proxy(
    setting: Setting, proxy: Proxy, sent: str, received: str
) -> None:
    given = {"port": setting.port, "root": ROOT, "base": proxy.base_url}
    found = answer_with(proxy, f"Location: {sent.format(**given)}", status=302)
    assert found.status == 302
    (location,) = found.values("location")
    assert urljoin(f"{proxy.base_url}/answer/302", location) == received.format(**given)


def test_links_to_further_pages_stay_with_the_proxy(setting: Setting, proxy: Proxy) -> None:
    origin = f"https://127.0.0.1:{setting.port}"
    link = f'<{origin}{ROOT}/list?page=2>; rel="next", <{origin}/docs>; rel="help", <{origin}{ROOT}/list?a=1,2&page=9>; rel="last"'
    (found,) = answer_with(proxy, f"Link: {link}").values("link")
    base = proxy.base_url
    assert (
        found
        == f'<{base}/list?page=2>; rel="next", <{origin}/docs>; rel="help", <{base}/list?a=1,2&page=9>; rel="last"'
    )


def test_headers_of_the_origin_end_here_and_others_pass(proxy: Proxy) -> None:
    ended = (
        *("Set-Cookie: session=1", "Set-Cookie: b=2", 'Alt-Svc: h3=":443"', "Strict-Transport-Security: max-age=1"),
        *("Connection: X-Hop", "X-Hop: 1", "Keep-Alive: timeout=5", "Proxy-Authenticate: Basic", "Upgrade: h2c"),
    )
    passed = ("ETag: W/1", "X-Request-Id: 7", "Retry-After: 1", "Warning: one", "Warning: two", "Vary: Accept")
    found = answer_with(proxy, *ended, *passed)
    names = {name for name, _ in found.headers}
    assert names & {header.split(":")[0].lower() for header in ended} <= {"connection"}
    assert [line for header in passed for line in found.values(header.split(":")[0].lower())]
    assert (found.values("etag"), found.values("warning")) == (["W/1"], ["one", "two"])


@pytest.mark.parametrize("status", [201, 204, 304, 400, 404, 409, 418, 422, 500])
def test_statuses_are_the_apis(proxy: Proxy, status: int) -> None:
    assert answer_with(proxy, status=status).status == status


def test_a_client_gets_the_encoding_that_it_asks_for(proxy: Proxy) -> None:
    plain = ask(proxy.port, request(f"{proxy.path}/zip", proxy.host))
    packed = ask(proxy.port, request(f"{proxy.path}/zip", proxy.host, "Accept-Encoding: gzip"))
    assert plain is not None
    assert packed is not None
    assert (plain.body, plain.values("content-encoding")) == (b"hello", [])
    if packed.values("content-encoding"):
        assert gzip.decompress(packed.body) == b"hello"
    else:
        assert packed.body == b"hello"


def test_a_stream_arrives_as_it_is_sent(setting: Setting, proxy: Proxy) -> None:
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=PATIENCE_S) as sock:
        sock.sendall(request(f"{proxy.path}/halves", proxy.host))
        response = http.client.HTTPResponse(sock)
        response.begin()
        assert response.read1(5) == b"first"
        setting.upstream.release.set()
        assert response.read() == b"later"
    setting.upstream.release.clear()


@pytest.mark.parametrize("header", ["Content-Length: 1000", "Transfer-Encoding: chunked"])
def test_an_answer_that_was_cut_is_not_made_whole(proxy: Proxy, header: str) -> None:
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=PATIENCE_S) as sock:
        sock.sendall(request(f"{proxy.path}/cut?header={quote(header)}", proxy.host))
        response = http.client.HTTPResponse(sock)
        response.begin()
        with pytest.raises((http.client.IncompleteRead, ConnectionError)):
            response.read()


def test_a_post_is_sent_once(setting: Setting, proxy: Proxy) -> None:
    for status in (500, 502, 503, 429):
        setting.upstream.seen.clear()
        target = f"{proxy.path}/answer/{status}?headers=[]"
        found = ask(proxy.port, request(target, proxy.host, method="POST", body=b"hello"))
        assert found is not None
        assert (found.status, len(setting.upstream.seen)) == (status, 1)


def test_clients_that_go_away_keep_no_connection(setting: Setting, proxy: Proxy) -> None:
    """The pool has a hundred connections: a program that gives up often must not run out of them."""
    for _ in range(110):
        with socket.create_connection(("127.0.0.1", proxy.port), timeout=PATIENCE_S) as sock:
            sock.sendall(request(f"{proxy.path}/halves", proxy.host))
            assert sock.recv(5)
    found = ask(proxy.port, request(f"{proxy.path}/packages/7", proxy.host))
    setting.upstream.release.set()
    assert found is not None
    assert found.status == 200
    setting.upstream.release.clear()
