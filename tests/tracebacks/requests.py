"""Turns every way in which a request can fail into the exception that its caller gets, for each auth method and way to wait."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import trio

from connform.auth import METHODS
from connform.auth.interface import AuthInputs
from connform.auth.oauth.server import AuthorizationServer
from connform.database.memory import MemoryStore, MemoryTokens
from connform.http import REAL, ClientSettings, async_client, sync_client
from connform.http.credential import Credential
from connform.secret import Secret
from tests.canary import API_KEY, AWKWARD
from tests.http import servers
from tests.http.exchanging import HASTY, InQuery, settings_for
from tests.http.servers import Authority, Server, answer, head, only_tls_1_1, raw, redirect
from tests.http.test_proxy import tunnel_to
from tests.http.test_stages import BELOW_TLS, REPLIES
from tests.oauth.setting import LONG_AGO, TOKEN_URL, grant
from tests.ports import silent_port

SECRETS = {"api_key": "api_key", "bearer": "token", "oauth2": "client_secret", "query": ""}
"""Auth methods, each with the key of its secret; `query` is a credential of no method of its own."""
DAY = timedelta(days=1)
MODES = ("sync", "asyncio", "trio")


class Request(NamedTuple):
    """One request that fails."""

    settings: ClientSettings
    arguments: Mapping[str, Any] = {}
    times: int = 1
    """How often it is sent: the last one fails."""


def credential(method: str, client: ClientSettings) -> Credential:
    """Return the credential of an auth method that needs no renewal; everything secret of it is a canary."""
    if method == "query":
        return InQuery()
    store = MemoryStore()
    store.grants["customer"] = grant(obtained_at=LONG_AGO, expires_at=None)._replace(access_token=Secret(API_KEY))
    secret = {SECRETS[method]: Secret(API_KEY if method != "oauth2" else AWKWARD)}
    given = AuthInputs(
        "customer", {"client_id": "acme"}, secret, "X-Api-Key", AuthorizationServer(token_url=TOKEN_URL), lambda: store, MemoryTokens, client
    )  # fmt: skip
    return METHODS[method].credential(given)


def body_that_fails() -> Iterator[bytes]:
    yield b"x"
    raise KeyError


async def body_that_fails_async() -> AsyncIterator[bytes]:
    for piece in body_that_fails():
        yield piece


def failing(stack: ExitStack, authority: Authority, folder: Path) -> dict[str, Request]:
    """Return requests that fail by their names; their servers live as long as the stack."""

    def server(behaviour: servers.Behaviour, tls: Any = None, **arguments: Any) -> Server:
        return stack.enter_context(Server(behaviour, tls=tls, ca_pem=authority.pem, **arguments))

    def at(behaviour: servers.Behaviour, tls: Any = None, **changes: Any) -> ClientSettings:
        limits = {**HASTY, **changes}
        return settings_for(server(behaviour, tls or authority.server()), max_body_bytes=1_000_000, **limits)

    def answered(status: int, *headers: str, body: bytes = b"<html>") -> Request:
        return Request(at(answer(body, *headers, status=status)))

    with Server(answer()) as closed:
        refused = settings_for(closed)
    ca_file = folder / "ca.pem"
    ca_file.write_bytes(authority.pem)
    target = server(raw(b"junk\r\n"), authority.server())
    userinfo = f"user:{API_KEY}@"

    def through(scheme: str, behaviour: servers.Behaviour) -> Request:
        proxy = server(behaviour, authority.server("localhost") if scheme == "https" else None)
        url = f"{scheme}://{userinfo}localhost:{proxy.port}"
        return Request(settings_for(proxy, network=REAL, proxy=Secret(url), ca_file=ca_file, **HASTY))

    return {
        "no such host": Request(ClientSettings("https://nowhere.invalid", connect_s=1, attempts=1)),
        "port closed": Request(refused),
        "packets dropped": Request(
            ClientSettings(f"https://127.0.0.1:{stack.enter_context(silent_port())}", connect_s=0.4, attempts=1)
        ),
        "certificate expired": Request(at(answer(), authority.server(starts_in=-9 * DAY, ends_in=-DAY))),
        "certificate not yet valid": Request(at(answer(), authority.server(starts_in=DAY, ends_in=9 * DAY))),
        "certificate of another host": Request(at(answer(), authority.server("other.example.test"))),
        "certificate of a stranger": Request(at(answer(), Authority("stranger").server())),
        "TLS 1.1": Request(at(answer(), only_tls_1_1(authority.server()))),
        "client certificate demanded": Request(at(answer(), authority.trust(authority.server()))),
        **{f"in the handshake: {name}": Request(settings_for(server(case[0]), **HASTY)) for name, case in BELOW_TLS.items()},
        **{f"reply: {name}": Request(at(case[0])) for name, case in REPLIES.items()},
        **{f"{status}": answered(status) for status in (401, 403, 404, 429, 500, 502, 503, 504)},
        "200 with a page": answered(200),
        "repeated until the end": Request(at(servers.reset, attempts=2, total_s=5.0)),
        "rate limited": Request(
            at(answer(b"", "Retry-After: 600", status=429), authority.server("limited.example.test"), attempts=2, base_url="https://limited.example.test"), times=2
        ),
        "redirected to another host": Request(
            at(redirect("https://sink.example.test/")), {"follow_redirects": True, "url": "/here"}
        ),
        "sent to another host": Request(at(answer()), {"url": "https://sink.example.test/"}),
        "an illegal header": Request(at(answer()), {"headers": {"X-Mine": "a\r\nb"}}),
        "a body of another length": Request(at(answer()), {"content": b"four", "headers": {"Content-Length": "9"}}),
        "a body that fails": Request(at(answer(), connect_s=30, read_s=30, total_s=30), {"content": body_that_fails}),
        "a file that is missing": Request(at(answer(), ca_file=folder / "nothing.pem", network=REAL)),
        **{f"{scheme} proxy refuses": through(scheme, raw(head(407))) for scheme in ("http", "https")},
        **{f"{scheme} proxy is silent": through(scheme, servers.silent) for scheme in ("http", "https")},
        **{f"junk through an {scheme} proxy": through(scheme, tunnel_to(target)) for scheme in ("http", "https")},
    }  # fmt: skip


def errors_of(
    requests: Mapping[str, Request], methods: Callable[[int, str], tuple[str, ...]]
) -> dict[str, BaseException]:
    """Return what each request raises, in all modes, with the methods that `methods` chooses by its number and mode."""
    jobs: dict[str, list[tuple[str, Request]]] = {mode: [] for mode in MODES}
    for number, (name, request) in enumerate(requests.items()):
        for mode in MODES:
            for method in methods(number, mode):
                given = request._replace(
                    settings=request.settings._replace(credential=credential(method, request.settings))
                )
                jobs[mode].append((f"{name}, {method}, {mode}", given))

    with ThreadPoolExecutor(16) as pool:
        errors = dict(pool.map(_failed, jobs["sync"]))

    async def ask(job: tuple[str, Request]) -> None:
        errors[job[0]] = await _failed_async(job)

    async def with_asyncio() -> None:
        await asyncio.gather(*map(ask, jobs["asyncio"]))

    async def with_trio() -> None:
        async with trio.open_nursery() as nursery:
            for job in jobs["trio"]:
                nursery.start_soon(ask, job)

    asyncio.run(with_asyncio())
    trio.run(with_trio)
    return errors


def _failed(job: tuple[str, Request]) -> tuple[str, BaseException]:
    name, request = job
    try:
        with sync_client(request.settings) as client:
            arguments = [_arguments(request, body_that_fails) for _ in range(request.times)]
            *_, last = [client.request("POST", **one) for one in arguments]
            last.raise_for_status().json()
    except Exception as error:  # noqa: BLE001  (looked at by the test)
        return name, error
    raise AssertionError(name)


async def _failed_async(job: tuple[str, Request]) -> BaseException:
    name, request = job
    try:
        async with async_client(request.settings) as client:
            arguments = [_arguments(request, body_that_fails_async) for _ in range(request.times)]
            *_, last = [await client.request("POST", **one) for one in arguments]
            last.raise_for_status().json()
    except Exception as error:  # noqa: BLE001  (looked at by the test)
        return error
    raise AssertionError(name)


def _arguments(request: Request, body: Callable[[], Any]) -> dict[str, Any]:
    arguments = {"url": "/x", **request.arguments}
    if callable(arguments.get("content")):
        arguments["content"] = body()
    return arguments
