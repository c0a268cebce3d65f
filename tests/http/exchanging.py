"""Runs the same request through the synchronous and the asynchronous client, and says how it ended."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from types import MappingProxyType
from typing import Any, Literal

import anyio
import httpx

from connform.errors import ConnectionFailed
from connform.faults import Stage
from connform.http import ClientSettings, async_client, sync_client
from connform.http.credential import NO_LINES, Credential, HeaderLines
from connform.http.failures import RequestFailed
from connform.http.plain_request import plain_request
from connform.http.single_request import send_once
from connform.secret import Secret
from tests.canary import API_KEY
from tests.http.many import result_of
from tests.http.servers import HOST, Server

Mode = Literal["sync", "async", "trio", "check"]
CLIENTS: tuple[Mode, ...] = ("sync", "async", "trio") if find_spec("trio") else ("sync", "async")
"""The clients of httpx."""
MODES: tuple[Mode, ...] = (*CLIENTS, "check")
"""These, and one request on a connection of its own, as a check sends it."""
SHORT: dict[str, dict[str, float]] = {
    "tcp_timeout": {"connect_s": 1.0},
    "tls_timeout": {"connect_s": 1.0},
    "http_timeout": {"read_s": 0.6},
    "http_deadline": {"total_s": 2.0},
}
"""Fault → the limit that brings it soon."""
HASTY: dict[str, float] = {"connect_s": 2.0, "read_s": 1.0, "write_s": 2.0, "pool_s": 2.0, "total_s": 3.0}
"""All limits short, for requests that fail in whatever way."""
EMPTY: Mapping[str, str] = MappingProxyType({})
BUSY_S = 10.0
"""A busy machine may take that much longer than a limit says."""


class Key(Credential):
    """An API key in a header."""

    def __init__(self, *lines: tuple[bytes, bytes]) -> None:
        given = lines or ((b"api_key", API_KEY.encode()),)
        self._lines = HeaderLines(*((name.decode(), Secret(value.decode())) for name, value in given))

    def headers(self) -> HeaderLines:
        return self._lines


class InQuery(Credential):
    """An API key in the query, renewed by another where there is one."""

    is_renewable = False

    def __init__(self, value: str = API_KEY, *, renewed: str = "", name: str = "api_key") -> None:
        self._lines = HeaderLines(parameters=[(name, Secret(value))])
        self._renewed = HeaderLines(parameters=[(name, Secret(renewed))])
        self.is_renewable = bool(renewed)

    def headers(self) -> HeaderLines:
        return self._lines

    def renew(self, refused: HeaderLines = NO_LINES) -> HeaderLines:
        assert refused == self._lines
        self._lines = self._renewed
        return self._lines


def authorization(value: str) -> HeaderLines:
    """Return the line of that name."""
    return HeaderLines(("Authorization", Secret(value)))


class Notes:
    """An observer that takes notes."""

    def __init__(self) -> None:
        self.stages: dict[str, Mapping[str, object]] = {}

    def stage(self, stage: Stage, elapsed_s: float, facts: Mapping[str, object]) -> None:
        assert elapsed_s >= 0
        self.stages[stage.value] = facts


@dataclass
class Ended:
    """How an exchange ended."""

    elapsed_s: float
    notes: Notes
    response: httpx.Response | None = None
    error: Exception | None = None

    @property
    def fault(self) -> str:
        """The class of the failure."""
        assert isinstance(self.error, ConnectionFailed), repr(self.error)
        return self.error.fault.name


def settings_for(server: Server, **changes: Any) -> ClientSettings:
    """Return settings of a connection whose host is `server`; no machine is so busy that it reaches their limits."""
    settings = ClientSettings(
        base_url=f"https://{HOST}",
        credential=Key(),
        connect_s=20.0,
        read_s=20.0,
        write_s=20.0,
        pool_s=20.0,
        total_s=30.0,
        attempts=1,
        network=server.network,
    )
    return settings._replace(**changes)


@contextmanager
def asking(client: httpx.Client | httpx.AsyncClient) -> Iterator[Callable[[], int]]:
    """Yield what sends a request with a client and returns the status; close the client with the block."""
    if isinstance(client, httpx.Client):
        with client:
            yield lambda: client.get("/x").status_code
    else:
        with asyncio.Runner() as runner:
            yield lambda: runner.run(client.get("/x")).status_code
            runner.run(client.aclose())


def exchange(mode: Mode, settings: ClientSettings, url: str = "/", method: str = "GET", **arguments: Any) -> Ended:
    """Make one request with a client of its own, and read the whole answer."""
    notes = Notes()
    started_at = time.monotonic()
    response, error = None, None
    try:
        if mode == "sync":
            with sync_client(settings, notes) as client:
                response = client.request(method, url, **arguments)
        elif mode == "check":
            response = _send_once(settings, notes, method, url, **arguments)
        else:
            backend = "trio" if mode == "trio" else "asyncio"
            response = anyio.run(_exchange_async, settings, notes, method, url, arguments, backend=backend)
    except Exception as raised:  # noqa: BLE001  (looked at by the test)
        error = raised
    return Ended(time.monotonic() - started_at, notes, response, error)


def _send_once(
    settings: ClientSettings, notes: Notes, method: str, url: str, content: bytes = b"", headers: Any = EMPTY
) -> httpx.Response:
    settings = settings._replace(headers={**settings.headers, **headers})
    request = httpx.Request(method, settings.base_url + url)
    try:
        wire = plain_request(settings, method, url)
        others = [line for line in wire.headers if line[0] != b"Content-Length"]
        wire = wire._replace(headers=[*others, (b"Content-Length", b"%d" % len(content))], content=content)
        answer = result_of(send_once(settings, notes, wire, settings.max_body_bytes))
        if answer.body is None:
            raise RequestFailed("http_too_large", "as a check says it")
    except httpx.RequestError as error:
        error.request = request  # as httpx does
        raise
    response = httpx.Response(
        answer.status, headers=answer.headers, stream=httpx.ByteStream(answer.body), request=request
    )
    response.read()
    return response


async def _exchange_async(
    settings: ClientSettings, notes: Notes, method: str, url: str, arguments: dict[str, Any]
) -> httpx.Response:
    async with async_client(settings, notes) as client:
        return await client.request(method, url, **arguments)
