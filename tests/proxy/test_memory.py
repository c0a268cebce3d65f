"""Bodies stream in both directions: a slow reader holds up the API, and the proxy's memory does not grow."""

from __future__ import annotations

import http.client
import re
import socket
import sys
import threading
from pathlib import Path

import pytest

from tests.proxy.conftest import Setting
from tests.proxy.raw import PATIENCE_S, request
from tests.proxy.running import Proxy
from tests.proxy.upstream import pieces
from tests.repetitions import given, repeated

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
SIZE = given("megabytes", 64) << 20
GROWTH = 24 << 20


def peak(proxy: Proxy) -> int:
    """Return the most memory that the proxy has had, in bytes."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{proxy.process.pid}/status").read_text())
    assert found
    return int(found[1]) << 10


def settled(setting: Setting) -> int:
    """Return how much the API has sent when it sends no more."""
    before = -1
    while before != setting.upstream.sent:
        before = setting.upstream.sent
        threading.Event().wait(0.3)
    return before


@pytest.mark.parametrize("form", repeated([""], ["", "?chunked"]))
def test_a_large_answer_takes_no_memory_however_slowly_it_is_read(setting: Setting, proxy: Proxy, form: str) -> None:
    before = peak(proxy)
    setting.upstream.sent = 0
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=PATIENCE_S) as sock:
        sock.sendall(request(f"{proxy.path}/bytes/{SIZE}{form}", proxy.host))
        assert settled(setting) < 32 << 20
        response = http.client.HTTPResponse(sock)
        response.begin()
        received = 0
        while piece := response.read(1 << 18):
            received += len(piece)
    grown = peak(proxy) - before
    print(f"{SIZE >> 20} MB down: {grown >> 20} MB more at the peak, {peak(proxy) >> 20} MB in all")
    assert (received, grown < GROWTH) == (SIZE, True)


@pytest.mark.parametrize("form", repeated(["chunked"], ["length", "chunked"]))
def test_a_large_request_takes_no_memory(setting: Setting, proxy: Proxy, form: str) -> None:
    before = peak(proxy)
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=PATIENCE_S)
    headers = {"Content-Length": str(SIZE)} if form == "length" else {}
    connection.request("POST", f"{proxy.path}/take", pieces(SIZE), headers, encode_chunked=form == "chunked")
    assert connection.getresponse().read()
    connection.close()
    grown = peak(proxy) - before
    print(f"{SIZE >> 20} MB up: {grown >> 20} MB more at the peak, {peak(proxy) >> 20} MB in all")
    assert (setting.upstream.seen[-1].length, grown < GROWTH) == (SIZE, True)
