"""The key reaches the connection's own server and nothing else: no other origin, no output, no file, no exception.

The conftest searches what a process prints, what a test logs and what lies in its folders; the tests below do the rest.
"""

from __future__ import annotations

import pickle
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

import connform
from tests.canary import API_KEY, AWKWARD, assert_no_canary
from tests.conftest import Plant
from tests.end_to_end.conftest import PACKAGES, Servers
from tests.end_to_end.plugins import install
from tests.end_to_end.running import KEY, KEY_VARIABLE, complete, manifest, run
from tests.http import servers as raw_servers
from tests.http.servers import Behaviour, Server, answer, head, raw

LINE = b"api_key: " + API_KEY.encode()
LIST: dict[str, Any] = {"url": "/packages/list", "json": {"take": 1, "skip": 0}}


@pytest.fixture
def acme(servers: Servers) -> Server:
    """The connection's own server."""
    return servers.iinked_sign()


@pytest.fixture
def declare(tmp_path: Path, ca_file: Path) -> Callable[..., Path]:
    """Write the manifest of a connection `acme` to a server."""

    def write(server: Server, **settings: Any) -> Path:
        file = tmp_path / "connections.yaml"
        base_url = f"https://localhost:{server.port}/api/v1"
        timeouts = {"read_s": 1.0, "total_s": 2.0}
        tls = {"ca_file": str(ca_file)}
        file.write_text(manifest(acme={"base_url": base_url, "tls": tls, "timeouts": timeouts, **settings}))
        return file

    return write


# Outputs

COMMANDS = {
    "validate": ["validate", "-vv"],
    "list": ["list", "-vv"],
    "show": ["show", "acme", "--origin", "-vv"],
    "check": ["check", "-vv"],
    "apply": ["apply", "--yes", "-vv"],
}


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("verb", COMMANDS)
def test_no_command_shows_the_key(
    verb: str, form: str, acme: Server, declare: Callable[..., Path], tmp_path: Path
) -> None:
    copy = f"{form}={tmp_path / 'report'}"
    command: list[str | Path] = [
        *COMMANDS[verb],
        "-f",
        declare(acme),
        "--format",
        form,
        *(["--format", copy] if form == "json" else []),
    ]
    ended = run(*command, cwd=tmp_path, env=KEY | {"HOME": str(tmp_path)})
    assert ended.code == 0, ended
    assert ended.out
    assert ended.err == ""
    assert [LINE in request for request in acme.requests] == ([True] if verb in {"check", "apply"} else [])


def test_a_request_shows_the_answer_and_not_the_key(acme: Server, declare: Callable[..., Path], tmp_path: Path) -> None:
    command: list[str | Path] = [
        "request",
        "acme",
        "POST",
        "/packages/list",
        "--json",
        "{}",
        "-vv",
        "--include",
        "-f",
        declare(acme),
    ]
    ended = run(*command, cwd=tmp_path, env=KEY)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("HTTP 200\n")
    assert ended.out.endswith(PACKAGES.decode())
    assert LINE in acme.requests[0]


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("verb", COMMANDS)
def test_a_key_that_was_pasted_into_the_manifest_is_reported_and_not_shown(
    verb: str, form: str, plant: Plant, tmp_path: Path
) -> None:
    pasted = (API_KEY, f"env://{API_KEY}@host", f"https://user:{API_KEY}@host", f"{KEY_VARIABLE}={API_KEY}")
    connections = {
        f"acme-{number}": {"base_url": "https://localhost:1", "auth": {"method": "api_key", "api_key": value}}
        for number, value in enumerate(pasted)
    }
    file = plant("connections.yaml", manifest(**connections))
    ended = run(*COMMANDS[verb], "-f", file, "--format", form, cwd=tmp_path, env=KEY)
    assert ended.code == 1
    assert all(f"acme-{number}" in ended.out for number in range(len(pasted)))


def echoing(kind: str) -> Behaviour:
    body = f'{{"error": "user_not_authorized", "message": "the key {API_KEY} is unknown"}}'.encode()
    lines = {
        "in the error's message": raw(head(403, [f"Content-Length: {len(body)}"]) + body),
        "as the error's code": raw(head(403) + b'{"error": "%s"}' % API_KEY.encode()),
        "in a redirect": raw(head(302, [f"Location: https://{API_KEY}@other.example/{API_KEY}?key={API_KEY}"])),
        "as Retry-After": raw(head(429, [f"Retry-After: {API_KEY}", "Content-Length: 0"])),
        "in the reason": raw(f"HTTP/1.1 500 {API_KEY}\r\nContent-Length: 0\r\n\r\n".encode()),
        "in place of HTTP": raw(API_KEY.encode() + b"\r\n\r\n"),
        "in a broken header": raw(b"HTTP/1.1 200 OK\r\n" + API_KEY.encode() + b"\r\n\r\n"),
        "in a page": raw(head(200) + b"<html>" + API_KEY.encode()),
        "as a content coding": raw(head(200, [f"Content-Encoding: gzip, {API_KEY}"]) + b"x"),
    }
    return lines[kind]


ECHOES = (
    "in the error's message",
    "as the error's code",
    "in a redirect",
    "as Retry-After",
    "in the reason",
    "in place of HTTP",
    "in a broken header",
    "in a page",
    "as a content coding",
)


def test_what_a_server_says_of_the_key_is_not_repeated(
    servers: Servers, declare: Callable[..., Path], tmp_path: Path, ca_file: Path
) -> None:
    """Some servers quote the key that they refuse; a check names their answer and not its text."""
    file = declare(servers.iinked_sign())
    connections = {
        f"echo-{number}": {
            "base_url": f"https://localhost:{servers.tls(echoing(kind)).port}",
            "tls": {"ca_file": str(ca_file)},
        }
        for number, kind in enumerate(ECHOES)
    }
    file.write_text(manifest(**connections))
    text = run("check", "-vv", "--debug", "-f", file, cwd=tmp_path, env=KEY)
    ended = run("check", "-vv", "-f", file, "--format", "json", cwd=tmp_path, env=KEY)
    assert (text.code, ended.code) == (1, 1)
    assert "redirects to" in text.err
    assert all(name in text.out and name in ended.out for name in connections)
    assert {connection["verdict"] for connection in ended.connections.values()} <= {"failed", "unknown"}


MALFORMED = {
    "newline": f"{API_KEY}\nX-Injected: 1",
    "space": f"{API_KEY} {API_KEY}",
    "not ASCII": f"{API_KEY}é",
    "control character": f"{API_KEY}\x1b[31m",
    "not UTF-8": f"{API_KEY}\udcff",
}


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_key_that_is_no_header_is_not_quoted(
    form: str, acme: Server, declare: Callable[..., Path], tmp_path: Path
) -> None:
    file = declare(acme)
    base_url = f"https://localhost:{acme.port}"
    connections = {
        f"acme-{number}": {"base_url": base_url, "auth": {"method": "api_key", "api_key": f"env://KEY_{number}"}}
        for number in range(len(MALFORMED))
    }
    file.write_text(manifest(**connections))
    env = {f"KEY_{number}": value for number, value in enumerate(MALFORMED.values())}
    ended = run("check", "-vv", "-f", file, "--format", form, cwd=tmp_path, env=env)
    assert ended.code == 5
    assert ended.out.count("secret_malformed") >= len(MALFORMED)
    assert acme.connections == 0


# An error in a plug-in

RAISING = """
import os
from connform.plugin import CheckRequest, Instance, Judgement, Shape

class Leak(Exception):
    def __init__(self):
        self.value = os.environ["ACME_KEY"]
        super().__init__("the key is " + self.value)
        self.add_note(self.value)

def leak():
    try:
        raise Leak
    except Leak as cause:
        raise RuntimeError(os.environ["ACME_KEY"]) from cause

class Provider:
    shape = Shape(properties={"environment": {"enum": ["sandbox"]}, "base_url": {"type": "string"}})
    def rules(self, connection):
        return ()
    def instance(self, connection):
        return Instance(connection.settings["base_url"], "api_key")
    def check_request(self, connection):
        if "check_request" in connection.tags:
            leak()
        return CheckRequest("GET", "/")
    def judge(self, connection, answer):
        if "judge" in connection.tags:
            leak()
        return Judgement()

class Backend:
    form = "leaky://name"
    store_shape = Shape()
    def lint(self, reference, settings):
        return ""
    def open(self, place):
        return self
    batch_size = 1
    def read(self, references):
        leak()
    def close(self):
        pass

PROVIDER, BACKEND = Provider(), Backend()
"""
POINTS = {
    "connform.providers": "leaky = acme_plugin:PROVIDER",
    "connform.secrets": "leaky = acme_plugin:BACKEND",
}


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("place", ["judge", "check_request", "read"])
def test_a_bug_shows_where_it_happened_and_not_the_message(
    place: str, form: str, servers: Servers, tmp_path: Path, ca_file: Path
) -> None:
    server = servers.iinked_sign()
    api_key = "leaky://x" if place == "read" else f"env://{KEY_VARIABLE}"
    connection = {
        "provider": "leaky",
        "environment": "sandbox",
        "base_url": f"https://localhost:{server.port}",
        "tls": {"ca_file": str(ca_file)},
        "tags": [place],
        "auth": {"method": "api_key", "api_key": api_key},
    }
    file = tmp_path / "connections.yaml"
    file.write_text(manifest(leaky=connection, other=connection | {"tags": []}))
    env = install(tmp_path / "plugin", RAISING, POINTS) | KEY
    ended = run("check", "-vv", "-f", file, "--format", form, cwd=tmp_path, env=env)
    assert (ended.code, ended.err) == (70, "")
    assert "a bug of the plug-in acme_plugin:" in ended.out
    assert "RuntimeError in `" in ended.out
    assert "acme_plugin.py:" in ended.out


# Other origins


@pytest.fixture
def sinks(servers: Servers) -> dict[str, Server]:
    """Servers to which nothing must come."""
    return {"tls": servers.iinked_sign(), "plain": servers.plain(answer(PACKAGES))}


@pytest.fixture
def key_in_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_VARIABLE, API_KEY)


ELSEWHERE = {
    "another port": ("https://localhost:{sink}/api/v1", 7),
    "the same host by its address": ("https://127.0.0.1:{port}/api/v1", 7),
    "plain http": ("http://localhost:{plain}/", 7),
    "plain http on the same port": ("http://localhost:{port}/api/v1", 7),
    "a user in front": ("https://localhost:{port}@127.0.0.1:{sink}/", 7),
    "another host": ("https://localhost.evil.example:{port}/", 7),
    "another scheme": ("ftp://localhost/", 7),
    "no URL": ("https://localhost:{port}.evil.example/", 64),
}


@pytest.mark.usefixtures("key_in_environment")
@pytest.mark.parametrize("where", ELSEWHERE)
def test_an_absolute_url_elsewhere_is_refused_before_anything_is_sent(
    where: str, acme: Server, sinks: dict[str, Server], declare: Callable[..., Path], tmp_path: Path
) -> None:
    form, code = ELSEWHERE[where]
    url = form.format(port=acme.port, sink=sinks["tls"].port, plain=sinks["plain"].port)
    file = declare(acme)
    ended = run("request", "acme", "GET", url, "-f", file, cwd=tmp_path, env=KEY)
    assert (ended.code, ended.out) == (code, ""), ended.err
    with connform.connect("acme", file) as client, pytest.raises((connform.Refused, httpx.InvalidURL)):
        client.get(url)
    assert [sink.connections for sink in sinks.values()] == [0, 0]
    assert acme.connections == 0


NO_REQUESTS = {
    "method": ["GE T", "/x"],
    "path": ["GET", "/\x07"],
    "header's name": ["GET", "/x", "-H", "A B: c"],
    "header's value": ["GET", "/x", "-H", "A: \u00e9"],
}


@pytest.mark.parametrize("part", NO_REQUESTS)
def test_what_is_no_request_is_a_usage_error(
    part: str, acme: Server, declare: Callable[..., Path], tmp_path: Path
) -> None:
    ended = run("request", "acme", *NO_REQUESTS[part], "-f", declare(acme), cwd=tmp_path, env=KEY)
    assert (ended.code, ended.out) == (64, ""), ended.err
    assert not acme.requests


@pytest.mark.usefixtures("key_in_environment")
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_elsewhere_is_not_followed_even_on_request(
    status: int, servers: Servers, sinks: dict[str, Server], declare: Callable[..., Path]
) -> None:
    for sink, scheme in ((sinks["tls"], "https"), (sinks["plain"], "http")):
        origin = servers.tls(raw_servers.redirect(f"{scheme}://localhost:{sink.port}/there", status))
        with connform.connect("acme", declare(origin)) as client:
            assert client.post(**LIST).status_code == status
            with pytest.raises(connform.Refused):
                client.post(**LIST, follow_redirects=True)
        assert sink.connections == 0


@pytest.mark.parametrize("verb", ["check", "request"])
def test_variables_files_and_tools_of_the_user_do_not_interfere(
    verb: str, acme: Server, sinks: dict[str, Server], declare: Callable[..., Path], tmp_path: Path
) -> None:
    (tmp_path / ".netrc").write_text("default login somebody password else\n")
    proxy = f"http://localhost:{sinks['plain'].port}"
    proxies = {name: proxy for upper in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY") for name in (upper, upper.lower())}
    env = KEY | proxies | {"HOME": str(tmp_path), "SSLKEYLOGFILE": str(tmp_path / "keys.log")}
    before = sorted(tmp_path.iterdir())
    file = declare(acme)
    command = {"check": ["check"], "request": ["request", "acme", "POST", "/packages/list"]}[verb]
    assert run(*command, "-f", file, cwd=tmp_path, env=env).code == 0
    assert sinks["plain"].connections == 0
    assert b"authorization" not in acme.requests[0].lower()
    assert sorted(tmp_path.iterdir()) == sorted([*before, file]), "a file was written"


@pytest.mark.usefixtures("key_in_environment")
def test_a_proxy_on_request_sees_the_tunnel_and_not_the_key(
    acme: Server, servers: Servers, declare: Callable[..., Path], tmp_path: Path
) -> None:
    proxy = servers.plain(raw(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"))
    file = declare(acme, proxy="environment")
    env = KEY | {"HTTPS_PROXY": f"http://user:pass@localhost:{proxy.port}"}
    ended = run("check", "-f", file, "--format", "json", cwd=tmp_path, env=env)
    assert ended.connection["class"] == "proxy_refused"
    assert proxy.requests[0].startswith(b"CONNECT localhost:")
    assert_no_canary(*proxy.requests, where="what the proxy saw")
    assert acme.connections == 0


# What a program can look at


def looked_at(thing: object, depth: int = 6, seen: set[int] | None = None) -> Iterator[str]:
    """Yield what a debugger, a log line or an error tracker would show: `repr`, `str` and the same of all attributes."""
    seen = set() if seen is None else seen
    if depth == 0 or id(thing) in seen or isinstance(thing, type):
        return
    seen.add(id(thing))
    yield repr(thing)
    yield str(thing)
    inside: list[object] = []
    if isinstance(thing, dict):
        inside = [*thing.keys(), *thing.values()]
    elif isinstance(thing, list | tuple | set | frozenset):
        inside = list(thing)
    elif hasattr(thing, "__dict__") and type(thing).__module__.split(".")[0] in {
        "httpx",
        "httpcore",
        "h11",
        "connform",
    }:
        inside = list(vars(thing).values())
    for part in inside:
        yield from looked_at(part, depth - 1, seen)


@pytest.mark.usefixtures("key_in_environment")
def test_client_request_and_response_show_no_key(acme: Server, declare: Callable[..., Path], tmp_path: Path) -> None:
    hooked: list[object] = []
    connections = connform.load(declare(acme))
    with connections["acme"].client() as client:
        client.event_hooks = {"request": [hooked.append], "response": [hooked.append]}
        response = client.post(**LIST)
        things = [connections, connections["acme"], client, response, response.request, response.extensions, *hooked]
        for thing in things:
            assert_no_canary(*looked_at(thing), where=f"a {type(thing).__name__}")
        assert "api_key" not in response.request.headers
        assert "api_key" not in client.headers
    assert LINE in acme.requests[0]


def test_the_look_finds_a_key_where_a_plain_client_shows_it() -> None:
    with httpx.Client(headers={"api_key": API_KEY}) as client, pytest.raises(AssertionError, match="canary"):
        assert_no_canary(*looked_at(client))


FAILURES: dict[str, Behaviour] = {
    "closed": raw(),
    "not http": raw(b"rubbish\r\n\r\n"),
    "silent": raw_servers.silent,
    "slow": raw_servers.drip(head(200, ["Content-Length: 1000"])),
    "too large": raw(head(200, ["Content-Length: 99999999999"])),
    "error status": answer(b"{}", status=403),
}


def all_of(error: BaseException) -> Iterator[str]:
    """Yield everything an exception shows, and those that it grew from."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield from looked_at(one.args)
        yield from looked_at(vars(one))
        yield repr(one)
        yield str(one)
        yield "".join(traceback.format_exception(one))
        yield pickle.dumps(one).decode("latin-1")
        waiting += [one.__cause__, one.__context__]


@pytest.mark.usefixtures("key_in_environment")
@pytest.mark.parametrize("failure", FAILURES)
def test_no_exception_of_a_request_holds_the_key(failure: str, servers: Servers, declare: Callable[..., Path]) -> None:
    server = servers.tls(FAILURES[failure])
    with connform.connect("acme", declare(server)) as client, pytest.raises(httpx.HTTPError) as raised:
        client.post(**LIST).raise_for_status()
    assert_no_canary(*all_of(raised.value), where=type(raised.value).__name__)
    assert any(LINE in request for request in server.requests) or failure == "silent"


def test_no_exception_before_a_request_holds_the_key(
    acme: Server, declare: Callable[..., Path], plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = declare(acme)
    pasted = complete({"base_url": "https://localhost:1", "auth": {"method": "api_key", "api_key": AWKWARD}})
    wrong = plant("pasted.yaml", manifest(acme=pasted))
    raising: list[tuple[type[Exception], Callable[[], object]]] = [
        (connform.ManifestInvalid, lambda: connform.load(wrong)),
        (connform.UnknownConnection, lambda: connform.load(file)["acne"]),
        (connform.SecretUnresolved, lambda: connform.connect("acme", file)),
    ]
    for value in MALFORMED.values():
        raising.append((connform.ConnectionFailed, lambda: connform.connect("acme", file)))
        monkeypatch.setenv(KEY_VARIABLE, value)
        with pytest.raises(connform.ConnectionFailed) as raised:
            connform.connect("acme", file)
        assert_no_canary(*all_of(raised.value), where="secret_malformed")
    monkeypatch.delenv(KEY_VARIABLE)
    for kind, call in raising[:3]:
        with pytest.raises(kind) as raised_before:
            call()
        assert_no_canary(*all_of(raised_before.value), where=kind.__name__)
