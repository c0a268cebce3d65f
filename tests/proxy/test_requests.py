"""Requests that mislead a proxy: two lengths, odd encodings, other hosts, overrides, a credential of the client's own."""

from __future__ import annotations

import json

import pytest

from tests.canary import assert_no_canary
from tests.proxy.conftest import Setting
from tests.proxy.raw import ask, everything, request
from tests.proxy.running import Proxy
from tests.proxy.upstream import ROOT

SMUGGLED = b"GET {path}/admin HTTP/1.1\r\nHost: {host}\r\n\r\n"
CHUNKED = b"0\r\n\r\n"
LENGTHS = {
    "both": ("Content-Length: 5", "Transfer-Encoding: chunked"),
    "both, the other way": ("Transfer-Encoding: chunked", "Content-Length: 60"),
    "two": ("Content-Length: 5", "Content-Length: 60"),
    "a list": ("Content-Length: 5, 60",),
    "signed": ("Content-Length: +5",),
    "negative": ("Content-Length: -1",),
    "hexadecimal": ("Content-Length: 0x5",),
    "underscore": ("Content-Length: 1_0",),
    "fraction": ("Content-Length: 5.0",),
    "no number": ("Content-Length: five",),
    "empty": ("Content-Length:",),
    "other digits": ("Content-Length: \xb2",),
    "huge": (f"Content-Length: {'9' * 40}",),
    "a space before the colon": ("Content-Length : 5",),
    "a tab before the colon": ("Transfer-Encoding\t: chunked",),
    "encoding twice": ("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"),
    "encoding in encoding": ("Transfer-Encoding: chunked, chunked",),
    "identity": ("Transfer-Encoding: identity", "Content-Length: 5"),
    "identity, chunked": ("Transfer-Encoding: identity, chunked",),
    "gzip": ("Transfer-Encoding: gzip, chunked",),
    "chunked, identity": ("Transfer-Encoding: chunked, identity",),
    "unknown": ("Transfer-Encoding: xchunked",),
    "quoted": ('Transfer-Encoding: "chunked"',),
    "a vertical tab": ("Transfer-Encoding: \x0bchunked",),
    "a form feed": ("Transfer-Encoding: chunked\x0c",),
    "a semicolon": ("Transfer-Encoding: chunked;x=y",),
    "a folded line": ("Transfer-Encoding:", " chunked"),
    "a folded length": ("Content-Length:", " 5"),
    "NUL": ("Transfer-Encoding: chunked\x00",),
    "a bare CR": ("X: y\rTransfer-Encoding: chunked",),
    "an underscore for the hyphen": ("Content_Length: 60", "Content-Length: 5", "Transfer-Encoding: chunked"),
}
"""Headers that two servers may read in two ways."""
CHUNKS = {
    "an extension": b"5;a=b\r\nhello\r\n0\r\n\r\n",
    "a quoted extension": b'5;a="\r\n"\r\nhello\r\n0\r\n\r\n',
    "leading zeros": b"0005\r\nhello\r\n0\r\n\r\n",
    "bare LF": b"5\nhello\n0\n\n",
    "LF in the extension": b"5;\nhello\r\n0\r\n\r\n",
    "a prefix": b"0x5\r\nhello\r\n0\r\n\r\n",
    "signed": b"+5\r\nhello\r\n0\r\n\r\n",
    "negative": b"-5\r\nhello\r\n0\r\n\r\n",
    "a space": b" 5\r\nhello\r\n0\r\n\r\n",
    "huge": b"ffffffffffffffffff5\r\nhello\r\n0\r\n\r\n",
    "too short": b"5\r\nhell\r\n0\r\n\r\n",
    "too long": b"5\r\nhello!\r\n0\r\n\r\n",
    "a trailer": b"5\r\nhello\r\n0\r\nAuthorization: x\r\nContent-Length: 60\r\n\r\n",
    "no end": b"5\r\nhello\r\n",
}
OVERRIDES = (
    *("X-HTTP-Method-Override: DELETE", "X-HTTP-Method: DELETE", "X-Method-Override: DELETE", "x-http-method-override: DELETE"),
    *("X-Original-URL: /admin", "X-Rewrite-URL: /admin", "X_HTTP_Method_Override: DELETE", "X-Original_URL: /admin"),
    *("X-Forwarded-Host: evil.example", "Forwarded: host=evil.example", "X-Forwarded-Prefix: /admin", "X_Forwarded_Host: evil.example"),
    *("X.HTTP.Method.Override: DELETE", "X-Original~URL: /admin", "Destination: /api/v1/admin"),
)  # fmt: skip
METHOD_PARAMETERS = (
    *("_method=DELETE", "a=1&_METHOD=delete", "a=1;_method=delete", "%5fmethod=x", "+_method=x", ".method=x", "%2emethod=x"),
    *("%20.method=x", "x-http-method-override=PUT", "$httpMethod=PATCH", "method=DELETE", "a&%6dethod=de%6Cete"),
)  # fmt: skip
"""As frameworks, PHP (which reads `.` as `_`), Google and Meta read them."""
HOSTS = (
    *("evil.example", "evil.example:{port}", "127.0.0.1.evil.example:{port}", "localhost.evil.example", "[::1]:1", "0.0.0.0:{port}"),
    *("127.0.0.1:1", "127.0.0.1:{port}@evil.example", "evil.example@127.0.0.1:{port}", "127.0.0.1:{port}.", "", "127.0.0.1:{port}/x"),
    *("127.0.0.1:{port}, evil.example", "127.1:{port}", "2130706433:{port}", "127.0.0.1:0{port}"),
)  # fmt: skip
FOREIGN = (
    *("Origin: https://evil.example", "Origin: null", "Origin: http://127.0.0.1:1", "Origin: http://{host}"),
    *("Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-site", "SEC-FETCH-SITE: Cross-Site"),
)  # fmt: skip
OWN_CREDENTIALS = (
    "Authorization: Bearer own",
    "authorization: Basic b3du",
    "AUTHORIZATION: own",
    "Proxy-Authorization: Basic b3du",
)


def refused(setting: Setting, proxy: Proxy, sent: bytes, method: str = "GET") -> None:
    """Fail unless a request is refused, and nothing of it was sent on."""
    answer = ask(proxy.port, sent, method=method)
    assert answer is None or 400 <= answer.status < 600, answer
    assert setting.upstream.paths == []
    if answer:
        assert_no_canary(answer.body, where="the refusal")


def inner(proxy: Proxy) -> bytes:
    """Return the request that must not be taken out of the body of another."""
    return f"GET {proxy.path}/admin HTTP/1.1\r\nHost: {proxy.host}\r\n\r\n".encode()


@pytest.mark.parametrize("name", LENGTHS)
def test_a_body_of_two_lengths_is_refused(setting: Setting, proxy: Proxy, name: str) -> None:
    headers = "\r\n".join(LENGTHS[name])
    sent = f"POST {proxy.path}/packages/list HTTP/1.1\r\nHost: {proxy.host}\r\n{headers}\r\n\r\n".encode("latin-1")
    received = everything(proxy.port, sent + CHUNKED + inner(proxy))
    assert received == b"" or received.split(b" ", 2)[1][:1] in {b"4", b"5"}, received
    assert received.count(b"HTTP/1.1 ") <= 1  # nothing after it is read as a request
    assert setting.upstream.paths == []


@pytest.mark.parametrize("name", CHUNKS)
def test_chunks_are_read_in_one_way_or_not_at_all(setting: Setting, proxy: Proxy, name: str) -> None:
    sent = f"POST {proxy.path}/take HTTP/1.1\r\nHost: {proxy.host}\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    everything(proxy.port, sent + CHUNKS[name])
    for one in setting.upstream.seen:
        assert (one.target, one.length) == (f"{ROOT}/take", 5)
        assert one.values("authorization") == [setting.upstream.good]


@pytest.mark.parametrize(
    "change",
    [
        *((b"\r\n", b"\n"), (b"Host", b" Host"), (b"HTTP/1.1", b"HTTP/1.1 "), (b"HTTP/1.1", b"HTTP/9.9"), (b" HTTP", b"  HTTP")),
        *((b"HTTP/1.1", b""), (b"Host", b"Host\x00"), (b"GET", b"GE\x00T"), (b"GET", b""), (b"\r\nHost", b"\r\nX: \r\x01\r\nHost")),
    ],
)  # fmt: skip
def test_a_malformed_head_reaches_nothing_else(setting: Setting, proxy: Proxy, change: tuple[bytes, bytes]) -> None:
    sent = request(f"{proxy.path}/packages/7", proxy.host).replace(*change)
    everything(proxy.port, sent)
    assert set(setting.upstream.paths) <= {f"{ROOT}/packages/7"}


@pytest.mark.parametrize("host", HOSTS)
def test_another_host_is_refused(setting: Setting, proxy: Proxy, host: str) -> None:
    refused(setting, proxy, request(f"{proxy.path}/packages/7", host.format(port=proxy.port)))


def test_a_request_has_one_host(setting: Setting, proxy: Proxy) -> None:
    target = f"{proxy.path}/packages/7"
    refused(setting, proxy, f"GET {target} HTTP/1.1\r\n\r\n".encode())
    refused(setting, proxy, f"GET {target} HTTP/1.0\r\n\r\n".encode())
    refused(setting, proxy, request(target, proxy.host, "Host: evil.example"))
    refused(setting, proxy, request(target, "evil.example", f"Host: {proxy.host}"))


@pytest.mark.parametrize("header", FOREIGN)
def test_a_browsers_request_for_another_site_is_refused(setting: Setting, proxy: Proxy, header: str) -> None:
    refused(setting, proxy, request(f"{proxy.path}/packages/7", proxy.host, header.format(host=proxy.host)))


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "TRACK", "trace", "get", "OPTIONS", "PROPFIND"])
def test_methods_that_no_api_needs_are_refused(setting: Setting, narrow: Proxy, method: str) -> None:
    refused(setting, narrow, request(f"{narrow.path}/packages/7", narrow.host, method=method), method)


@pytest.mark.parametrize("protocol", ["websocket", "h2c, websocket", "TLS/1.0"])
def test_no_connection_is_upgraded(setting: Setting, proxy: Proxy, protocol: str) -> None:
    headers = (
        "Connection: Upgrade",
        f"Upgrade: {protocol}",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
    )
    refused(setting, proxy, request(f"{proxy.path}/packages/7", proxy.host, *headers))


def test_what_javas_client_offers_is_left_out(setting: Setting, proxy: Proxy) -> None:
    headers = (
        "Connection: Upgrade, HTTP2-Settings",
        "Upgrade: h2c",
        "HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA",
    )
    answer = ask(proxy.port, request(f"{proxy.path}/packages/7", proxy.host, *headers))
    assert answer is not None
    assert answer.status == 200
    (seen,) = setting.upstream.seen
    assert not {"upgrade", "http2-settings"} & {name for name, _ in seen.headers}


@pytest.mark.parametrize("header", OVERRIDES)
def test_no_header_overrides_what_is_allowed(setting: Setting, narrow: Proxy, header: str) -> None:
    refused(setting, narrow, request(f"{narrow.path}/packages/7", narrow.host, header))


@pytest.mark.parametrize("query", METHOD_PARAMETERS)
def test_no_parameter_overrides_what_is_allowed(setting: Setting, narrow: Proxy, query: str) -> None:
    refused(setting, narrow, request(f"{narrow.path}/packages/7?{query}", narrow.host))


@pytest.mark.parametrize("query", ["method=card", "methods=delete", "method="])
def test_a_parameter_that_is_no_method_is_passed_on(setting: Setting, narrow: Proxy, query: str) -> None:
    ask(narrow.port, request(f"{narrow.path}/packages/7?{query}", narrow.host))
    assert setting.upstream.paths == [f"{ROOT}/packages/7?{query}"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        *(("HEAD", "/packages/7", 200), ("POST", "/packages/list", 200), ("POST", "/packages/7", 403), ("GET", "/packages/list", 200)),
        *(("DELETE", "/packages/7", 403), ("PUT", "/packages/list", 403), ("HEAD", "/admin", 403)),
    ],
)  # fmt: skip
def test_a_pattern_is_of_a_method(setting: Setting, narrow: Proxy, method: str, path: str, status: int) -> None:
    answer = ask(narrow.port, request(f"{narrow.path}{path}", narrow.host, method=method), method=method)
    assert answer is not None
    assert (answer.status, len(setting.upstream.seen)) == (status, status == 200)


@pytest.mark.parametrize("header", OWN_CREDENTIALS)
def test_a_clients_own_credential_is_replaced(setting: Setting, proxy: Proxy, header: str) -> None:
    answer = ask(proxy.port, request(f"{proxy.path}/packages/7", proxy.host, header))
    assert answer is not None
    assert answer.status == 200
    (seen,) = setting.upstream.seen
    assert seen.values("authorization") == [setting.upstream.good]
    assert seen.values("proxy-authorization") == []


def test_headers_of_one_hop_end_here(setting: Setting, proxy: Proxy) -> None:
    hop = (
        "Connection: keep-alive, X-Hop, Authorization",
        "X-Hop: 1",
        "Keep-Alive: timeout=5",
        "TE: trailers",
        "Trailer: X-Late",
        "Proxy-Connection: x",
    )
    answer = ask(proxy.port, request(f"{proxy.path}/echo", proxy.host, *hop, "X-Kept: 1", "Accept: text/x"))
    assert answer is not None
    told = json.loads(answer.body)
    headers = dict(told["headers"])
    assert {name: headers.get(name) for name in ("x-kept", "accept")} == {"x-kept": "1", "accept": "text/x"}
    assert not {
        "x-hop",
        "keep-alive",
        "te",
        "trailer",
        "proxy-connection",
        "x-forwarded-for",
        "forwarded",
        "via",
    } & set(headers)
    assert headers["host"] == f"127.0.0.1:{setting.port}"
    assert proxy.path not in answer.body.decode()


def test_expect_is_answered_here(setting: Setting, proxy: Proxy) -> None:
    sent = request(
        f"{proxy.path}/take", proxy.host, "Expect: 100-continue", "Connection: close", method="POST", body=b"hello"
    )
    assert everything(proxy.port, sent).count(b"HTTP/1.1 200") == 1
    assert [one.length for one in setting.upstream.seen] == [5]


def test_a_head_that_is_too_large_is_refused(setting: Setting, proxy: Proxy) -> None:
    refused(setting, proxy, request(f"{proxy.path}/packages/7", proxy.host, f"X-Large: {'a' * 2_000_000}"))
    refused(setting, proxy, request(f"{proxy.path}/packages/{'a' * 2_000_000}", proxy.host))


def test_each_of_several_requests_at_once_is_judged(setting: Setting, narrow: Proxy) -> None:
    paths = ("/packages/1", "/admin", "/packages/2", "/packages/../admin")
    sent = b"".join(request(f"{narrow.path}{path}", narrow.host) for path in paths)
    last = request(f"{narrow.path}/packages/3", narrow.host, "Connection: close")
    received = everything(narrow.port, sent + last)
    assert [part.split(b" ", 1)[0] for part in received.split(b"HTTP/1.1 ")[1:]] == [
        b"200",
        b"403",
        b"200",
        b"400",
        b"200",
    ]
    assert setting.upstream.paths == [f"{ROOT}/packages/{number}" for number in (1, 2, 3)]
