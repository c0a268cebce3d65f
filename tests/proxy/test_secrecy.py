"""A program under `exec --proxy` has no credential: not in its environment, its arguments, its memory or its traffic."""

from __future__ import annotations

import base64
import ctypes
import os
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.canary import API_KEY, assert_no_canary
from tests.conftest import Plant, require_peer
from tests.end_to_end.running import COMMAND, KEY, environment
from tests.proxy.conftest import Setting
from tests.proxy.programs import node
from tests.proxy.raw import ask, everything, request
from tests.proxy.running import NAME, WITHOUT_CANARY, execute, running_proxy
from tests.repetitions import repeated

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
REFERENCES = {
    "a variable": ("env://ACME_KEY", KEY, ""),
    "a file": ("file://key", {}, "{}"),
    "a dotenv file": ("dotenv://key#KEY", {}, "KEY={}\n"),
}


@contextmanager
def waiting(setting: Setting, env: dict[str, str]) -> Iterator[int]:
    """Yield the process id of a program that has used its connection, and waits."""
    with subprocess.Popen(
        [*WITHOUT_CANARY, COMMAND, "exec", "--proxy", NAME, "--", *node("wait", 0)],
        cwd=setting.folder,
        env=environment(env),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline())
        process.communicate(timeout=60)
    assert process.returncode == 0


def memory(pid: int) -> Iterator[tuple[str, bytes]]:
    """Yield what a process has written to its memory: each region's name and content, without what it maps of files."""
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in maps:
            span, permissions, _, _, inode, *name = line.split(maxsplit=5)
            if not permissions.startswith("rw") and (inode != "0" or not permissions.startswith("r")):
                continue
            start, end = (int(edge, 16) for edge in span.split("-"))
            for at in range(start, end, 1 << 22):
                with suppress(OSError, ValueError):  # not readable: a guard page, a device
                    content = os.pread(memory.fileno(), min(1 << 22, end - at), at)
                    if content.count(0) != len(content):
                        yield "".join(name).strip() or span, content


@pytest.mark.parametrize("kind", repeated(["a variable"], list(REFERENCES)))
def test_a_program_has_no_credential_in_its_process(setting: Setting, plant: Plant, kind: str) -> None:
    reference, env, content = REFERENCES[kind]
    setting.declare(auth={"method": "bearer", "token": reference})
    key = setting.folder / "key"
    key.write_text(content.format(API_KEY))
    key.chmod(0o600)
    try:
        with waiting(setting, env) as pid:
            process = Path(f"/proc/{pid}")
            variables = (process / "environ").read_bytes()
            assert_no_canary(variables, where="the program's environment")
            assert_no_canary((process / "cmdline").read_bytes(), where="the program's arguments")
            assert b"\0SHOP_BASE_URL=http://127.0.0.1:" in b"\0" + variables
            searched = 0
            for name, region in memory(pid):
                assert_no_canary(region, where=f"the program's memory, {name}")
                searched += len(region)
            assert searched > 1 << 20
    finally:
        key.unlink()
        setting.declare()


@contextmanager
def recorded(port: int) -> Iterator[bytearray]:
    """Yield the bytes of all frames from and to a port of loopback, as they go past."""
    try:
        sniffer = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0003))
    except PermissionError:
        pytest.skip("only root sees the frames of loopback")
    frames, ended = bytearray(), threading.Event()

    def record() -> None:
        while True:
            try:
                frames.extend(sniffer.recv(1 << 17)[_HEADERS:])
            except TimeoutError:
                if ended.is_set():
                    return

    with sniffer:
        sniffer.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, _only(port))
        sniffer.bind(("lo", 0))
        sniffer.settimeout(0.1)
        thread = threading.Thread(target=record)
        thread.start()
        yield frames
        ended.set()
        thread.join()


_HEADERS = 14 + 20 + 20
"""Bytes of Ethernet, IPv4 and TCP before the data."""
_SO_ATTACH_FILTER = 26


def _only(port: int) -> bytes:
    """Return the filter for frames whose source or destination is a port (bpf(4)), so that no other traffic fills the buffer."""
    load, equal, end = 0x28, 0x15, 0x06
    program = (
        (load, 0, 0, 34),
        (equal, 2, 0, port),
        (load, 0, 0, 36),
        (equal, 0, 1, port),
        (end, 0, 0, 1 << 17),
        (end, 0, 0, 0),
    )
    code = b"".join(struct.pack("HBBI", *instruction) for instruction in program)
    _FILTERS.append(ctypes.create_string_buffer(code))
    return struct.pack("HP", len(program), ctypes.addressof(_FILTERS[-1]))


_FILTERS: list[ctypes.Array[ctypes.c_char]] = []
"""What the kernel reads must not be freed before."""


def test_no_credential_is_in_what_goes_between_a_program_and_the_proxy(setting: Setting) -> None:
    with running_proxy(setting.folder) as proxy, recorded(proxy.port) as frames:
        for path in (
            "/packages/7",
            "/echo",
            "/bytes/1000",
            "/../x",
            "/answer/401?headers=[]",
            "/answer/500?headers=[]",
        ):
            ask(proxy.port, request(f"{proxy.path}{path}", proxy.host))
        ask(proxy.port, request("/wrong", proxy.host))
        everything(proxy.port, b"nonsense\r\n\r\n")
        setting.upstream.good, good = "Bearer another", setting.upstream.good
        refused = ask(proxy.port, request(f"{proxy.path}/packages/7", proxy.host))
        setting.upstream.good = good
    assert refused is not None
    assert refused.status == 401
    assert b"nonsense" in frames
    assert b'{"id": 1' in frames
    assert_no_canary(bytes(frames), where="the traffic")


def test_a_failure_to_reach_the_api_is_told_without_secrets(setting: Setting, plant: Plant) -> None:
    setting.declare(base_url="https://127.0.0.1:1/api/v1", timeouts={"total_s": 5})
    try:
        with running_proxy(setting.folder) as proxy:
            found = ask(proxy.port, request(f"{proxy.path}/packages/7", proxy.host))
    finally:
        setting.declare()
    assert found is not None
    assert found.status in {502, 504}
    assert_no_canary(found.body)


def test_variables_of_references_do_not_reach_the_program(setting: Setting) -> None:
    state_key = {"CONNFORM_STATE_KEY": "env://STATE_KEY", "STATE_KEY": API_KEY}
    copies = {
        "COPY": f"Bearer {API_KEY}",
        "BASIC": base64.b64encode(f"user:{API_KEY}".encode()).decode(),
    }
    done = execute(setting.folder, ["env"], "--no-masking", env={**KEY, **state_key, **copies, "OTHER": "kept"})
    assert done.code == 0, done.err
    variables = dict(line.split("=", 1) for line in done.out.splitlines())
    assert variables["OTHER"] == "kept"
    assert variables["SHOP_TOKEN"] == "connform-proxy"
    assert not {"ACME_KEY", "STATE_KEY", *copies} & set(variables)


def test_a_program_can_not_read_the_memory_of_the_proxy(setting: Setting) -> None:
    """As the same user, without the capabilities of root."""
    without = [require_peer("setpriv"), "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []
    script = "cat /proc/$PPID/environ /proc/$PPID/maps; head -c 1 /proc/$PPID/mem; tr '\\0' ' ' < /proc/$PPID/cmdline"
    done = execute(setting.folder, [*without, "sh", "-c", script])
    assert done.err.count("Permission denied") == 3
    assert " exec --proxy shop " in done.out
