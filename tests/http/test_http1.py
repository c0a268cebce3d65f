"""One exchange by h11: what a server may not do to others."""

from __future__ import annotations

from connform.http.http1 import HTTP1Exchange
from connform.http.net.steps import Steps
from connform.http.wire import WireRequest

HOST = (b"Host", b"api.acme.example")


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
