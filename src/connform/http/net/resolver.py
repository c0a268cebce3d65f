"""DNS look-ups with a time-out, in daemon threads that are abandoned when it ends.

Layer 1, asks the system's resolver. `getaddrinfo` can't be interrupted, and blocks for 10 s and more where a name
server is silent. Its threads are daemons, so that a process that ends does not wait for them. When a caller gives up,
its thread no longer counts against the limit.
"""

from __future__ import annotations

import socket
import sys
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from ipaddress import ip_address
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

from connform.http import failures
from connform.http.net import deadline
from connform.http.net.steps import Steps
from connform.http.net.threads import in_thread
from connform.process_local import ProcessLocal

if TYPE_CHECKING:
    from concurrent.futures import Future

_PARALLEL_LOOKUPS = 32
_NO_SUCH_HOST = {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}


class Endpoint(NamedTuple):
    """One address to dial."""

    family: int
    """`AF_INET` or `AF_INET6`."""
    address: Any
    """What `socket.connect` takes."""

    def __str__(self) -> str:
        host, port = self.address[:2]
        return f"[{host}]:{port}" if self.family == socket.AF_INET6 else f"{host}:{port}"


def endpoints_without_lookup(host: str, port: int) -> list[Endpoint]:
    """Return the endpoints of a host that needs no look-up, an IP address or `localhost` (RFC 6761 §6.3); else an empty list."""
    if host == "localhost":
        return [Endpoint(socket.AF_INET, ("127.0.0.1", port)), Endpoint(socket.AF_INET6, ("::1", port, 0, 0))]
    try:
        if ":" not in host:
            socket.inet_pton(socket.AF_INET, host)
            return [Endpoint(socket.AF_INET, (host, port))]
        ip_address(host)
    except (OSError, ValueError):
        return []
    return [Endpoint(socket.AF_INET6, (host, port, 0, 0))]


class _Lookup:
    """Step: one look-up. The result is the addresses."""

    __slots__ = ("_timeout_s", "host", "is_abandoned", "port", "result")

    def __init__(self, host: str, port: int, timeout_s: float | None) -> None:
        self.host, self.port, self._timeout_s = host, port, timeout_s
        from concurrent.futures import Future  # 9 ms that a check of addresses needs not

        self.result: Future[list[Endpoint]] = Future()
        self.is_abandoned = False

    def block(self) -> list[Endpoint]:
        with _THREADS.own.running(self):
            return self.result.result(self._timeout_s)

    async def wait(self) -> list[Endpoint]:
        import anyio

        done = anyio.Event()
        call_soon = _call_soon()

        def wake(_: Future[list[Endpoint]]) -> None:
            with suppress(RuntimeError):  # the event loop has ended, and nobody waits
                call_soon(done.set)

        self.result.add_done_callback(wake)
        with anyio.fail_after(self._timeout_s), _THREADS.own.running(self):
            await done.wait()
            return self.result.result()

    def run(self) -> None:
        try:  # bytes, because a str is first sent through the slow idna codec
            found = socket.getaddrinfo(self.host.encode("ascii"), self.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            self.result.set_exception(error)
        else:
            self.result.set_result([Endpoint(family, address) for family, _, _, _, address in found])


class _LookupThreads:
    """A pool of at most `size` threads, not counting abandoned ones; a thread ends when no look-up waits."""

    def __init__(self, size: int) -> None:
        self._lock = Lock()
        self._waiting: deque[_Lookup] = deque()
        self._free = size

    @contextmanager
    def running(self, lookup: _Lookup) -> Iterator[None]:
        """Start a look-up; abandon it if it has no result at the end of the block."""
        with self._lock:
            self._waiting.append(lookup)
            must_spawn = self._free > 0
            self._free -= must_spawn
        if must_spawn:
            self._spawn()
        try:
            yield
        finally:
            if not lookup.result.done():
                self._abandon(lookup)

    def _abandon(self, lookup: _Lookup) -> None:
        with self._lock:
            if lookup in self._waiting:
                self._waiting.remove(lookup)
                return
            if lookup.result.done():
                return
            lookup.is_abandoned = True
        self._spawn()  # replaces the thread that is blocked

    def _spawn(self) -> None:
        in_thread(self._work, name="connform-dns")

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._free += 1
                    return
                lookup = self._waiting.popleft()
            lookup.run()
            with self._lock:
                if lookup.is_abandoned:
                    return


_THREADS = ProcessLocal(lambda: _LookupThreads(_PARALLEL_LOOKUPS))


def look_up(host: str, port: int, timeout_s: float | None) -> Steps[list[Endpoint]]:
    """Return the addresses of `host` in the order of the system's resolver.

    Raises:
        RequestFailed: `dns_no_such_host` or `dns_timeout`.
    """
    try:
        found: list[Endpoint] = yield _Lookup(host, port, deadline.allow(timeout_s))
    except (OSError, UnicodeError) as error:
        raise _failure(error, host) from None
    return found


def _call_soon() -> Callable[[Callable[[], None]], object]:
    """Return the running event loop's function that schedules a call from another thread."""
    trio = sys.modules.get("trio")
    if trio is not None and trio.lowlevel.in_trio_run():
        wake: Callable[[Callable[[], None]], object] = trio.lowlevel.current_trio_token().run_sync_soon
        return wake
    import asyncio

    return asyncio.get_running_loop().call_soon_threadsafe


def _failure(error: OSError | UnicodeError, host: str) -> failures.RequestFailed:
    if isinstance(error, TimeoutError):
        return failures.RequestTimedOut("dns_timeout", f"the resolver gave no answer for {host} in time")
    if isinstance(error, socket.gaierror) and error.errno not in _NO_SUCH_HOST:  # EAI_AGAIN: SERVFAIL, no network, …
        return failures.RequestTimedOut("dns_timeout", f"the resolver could not look up {host}: {error.strerror}")
    return failures.RequestFailed("dns_no_such_host", f"there is no host {host}")
