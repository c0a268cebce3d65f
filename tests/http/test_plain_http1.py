"""Requests and answers of the plainest form: h11 would write and read the same, or they are left to it."""

from __future__ import annotations

import h11
import pytest

from connform.http.http1 import HTTP1Exchange
from connform.http.net.steps import Steps
from connform.http.plain_http1 import plain_answer, plain_bytes
from connform.http.wire import WireRequest

HOST = (b"Host", b"api.acme.example")
ANSWERS = [
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
    b"HTTP/1.1 401 \r\ncontent-length:0\r\nA:\r\nb: c  d\te \t \r\nX: \xff\r\n\r\n",
    b"HTTP/1.1 503\r\nConnection: close\r\nContent-Length: 1\r\n\r\n\0",
]
OTHERS = {
    "nothing": b"",
    "half a head": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n",
    "half a body": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{",
    "more than the body": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}x",
    "no length": b"HTTP/1.1 200 OK\r\n\r\n{}",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "chunks": b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "a length with a sign": b"HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\n{}",
    "a folded line": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nA: b\r\n c\r\n\r\n{}",
    "a space before the colon": b"HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\n{}",
    "a line end without CR": b"HTTP/1.1 200 OK\nContent-Length: 2\r\n\r\n{}",
    "a vertical tab": b"HTTP/1.1 200 OK\r\nA: \x0bb\r\nContent-Length: 2\r\n\r\n{}",
    "HTTP/1.0": b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}",
    "an interim answer": b"HTTP/1.1 100 Continue\r\nContent-Length: 0\r\n\r\n",
    "no body": b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n",
}


@pytest.mark.parametrize("answer", ANSWERS)
def test_an_answer_is_read_as_by_h11(answer: bytes) -> None:
    connection = h11.Connection(h11.CLIENT)
    connection.send(h11.Request(method="GET", target="/", headers=[HOST]))
    connection.send(h11.EndOfMessage())
    connection.receive_data(answer)
    head, body = connection.next_event(), b""
    assert isinstance(head, h11.Response)
    while isinstance(event := connection.next_event(), h11.Data):
        body += event.data
    assert isinstance(event, h11.EndOfMessage)
    assert plain_answer("GET", answer) == (head.status_code, head.headers.raw_items(), body)


@pytest.mark.parametrize("answer", OTHERS.values(), ids=OTHERS)
def test_any_other_answer_is_left_to_h11(answer: bytes) -> None:
    assert plain_answer("GET", answer) is None


def test_an_answer_to_head_is_left_to_h11() -> None:
    assert plain_answer("HEAD", ANSWERS[0]) is None


def test_a_request_is_written_as_by_h11() -> None:
    headers = [HOST, (b"Accept", b"*/*"), (b"X-Api-Key", b"synthetic")]
    event = h11.Request(method="GET", target=b"/v1/me?a=b", headers=headers)
    assert plain_bytes(WireRequest("GET", b"/v1/me?a=b", headers)) == h11.Connection(h11.CLIENT).send(event)


@pytest.mark.parametrize(
    ("method", "target", "headers", "content"),
    [
        ("POST", b"/", [HOST, (b"Content-Length", b"2")], b"{}"),
        ("GET", b"/", [HOST, (b"content-length", b"2")], b""),
        ("GET", b"/", [HOST, (b"Transfer-Encoding", b"chunked")], b""),
        ("GET", b"/", [HOST, HOST], b""),
        ("GET", b"/", [], b""),
        ("GET /", b"/", [HOST], b""),
        ("GET", b"/ ", [HOST], b""),
    ],
)
def test_any_other_request_is_left_to_h11(
    method: str, target: bytes, headers: list[tuple[bytes, bytes]], content: bytes
) -> None:
    assert plain_bytes(WireRequest(method, target, headers, content)) is None


class Flooding:
    """A stream whose one read holds thousands of chunks."""

    def write(self, data: bytes, timeout_s: float) -> Steps[None]:
        yield from ()

    def read(self, max_bytes: int, timeout_s: float) -> Steps[bytes]:
        yield from ()
        interim = b"HTTP/1.1 103 Early Hints\r\n\r\n" * 500
        return interim + b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 5000


def test_others_go_on_while_thousands_of_chunks_are_read() -> None:
    exchange = HTTP1Exchange(Flooding(), "api.acme.example", 1.0, 1.0)  # type: ignore[arg-type]
    passed = list(exchange.send(WireRequest("GET", b"/", [HOST])))
    pieces = [list(exchange.next_piece()) for _ in range(5000)]
    assert exchange.status == 200
    assert len(passed) > 10
    assert sum(map(len, pieces)) > 100
