"""Names are looked up in threads that nobody has to wait for."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import anyio
import pytest

from connform.http import RequestFailed
from connform.http.net import resolver
from connform.http.net.multiplex import run_many_here
from connform.http.net.resolver import Endpoint, endpoints_without_lookup
from connform.http.net.steps import BLOCK, WAIT, run, run_async
from connform.process_local import ProcessLocal
from tests.conftest import require_library

PROGRAM = """
    import asyncio, json, sys, time
    from connform.http import ClientSettings, RequestFailed, async_client, sync_client
    from connform.http.net import resolver
    settings = ClientSettings(sys.argv[2], connect_s=float(sys.argv[3]), total_s=5, attempts=1)

    def sync():
        with sync_client(settings) as client:
            client.get("/")

    async def one():
        async with async_client(settings) as client:
            await client.get("/")

    async def many():
        return await asyncio.gather(*(one() for _ in range(40)), return_exceptions=True)

    started_at = time.monotonic()
    fault = ""
    try:
        if sys.argv[1] == "sync":
            sync()
        else:
            faults = {error.fault.name for error in asyncio.run(many())}
            fault = ",".join(sorted(faults))
    except RequestFailed as error:
        fault = error.fault.name
    print(json.dumps({"fault": fault, "elapsed_s": time.monotonic() - started_at}))
"""


def look_up(host: str, timeout_s: float) -> list[Endpoint]:
    return run(resolver.look_up(host, 443, timeout_s), BLOCK)


async def look_up_async(host: str, timeout_s: float) -> list[Endpoint]:
    return await run_async(resolver.look_up(host, 443, timeout_s), WAIT)


def in_namespace(
    tmp_path: Path, nameserver: str, *arguments: str, flags: tuple[str, ...] = ("--mount",)
) -> dict[str, object]:
    """Run `PROGRAM` with a resolver of our own; a mock would not show that getaddrinfo blocks."""
    unshare = shutil.which("unshare")
    if unshare is None or subprocess.run([unshare, *flags, "true"], check=False, capture_output=True).returncode:
        pytest.skip("needs the right to make a namespace (`unshare`, root)")
    configuration = tmp_path / "resolv.conf"
    configuration.write_text(f"nameserver {nameserver}\noptions timeout:5 attempts:2\n")
    script = f'mount --bind {configuration} /etc/resolv.conf && exec "$@"'
    ran = subprocess.run(
        [unshare, *flags, "sh", "-c", script, "sh", sys.executable, "-c", textwrap.dedent(PROGRAM), *arguments],
        env={"PYTHONPATH": os.pathsep.join(sys.path), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    if "mount:" in ran.stderr:
        pytest.skip("needs the right to mount")
    assert not ran.stderr
    result: dict[str, object] = json.loads(ran.stdout)
    return result


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_silent_resolver(tmp_path: Path, mode: str) -> None:
    """It ends in time, 40 at once as well as one, and the process does not wait for its threads (its time-out is 20 s)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        try:
            silent.bind(("127.0.0.53", 53))
        except OSError as error:
            pytest.skip(f"needs port 53: {error}")
        ended = in_namespace(tmp_path, "127.0.0.53", mode, "https://api.example.test", "0.5")

    assert ended["fault"] == "dns_timeout"
    assert isinstance(ended["elapsed_s"], float)
    assert ended["elapsed_s"] < 2


def test_no_network_at_all(tmp_path: Path) -> None:
    namespaces = ("--mount", "--net")

    assert (
        in_namespace(tmp_path, "127.0.0.53", "sync", "https://192.0.2.1", "1", flags=namespaces)["fault"]
        == "tcp_unreachable"
    )
    assert (
        in_namespace(tmp_path, "127.0.0.53", "async", "https://192.0.2.1", "1", flags=namespaces)["fault"]
        == "tcp_unreachable"
    )
    assert (
        in_namespace(tmp_path, "192.0.2.1", "sync", "https://api.example.test", "3", flags=namespaces)["fault"]
        == "dns_timeout"
    )


@pytest.mark.parametrize(
    ("code", "fault"),
    [(socket.EAI_NONAME, "dns_no_such_host"), (socket.EAI_AGAIN, "dns_timeout"), (socket.EAI_FAIL, "dns_timeout")],
)
def test_what_the_resolver_says(monkeypatch: pytest.MonkeyPatch, code: int, fault: str) -> None:
    def getaddrinfo(*arguments: object, **options: object) -> object:
        raise socket.gaierror(code, "the resolver's words")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)

    with pytest.raises(RequestFailed) as raised:
        look_up("api.example.test", 1)
    assert raised.value.fault.name == fault
    with pytest.raises(RequestFailed) as raised:
        anyio.run(look_up_async, "api.example.test", 1)
    assert raised.value.fault.name == fault


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_addresses_come_in_the_resolvers_order(monkeypatch: pytest.MonkeyPatch, backend: str) -> None:
    if backend == "trio":
        require_library("trio")
    found = [
        (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("2001:db8::1", 443, 0, 0)),
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", 443)),
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_arguments, **_options: found)

    expected = ["[2001:db8::1]:443", "192.0.2.1:443"]
    assert [str(endpoint) for endpoint in look_up("api.example.test", 1)] == expected
    assert [str(e) for e in anyio.run(look_up_async, "api.example.test", 1, backend=backend)] == expected


def test_literals_need_no_lookup() -> None:
    assert endpoints_without_lookup("192.0.2.1", 443) == [Endpoint(socket.AF_INET, ("192.0.2.1", 443))]
    assert endpoints_without_lookup("2001:db8::1", 443) == [Endpoint(socket.AF_INET6, ("2001:db8::1", 443, 0, 0))]
    assert [endpoint.address[0] for endpoint in endpoints_without_lookup("localhost", 1)] == ["127.0.0.1", "::1"]
    assert endpoints_without_lookup("api.example.test", 443) == []


def test_names_are_looked_up_where_the_system_starts_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    def start_none(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_arguments, **_options: found)
    monkeypatch.setattr(threading.Thread, "start", start_none)
    rounds = run_many_here(lambda host: resolver.look_up(host, 443, 1), ["a.example.test", "b.example.test"], 2)
    assert [name for ended in rounds for name, _ in ended] == ["a.example.test", "b.example.test"]


def test_slots_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Abandoned look-ups hold no slot, and finished ones give theirs back."""
    import time

    stuck = threading.Event()
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", 443))]

    def getaddrinfo(host: bytes, *_arguments: object, **_options: object) -> object:
        if host.startswith(b"stuck"):
            stuck.wait(10)
        return found

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(resolver, "_THREADS", ProcessLocal(lambda: resolver._LookupThreads(2)))
    for number in range(5):
        with pytest.raises(RequestFailed):
            look_up(f"stuck{number}.example.test", 0.05)
    assert look_up("quick.example.test", 1)
    stuck.set()
    for _ in range(100):
        if resolver._THREADS.own._free == 2:
            break
        time.sleep(0.02)
    assert resolver._THREADS.own._free == 2
    assert look_up("quick.example.test", 1)
