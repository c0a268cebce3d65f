"""Opens connections: name look-up, TCP, and the tunnel of a proxy.

Layer 1, uses the network.
"""

from __future__ import annotations

from functools import partial
from time import monotonic

from connform.faults import Stage
from connform.http import failures
from connform.http.net import race
from connform.http.net.dial_context import DialContext
from connform.http.net.resolver import Endpoint, look_up
from connform.http.net.steps import Steps
from connform.http.net.stream import TCPStream
from connform.http.net.tunnel import RECORD_BYTES
from connform.http.request_log import current

_PROXY_HINT = "see whether the proxy is up, and correct what names it: `proxy:`, or the variable of the environment"


def dial(dial_context: DialContext, host: str, port: int, timeout_s: float | None) -> Steps[TCPStream]:
    """Return a connection to a host, perhaps through the proxy; each stage has the time-out."""
    proxy = dial_context.proxy
    if proxy is None:
        return (yield from _dial(dial_context, host, port, timeout_s))
    if log := current():
        log.write("asks the proxy %s for a tunnel to %s:%d", proxy, host, port)
    try:
        stream = yield from _dial(dial_context, proxy.host, proxy.port, timeout_s)
    except failures.RequestFailed as failure:
        message = f"the proxy {proxy} can't be reached: {failure.message}"
        raise type(failure)(failure.fault.name, message, _PROXY_HINT) from None
    started_at = monotonic()
    try:
        if proxy.context is not None:
            yield from stream.secure(proxy.context.current, proxy.host, timeout_s)
        with proxy.opening_tunnel(host) as answer:
            yield from stream.write(proxy.request(host, port), timeout_s)
            while not answer.feed((yield from stream.read(RECORD_BYTES, timeout_s))):
                pass
    except BaseException:
        stream.close()
        raise
    if log:
        log.write("the proxy opened the tunnel (%.1f ms)", (monotonic() - started_at) * 1000)
    stream.redial = partial(dial, dial_context.unobserved(), host, port, timeout_s)
    return stream


def _dial(dial_context: DialContext, host: str, port: int, timeout_s: float | None) -> Steps[TCPStream]:
    started_at = monotonic()
    endpoints = dial_context.known_endpoints(host, port)
    if not endpoints:
        endpoints = yield from look_up(host, port, timeout_s)
        dial_context.report(Stage.DNS, started_at, {"addresses": [endpoint.address[0] for endpoint in endpoints]})
    return (yield from _connect(dial_context, host, endpoints, timeout_s))


def _connect(
    dial_context: DialContext, host: str, endpoints: list[Endpoint], timeout_s: float | None
) -> Steps[TCPStream]:
    started_at = monotonic()
    sock, endpoint = yield from race.connect(host, endpoints, timeout_s)
    by_proxy = {"proxy": str(dial_context.proxy)} if dial_context.proxy else {}
    dial_context.report(Stage.TCP, started_at, {"address": str(endpoint), **by_proxy})
    stream = TCPStream(sock, dial_context, host)
    stream.redial = partial(_connect, dial_context.unobserved(), host, [endpoint], timeout_s)
    return stream
