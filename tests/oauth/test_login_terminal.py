"""A login as a person does it at a terminal, against the simulator."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pexpect
import pytest

from connform.simulator import Simulator
from tests.end_to_end.running import COMMAND, command_environment
from tests.end_to_end.running import run_here as run
from tests.ports import free_ports

PROMPT = "paste that address here: "
MANIFEST = """\
version: 1
connections:
  customer:
    environment: private
    base_url: https://127.0.0.1:{port}/api/v1
    tls: {{ca_file: ca.pem}}
    auth: {{method: oauth2, client_id: acme, client_secret: env://SECRET, redirect_uri: "https://localhost:8443/back"}}
"""
VARIABLES = {"SECRET": "synthetic"}


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator() as started:
        yield started


@pytest.fixture
def folder(tmp_path: Path, simulator: Simulator) -> Path:
    (tmp_path / "connections.yaml").write_text(MANIFEST.format(port=simulator.address[1]))
    (tmp_path / "ca.pem").write_bytes(simulator.ca_pem)
    return tmp_path


@contextmanager
def terminal(folder: Path, *argv: str, **variables: str) -> Iterator[Any]:
    with pexpect.spawn(
        COMMAND, [*argv], cwd=folder, env=command_environment(VARIABLES | variables), timeout=30, encoding="utf-8"
    ) as spawned:
        yield spawned


def address_of(login: Any) -> str:
    """Return the address that a login shows, once it asks."""
    login.expect(r"(https://\S+/connect/authorize\S+)")
    address = str(login.match[1])
    login.expect(PROMPT)
    return address


def paste(login: Any, text: str) -> None:
    """Paste as a terminal does: the key Enter sends a carriage return."""
    login.send(f"{text}\r")


def ends(login: Any) -> tuple[int, str]:
    login.expect(pexpect.EOF)
    said = str(login.before)
    login.close()
    return int(login.exitstatus or 0), said


def callback(url: str, code: str, **changed: str) -> str:
    state = parse_qs(urlsplit(url).query)["state"][0]
    return f"https://localhost:8443/back?{urlencode({'code': code, 'state': state} | changed)}"


def test_a_person_who_pastes_wrongly_is_told_and_asked_again(folder: Path, simulator: Simulator) -> None:
    with terminal(folder, "login", "customer") as login:
        url = address_of(login)
        for text, says in (
            ("", ""),
            ("what do you want?", "not the address of a page"),
            ("simulated-code-000000000000", "the code alone"),
            (url, "the address of the login itself"),
            (callback(url, "x", state="another"), "`state` of another login"),
        ):
            paste(login, text)
            login.expect(PROMPT)
            assert says in login.before
        paste(login, f"it ended on <{simulator.authorize(url)}>.")
        code, said = ends(login)
    assert (code, "customer is granted profile offline_access organization" in said) == (0, True), said
    assert re.search(r"access token +for \d+ \w+, until \S+ \S+ UTC, then renewed\r\n", said)
    assert f"stored in      {folder}/.connform/state.sqlite3\r\nnext: connform check customer\r\n" in said


def test_a_code_that_the_server_refuses_is_said_and_another_login_begins(folder: Path, simulator: Simulator) -> None:
    with terminal(folder, "login", "customer") as login:
        first = address_of(login)
        paste(login, callback(first, "spent"))
        second = address_of(login)
        assert parse_qs(urlsplit(first).query)["state"] != parse_qs(urlsplit(second).query)["state"]
        paste(login, simulator.authorize(second))
        code, said = ends(login)
    assert (code, "customer is granted" in said) == (0, True), said


ENDINGS = {
    "refused codes": (["spent", "spent"], 4, "does not accept the code"),
    "addresses of another login": (["another", "another"], 4, "login_state_mismatch"),
    "an answer of another server": (["evil"], 4, "login_issuer_mismatch"),
    "a denial": (["denied"], 4, "login_denied"),
    "Ctrl-C": (["\x03"], 130, "the login was ended; no grant was stored"),
    "Ctrl-D": (["\x04"], 130, "the login was ended; no grant was stored"),
}


@pytest.mark.parametrize("case", ENDINGS)
def test_a_login_ends_where_asking_again_is_of_no_use(folder: Path, simulator: Simulator, case: str) -> None:
    pasted, exit_code, says = ENDINGS[case]
    with terminal(folder, "login", "customer") as login:
        url = ""
        for text in pasted:
            if not url or text == "spent":
                url = address_of(login)
            else:
                login.expect(PROMPT)
            match text:
                case "spent":
                    paste(login, callback(url, "spent"))
                case "another":
                    paste(login, callback(url, "x", state="another"))
                case "evil":
                    paste(login, callback(url, "x", iss="https://evil.example"))
                case "denied":
                    paste(login, simulator.authorize(url, allow=False))
                case _:
                    login.send(text)
        code, said = ends(login)
    assert (code, says in said) == (exit_code, True), said
    assert not (folder / ".connform").exists() or run("login", cwd=folder).code == 4


def test_a_browser_is_opened_where_the_variable_names_one(folder: Path) -> None:
    browser = folder / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {folder}/opened\n')
    browser.chmod(0o700)
    variables = {"BROWSER": str(browser), "SSH_CONNECTION": "192.0.2.1 1 192.0.2.2 22"}
    with terminal(folder, "login", "customer", **variables) as login:
        url = address_of(login)
        assert "A browser was asked to open it." in login.before
        login.sendintr()
        ends(login)
    assert (folder / "opened").read_text() == f"{url}\n"


DEVICE = """\
version: 1
connections:
  customer:
    provider: http
    base_url: https://127.0.0.1:{port}/api
    check: {{path: /me}}
    tls: {{ca_file: ca.pem}}
    auth:
      method: oauth2
      client_id: acme
      client_secret: env://SECRET
      redirect_uri: https://localhost:8443/back
      issuer: https://127.0.0.1:{port}
      device_authorization_url: https://127.0.0.1:{port}/connect/deviceauthorization
"""


def test_where_no_browser_can_be_opened_a_login_on_another_device_is_named(folder: Path, simulator: Simulator) -> None:
    (folder / "connections.yaml").write_text(DEVICE.format(port=simulator.address[1]))
    with terminal(folder, "login", "customer") as login:
        address_of(login)
        assert "No browser can be opened here; with --device" in login.before
        login.sendintr()
        ends(login)
    with terminal(folder, "login", "customer", "--device") as login:
        login.expect(r"user_code=(\S+)")
        simulator.authorize_device(login.match[1])
        login.expect("Ctrl-C ends the login")
        assert ends(login)[0] == 0


def test_a_login_is_rehearsed_as_the_simulator_says(tmp_path: Path) -> None:
    """The manifest and the variables are those that it prints; the person uses a browser, which is HTTP here."""
    port = str(free_ports(1)[0])
    with terminal(tmp_path, "simulator", "--port", port, "--ca-file", "ca.pem") as simulator:
        simulator.expect(r"(version: 1\r\n.*?)\r\n\r\nexport (\S+)=(\S+) (\S+)=(\S+)\r\n")
        _, *words = simulator.match.groups()
        (tmp_path / "connections.yaml").write_text(simulator.match[1].replace("\r\n", "\n"))
        variables = dict(zip(words[::2], words[1::2], strict=True))
        with terminal(tmp_path, "login", "rehearsal-oauth", **variables) as login:
            url = address_of(login)
            trusted = ssl.create_default_context(cafile=tmp_path / "ca.pem")
            with httpx.Client(verify=trusted) as browser:
                page = browser.get(url)
                assert "<button name=decision value=allow>" in page.text
                answered = browser.post(url, data={"decision": "allow"})
            paste(login, answered.headers["location"])
            assert ends(login)[0] == 0
        checked = run("check", cwd=tmp_path, env=variables)
        assert (checked.code, checked.out.count("ready")) == (0, 3), checked.out
        simulator.expect("POST 127.0.0.1/connect/token 200")
        simulator.sendintr()
        code, said = ends(simulator)
    assert code == 0
    assert "state=" not in said
