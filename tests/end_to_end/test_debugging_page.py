"""docs/guides/debugging.md: its manifest and commands print what the page shows; `--debug` shows no secret, also not to a program's log."""

from __future__ import annotations

import logging
import re
import shlex
from pathlib import Path
from urllib.parse import quote

import pytest

import connform
from connform.http import ClientSettings, sync_client
from connform.http.shown_url import shown_path
from tests.canary import API_KEY, AWKWARD, assert_no_canary
from tests.end_to_end.conftest import Servers
from tests.end_to_end.running import KEY, manifest, run, run_here
from tests.http.servers import Connection, answer, head, raw

PAGE = (Path(__file__).parents[2] / "docs" / "guides" / "debugging.md").read_text("utf-8")
(MANIFEST,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
COMMANDS = re.findall(r"```console\n\$ (.*?)\n(.*?)```", PAGE, re.DOTALL)
VARYING = {
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z": "TIME",
    r"[\d.]+ ms": "N ms",
    r"acme #\d+": "acme #N",
    r"127\.0\.0\.1:\d{4,}": "ADDRESS",
    r"(connform|Python|OpenSSL) \d[^,]*": r"\1 VERSION",
    r"system \([^)]*\)": "system (PLACE)",
}
"""What differs from one run to the next."""


def settled(text: str) -> str:
    """Return an output with each time, port and version replaced."""
    for pattern, word in VARYING.items():
        text = re.sub(pattern, word, text)
    return text


@pytest.mark.parametrize("command", [command for command, _ in COMMANDS])
def test_the_page_shows_what_a_run_prints(command: str, tmp_path: Path) -> None:
    (tmp_path / "connections.yaml").write_text(MANIFEST)
    words = shlex.split(command)
    variables = dict(word.split("=", 1) for word in words[: words.index("connform")])
    ended = run_here(*words[words.index("connform") + 1 :], cwd=tmp_path, env=variables)
    shown = ended.err if "--debug" in words else ended.out
    assert settled(shown) == settled(dict(COMMANDS)[command]), shown


def test_the_lines_go_to_standard_error_and_a_variable_asks_for_them(
    servers: Servers, ca_file: Path, tmp_path: Path
) -> None:
    here = {"base_url": f"https://localhost:{servers.iinked_sign().port}/api/v1", "tls": {"ca_file": str(ca_file)}}
    (tmp_path / "connections.yaml").write_text(manifest(acme=here))
    quiet = run("check", cwd=tmp_path, env=KEY)
    ended = run("check", cwd=tmp_path, env=KEY | {"CONNFORM_DEBUG": "1"})
    assert (quiet.code, quiet.err, ended.code) == (0, "", 0)
    assert "ready" in ended.out
    assert "connform.http" not in ended.out
    for said in (
        f"trusts the certificates in {ca_file}",
        "env://ACME_KEY: read from env://",
        "TLSv1.3",
        "a new connection",
    ):
        assert said in ended.err


def test_a_retry_a_wait_and_a_reused_connection_are_seen(
    servers: Servers, ca_file: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([raw(head(503, ["Retry-After: 0", "Content-Length: 0"])), answer(b"{}"), answer(b"{}")])

    def behave(connection: Connection) -> None:
        next(answers)(connection)

    server = servers.tls(behave)
    base_url = f"https://localhost:{server.port}/v1"
    (tmp_path / "connections.yaml").write_text(manifest(acme={"base_url": base_url, "tls": {"ca_file": str(ca_file)}}))
    monkeypatch.setenv(*next(iter(KEY.items())))
    with caplog.at_level(logging.DEBUG, "connform"), connform.connect("acme", tmp_path) as client:
        client.get("/users/3fa85f64-5717-4562-b3fc-2c963f66afa6", params={"q": "hidden-query"})
        client.get("/me")
    lines = [record.getMessage() for record in caplog.records if record.name == "connform.http"]
    text = "\n".join(lines)
    for said in (
        "/v1/users/***?…",
        "503 HTTP/1.1",
        "asks to wait for 0.0 s (Retry-After)",
        "waits 0.0 s",
        "200 HTTP/1.1",
    ):
        assert said in text
    assert "hidden-query" not in text
    assert {record.__dict__["connection"] for record in caplog.records if record.name == "connform.http"} == {"acme"}


@pytest.mark.parametrize("secret", [API_KEY, AWKWARD])
def test_no_part_of_a_path_that_may_be_a_secret_is_shown(secret: str) -> None:
    once = quote(secret, safe="")
    by_byte = "".join(f"%{byte:02x}" for byte in secret.encode())
    for form in (secret, once, quote(once, safe=""), secret.encode().hex(), by_byte):
        assert_no_canary(shown_path(f"/bot{form}/getMe"), shown_path(f"/v1/{form}"))
    assert shown_path("/api/v1/packages/list") == "/api/v1/packages/list"
    assert shown_path("/v2.1/accounts/acme-eu/users?x=1") == "/v2.1/accounts/acme-eu/users"


def test_a_program_without_a_listener_gets_no_line(servers: Servers, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "connform")
    server = servers.plain(answer(b"{}"))
    with sync_client(ClientSettings(f"http://localhost:{server.port}")) as client:
        assert client.get("/").json() == {}
    assert not [record for record in caplog.records if record.name.startswith("connform")]


def test_the_facts_of_a_check_name_the_request_and_the_files(servers: Servers, ca_file: Path, tmp_path: Path) -> None:
    here = {"base_url": f"https://localhost:{servers.iinked_sign().port}/api/v1", "tls": {"ca_file": str(ca_file)}}
    (tmp_path / "connections.yaml").write_text(manifest(acme=here))
    config = run_here("check", "--format", "json", cwd=tmp_path, env=KEY).connection["stages"][0]
    assert (config["method"], config["path"], config["ca_file"]) == ("POST", "/packages/list", str(ca_file))
