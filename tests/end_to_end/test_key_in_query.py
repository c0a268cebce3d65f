"""A connection whose key is in the query: checked, asked, handed over, rotated; nothing that is printed shows the key."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import takewhile
from pathlib import Path
from urllib.parse import parse_qsl

import pytest

from tests.canary import AWKWARD, VARIABLE, assert_no_canary
from tests.conftest import Plant
from tests.end_to_end.conftest import Servers
from tests.end_to_end.plugins import install
from tests.end_to_end.running import KEY_VARIABLE, Run, run
from tests.http.servers import Connection, Server, head

PLUGIN = """
from connform.plugin import REFERENCE, AuthMethod, Credential, HeaderLines, Shape, require_parameter


class InQueryCredential(Credential):
    def __init__(self, key):
        self._lines = HeaderLines(parameters=[("api key", key)])

    def headers(self):
        return self._lines


class InQuery(AuthMethod):
    shape = Shape(properties={"key": REFERENCE}, required=("key",), description="A key in the query.")

    def judge(self, key, secret):
        require_parameter(secret, key=key)

    def credential(self, inputs):
        self.judge("key", inputs.secrets["key"])
        return InQueryCredential(inputs.secrets["key"])


IN_QUERY = InQuery()
"""
PROGRAM = """
import logging, sys
import connform

logging.basicConfig(level=logging.DEBUG, stream=sys.stdout)
with connform.load() as connections, connections["acme"].client() as client:
    response = client.get("/here", follow_redirects=True)
    print(response.url, response.history, response.history[0].headers, vars(response.request))
    print("replace it", flush=True)
    input()
    print(client.get("/there").status_code, len(connections["acme"].rate_limits()))
"""


class Api:
    """An API that takes one key, and redirects with the query that it was sent."""

    def __init__(self) -> None:
        self.key = AWKWARD

    def __call__(self, connection: Connection) -> None:
        while request := connection.read_request():
            path, _, query = request.split(b" ")[1].decode().partition("?")
            if parse_qsl(query) != [("api key", self.key)]:
                connection.send(head(401, ["Content-Length: 0"]))
            elif path == "/v1/here":
                connection.send(head(302, [f"Location: /v1/there?{query}", "Content-Length: 0"]))
            else:
                connection.send(head(200, ["Content-Type: application/json", "Content-Length: 8"]) + b'{"a": 1}')


@pytest.fixture
def api() -> Api:
    return Api()


@pytest.fixture
def server(api: Api, servers: Servers) -> Server:
    return servers.tls(api)


class Acme:
    """A folder with a manifest of one connection to that API."""

    def __init__(self, folder: Path, server: Server, ca_file: Path, reference: str) -> None:
        self.folder = folder
        self.env = install(folder / "plugins", PLUGIN, {"connform.auth": "in_query = acme_plugin:IN_QUERY"})
        connection = {
            "provider": "http",
            "base_url": f"https://localhost:{server.port}/v1",
            "check": {"path": "/me", "expect": {"body": {"type": "object"}}},
            "tls": {"ca_file": str(ca_file)},
            "auth": {"method": "in_query", "key": reference},
        }
        content = {"version": 1, "connections": {"acme": connection}}
        (folder / "connections.yaml").write_text(json.dumps(content))

    def run(self, *argv: str, key: str = AWKWARD) -> Run:
        return run(*argv, cwd=self.folder, env=self.env | {KEY_VARIABLE: key})


@pytest.fixture
def acme(tmp_path: Path, server: Server, ca_file: Path) -> Acme:
    return Acme(tmp_path, server, ca_file, f"env://{KEY_VARIABLE}")


def test_it_is_checked_and_asked(acme: Acme) -> None:
    assert acme.run("check").code == 0
    asked = acme.run("request", "acme", "GET", "/me", "--include")
    assert (asked.code, '"a": 1' in asked.out) == (0, True), asked.err


def test_a_refused_key_is_not_shown(acme: Acme, api: Api) -> None:
    api.key = "another"
    checked = acme.run("check", "--format", "json")
    assert (checked.code, checked.connection["class"]) == (4, "auth_rejected")


def test_a_mistake_of_pasting_is_found_before_anything_is_sent(acme: Acme, server: Server) -> None:
    before = len(server.requests)
    checked = acme.run("check", "--format", "json", key=f"{AWKWARD}é")
    assert (checked.code, checked.connection["class"]) == (5, "secret_malformed")
    assert len(server.requests) == before


def test_a_request_with_that_parameter_is_told_which(acme: Acme, server: Server) -> None:
    before = len(server.requests)
    asked = acme.run("request", "acme", "GET", "/me?api+key=mine")
    assert (asked.code, "the parameter `api key`" in asked.err) == (64, True), asked.err
    assert len(server.requests) == before


def test_exec_hands_key_and_parameter_over_and_token_says_why_not(acme: Acme) -> None:
    script = (
        "import os; from urllib.parse import quote; key = os.environ['ACME_API_KEY']; "
        "print(sorted(name for name in os.environ if name.startswith('ACME_') and name != 'ACME_KEY'), "
        "len(key), key, quote(key), os.environ['ACME_API_KEY_PARAMETER'])"
    )
    ended = acme.run("exec", "acme", "--", sys.executable, "-c", script)
    names = ["ACME_API_KEY", "ACME_API_KEY_PARAMETER", "ACME_BASE_URL", "ACME_CA_FILE"]
    assert (ended.code, ended.out) == (0, f"{names} {len(AWKWARD)} *** *** api key\n"), ended.err
    refused = acme.run("token", "acme")
    assert (refused.code, refused.out) == (64, "")
    assert "acme authenticates with the query parameter api key, not with a token" in refused.err


def test_a_key_that_was_replaced_is_read_again(
    api: Api, server: Server, tmp_path: Path, ca_file: Path, plant: Plant
) -> None:
    plant(tmp_path / "key", AWKWARD)
    acme = Acme(tmp_path, server, ca_file, "file://key")
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        cwd=tmp_path,
        env=acme.env | {VARIABLE: os.environ[VARIABLE]},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        shown = "".join(takewhile(lambda line: line != "replace it\n", process.stdout))
        api.key = f"{AWKWARD}-2"
        plant(tmp_path / "key", api.key)
        rest, _ = process.communicate("\n", timeout=60)

    assert process.returncode == 0, shown + rest
    assert f"https://localhost:{server.port}/v1/there [<Response [302 Whatever]>]" in shown
    assert "200 0" in rest.splitlines()
    assert_no_canary(shown, rest)
