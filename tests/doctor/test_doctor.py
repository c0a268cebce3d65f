"""`connform doctor` finds what this manifest lacks here, says what to do, and shows and sends no secret."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

from connform.reporters import FORMATS, has_messages
from tests.canary import API_KEY, assert_no_canary
from tests.conftest import Plant
from tests.doctor.conftest import Machine
from tests.end_to_end.running import run, run_here
from tests.http.servers import Server, silent
from tests.http.test_proxy import tunnel_to


class Row(NamedTuple):
    """What is taken away, and what is said of it."""

    change: Callable[[Machine], object]
    section: str
    words: str
    code: int


def _lose_grant(machine: Machine) -> None:
    shutil.rmtree(machine.folder / ".connform")


def _other_key(machine: Machine) -> None:
    machine.flags += ["--state-key", "env://STATE_KEY"]
    machine.environment["STATE_KEY"] = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="


def _without_program(machine: Machine) -> None:
    machine.edit("team://CRM_KEY", "op://a/b/c")
    machine.environment["PATH"] = str(machine.folder)


def _through_dead_proxy(machine: Machine) -> None:
    machine.edit("defaults:", "defaults:\n  proxy: environment")
    machine.environment["HTTPS_PROXY"] = f"http://me:{API_KEY}@localhost:1"


PROBLEMS = {
    "a mistake in the manifest": Row(lambda m: m.edit("provider: http", "provider: htpp"), "manifest", "errors: 1", 1),
    "a manifest that is named and missing": Row(lambda m: m.flags.extend(["-f", "none.yaml"]), "manifest", "errors: 1", 1),
    "a variable": Row(lambda m: m.environment.pop("PORTAL_SECRET"), "secrets", "PORTAL_SECRET is not set; needed by customer", 5),
    "a file": Row(lambda m: (m.folder / ".env").unlink(), "secrets", "there is no file", 5),
    "a line of a file": Row(lambda m: (m.folder / ".env").write_text("OTHER=1\n"), "secrets", "no variable CRM_KEY", 5),
    "a program": Row(_without_program, "requirements", "the program op; needed by crm", 5),
    "the grant": Row(_lose_grant, "state", "no customer has granted", 4),
    "a grant that the server takes": Row(lambda m: m.keep(ended="login_required"), "state", "no longer accepts", 4),
    "the key of the grants": Row(lambda m: (m.folder / ".connform" / "key").unlink(), "state", "there is no key", 5),
    "the right key of the grants": Row(_other_key, "state", "made with another key", 5),
    "a private state folder": Row(lambda m: (m.folder / ".connform").chmod(0o755), "state", "can be reached by others", 5),
    "the folder of the state": Row(lambda m: m.flags.extend(["--state", "sqlite:///nowhere/state"]), "state", "there is no folder /nowhere", 1),
    "the server of the state": Row(lambda m: m.flags.extend(["--state", "postgresql://me@localhost:1/state"]), "state", "the PostgreSQL server localhost", 5),
    "the server": Row(lambda m: m.server.__exit__(None, None, None), "network", "refused the connection; needed by crm", 6),
    "a certificate that is trusted": Row(lambda m: m.edit("{ca_file: ca.pem}", "{}"), "network", "is not trusted", 6),
    "the file of certificates": Row(lambda m: (m.folder / "ca.pem").unlink(), "network", "ca.pem: No such file", 1),
    "the proxy": Row(_through_dead_proxy, "network", "through the proxy http://***@localhost:1 (HTTPS_PROXY)", 6),
    "a clock that is right": Row(lambda m: setattr(m.clock, "ahead", timedelta(hours=2)), "network", "behind the servers", 6),
}  # fmt: skip
"""What is missing → its section, a part of its line, the exit code. The state that is missing also lacks its grant: code 1."""


@pytest.mark.parametrize("missing", PROBLEMS)
def test_what_is_missing_is_a_problem(machine: Machine, missing: str) -> None:
    row = PROBLEMS[missing]
    row.change(machine)
    done = machine.run("--format", "json")
    problems = [one for one in machine.findings(done) if one["status"] == "problem"]
    assert [one for one in problems if one["section"] == row.section and row.words in one["message"]], problems
    assert all(one["hint"] for one in problems), problems
    assert (done.code, done.report["exit_code"]) == (row.code, row.code)


NOTES = {
    "git": Row(lambda m: m.environment.update(PATH=str(m.folder)), "git", "not found on PATH", 0),
    "a private file": Row(lambda m: (m.folder / ".env").chmod(0o644), "secrets", "(mode 0644)", 0),
    "certificates of SSL_CERT_FILE": Row(lambda m: m.environment.update(SSL_CERT_FILE="/none"), "variables", "is not there", 0),
    "the network": Row(lambda m: m.flags.append("--offline"), "network", "not tried (--offline)", 0),
}  # fmt: skip


@pytest.mark.parametrize("missing", NOTES)
def test_what_this_manifest_can_do_without_is_a_note(machine: Machine, missing: str) -> None:
    row = NOTES[missing]
    row.change(machine)
    done = machine.run("--format", "json")
    found = [(one["status"], one["section"]) for one in machine.findings(done) if row.words in one["message"]]
    assert found == [("note", row.section)]
    assert done.code == 0, done.out


def test_where_everything_is_there_it_says_so_and_sends_no_credential(machine: Machine) -> None:
    done = machine.run()
    assert done.code == 0, done.out
    assert "this manifest can work here" in done.out
    assert "✗" not in done.out
    said = " ".join(done.out.split())  # where lines end depends on the length of paths
    for words in ("agrees with the servers", "fits the grants", "1 of 1 are there", "http://***@proxy.example:3128"):
        assert words in said
    assert [request.partition(b" HTTP/")[0] for request in machine.server.requests] == [b"HEAD /"]
    assert_no_canary(*machine.server.requests)


def test_a_server_is_reached_through_the_proxy_which_alone_gets_its_password(machine: Machine) -> None:
    with Server(tunnel_to(machine.server)) as proxy:
        login = f"{{url: 'http://localhost:{proxy.port}', username: me, password: 'team://CRM_KEY'}}"
        machine.edit("defaults:", f"defaults:\n  proxy: {login}")
        done = machine.run()
    assert done.code == 0, done.out
    assert f"through the proxy http://localhost:{proxy.port}, TLSv1.3, certificate until" in done.out
    assert b"Proxy-Authorization: Basic " in proxy.requests[0]
    assert_no_canary(*machine.server.requests)


def test_offline_nothing_is_connected_to(machine: Machine) -> None:
    assert machine.run("--offline").code == 0
    assert machine.server.connections == 0


def test_a_silent_server_costs_no_more_than_the_time_out(machine: Machine) -> None:
    with Server(silent) as server:
        machine.edit(f"localhost:{machine.server.port}/api", f"localhost:{server.port}/api")
        done = machine.run("--timeout", "0.3")
    assert done.code == 6
    assert f"✓ https://localhost:{machine.server.port}" in done.out
    assert done.elapsed_s < 10


def test_a_bare_machine_is_no_failure(tmp_path: Path) -> None:
    done = run("doctor", cwd=tmp_path, env={"HOME": str(tmp_path), "PATH": "/nonexistent"})
    assert done.code == 0, done.err
    for words in ("no manifest here", "`connform init` writes one", sys.executable, "ready for a manifest"):
        assert words in done.out


def test_quietly_the_problems_alone_are_shown(machine: Machine) -> None:
    machine.environment.pop("PORTAL_SECRET")
    lines = machine.run("-q").out.splitlines()
    assert [line.split()[0] for line in lines] == ["secrets", "✗", "help:"]


def test_only_the_selected_connections_count(machine: Machine) -> None:
    machine.environment.pop("PORTAL_SECRET")
    assert machine.run("-c", "crm").code == 0


def test_a_proxy_in_any_form_shows_no_password(plant: Plant, tmp_path: Path) -> None:
    for url in (
        f"http://{API_KEY}@p",
        f"p:{API_KEY}@p:1",
        f"http://u:a/{API_KEY}@p",
        f"http://p/?{API_KEY}",
        f"ftp://{API_KEY}",
    ):
        done = run_here("doctor", "--offline", cwd=tmp_path, env={"HTTPS_PROXY": url, "NO_PROXY": f"{API_KEY}@x"})
        assert "HTTPS_PROXY" in done.out


@pytest.mark.parametrize("name", sorted(FORMATS.keys() - {"text", "json"}))
def test_other_formats_have_the_problems(machine: Machine, name: str) -> None:
    machine.environment.pop("PORTAL_SECRET")
    done = machine.run("--offline", "--format", name)
    assert done.code == 5
    assert "PORTAL" in (done.out if has_messages(FORMATS[name]) else done.err)
