"""Ctrl-C and its like: the report says what was found and what was not looked at; a second one ends the process at once."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import threading
import time
from xml.etree import ElementTree as ET

import pexpect
import pytest

import connform
from tests.end_to_end.running import COMMAND, KEY, KEY_VARIABLE, PATIENCE_S, command_environment
from tests.http.servers import Server, silent
from tests.state.conftest import Repository

pytestmark = pytest.mark.usefixtures("default_signals")

ONE_AT_A_TIME = ("--parallelism", "1", "--timeout", "600")
NOT_LOOKED_AT = ("skipped", "not looked at: interrupted")


@pytest.fixture
def stuck(sqlite_repository: Repository) -> Repository:
    """Three connections: one that answers, one that never does, and one behind that."""
    sqlite_repository.declare("first", "second", "third", timeouts={"read_s": 600, "total_s": 600})
    sqlite_repository.api.silent = {"second"}
    return sqlite_repository


def interrupted(
    repository: Repository, *argv: str, number: signal.Signals = signal.SIGINT
) -> tuple[subprocess.Popen[str], str, str]:
    """Run a command, send it a signal as soon as the second connection is asked, and return it with its outputs."""
    with repository.start(*argv) as process:
        ends_at = time.monotonic() + PATIENCE_S
        while not repository.api.asked["second"] and process.poll() is None and time.monotonic() < ends_at:
            time.sleep(0.01)
        process.send_signal(number)
        out, err = process.communicate(timeout=PATIENCE_S)
    return process, out, err


def verdicts(report: str) -> dict[str, tuple[str, str]]:
    return {one["name"]: (one["verdict"], one["message"]) for one in json.loads(report)["connections"]}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_check_reports_what_it_has_found_in_every_format(stuck: Repository, number: signal.Signals) -> None:
    formats = ("--format", "json", "--format", "junit=junit.xml", "--format", "text=report.txt")
    process, out, err = interrupted(stuck, "check", *ONE_AT_A_TIME, *formats, number=number)
    assert (process.returncode, err) == (128 + number, "")
    assert verdicts(out) == {"first": ("ready", ""), "second": NOT_LOOKED_AT, "third": NOT_LOOKED_AT}
    assert (json.loads(out)["exit_code"], json.loads(out)["interrupted"]) == (128 + number, True)
    assert len(ET.parse(stuck.folder / "junit.xml").findall(".//skipped")) == 2
    assert "interrupted: 1 of 3 checked; not looked at: second, third\n" in (stuck.folder / "report.txt").read_text()


def test_apply_records_what_it_has_found_and_begins_nothing_more(stuck: Repository) -> None:
    process, out, err = interrupted(stuck, "apply", "--yes", *ONE_AT_A_TIME, "--format", "json")
    assert (process.returncode, err) == (130, "")
    assert verdicts(out) == {"first": ("ready", ""), "second": NOT_LOOKED_AT, "third": NOT_LOOKED_AT}
    assert stuck.recorded().keys() == {"first"}
    assert not stuck.api.asked["third"]


def test_an_interrupted_refresh_is_no_plan_to_apply(stuck: Repository) -> None:
    silent_ones, stuck.api.silent = stuck.api.silent, set()
    assert stuck.run("apply", "--yes").code == 0
    stuck.api.silent = silent_ones
    stuck.api.forget()
    process, out, err = interrupted(
        stuck, "plan", "--refresh", *ONE_AT_A_TIME, "--format", "json", "--out", "plan.json"
    )
    assert (process.returncode, err) == (130, "")
    assert verdicts(out) == {"first": ("ready", ""), "second": NOT_LOOKED_AT, "third": NOT_LOOKED_AT}
    assert not (stuck.folder / "plan.json").exists()


def test_secrets_check_reports_what_it_has_read(sqlite_repository: Repository) -> None:
    with Server(silent) as vault:
        store = {
            "type": "vault",
            "address": f"http://127.0.0.1:{vault.port}",
            "auth": {"method": "token", "token": f"env://{KEY_VARIABLE}"},
        }
        sqlite_repository.declare("near")
        sqlite_repository.declare("far", auth={"method": "api_key", "api_key": "corp://team/far#key"})
        content = {"version": 1, "stores": {"corp": {**store, "timeout_s": 600}}}
        manifest = sqlite_repository.folder / "connections.yaml"
        manifest.write_text(json.dumps(content | {"connections": sqlite_repository.connections}))
        with sqlite_repository.start("secrets", "check", "--format", "json") as process:
            while not vault.connections and process.poll() is None:
                time.sleep(0.01)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, err) == (130, "")
    assert verdicts(out) == {"near": ("ready", ""), "far": NOT_LOOKED_AT}


def test_a_program_that_checks_gets_its_keyboard_interrupt(stuck: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_VARIABLE, KEY[KEY_VARIABLE])

    def interrupt() -> None:
        while not stuck.api.asked["second"]:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    interrupting = threading.Thread(target=interrupt)
    interrupting.start()
    with pytest.raises(KeyboardInterrupt):
        connform.check(stuck.folder / "connections.yaml", timeout_s=60)
    interrupting.join()


@pytest.fixture
def terminal(stuck: Repository) -> pexpect.spawn[str]:
    """A check of the three on a terminal of 50 columns."""
    return pexpect.spawn(
        COMMAND,
        ["check", *ONE_AT_A_TIME],
        cwd=str(stuck.folder),
        env=command_environment(stuck.environment | {"TERM": "xterm", "NO_COLOR": "1"}),
        dimensions=(24, 50),
        encoding="utf-8",
        timeout=PATIENCE_S,
    )


def shown(output: str) -> tuple[list[str], str]:
    """Return what a terminal showed in the line of the progress, and what stays on it."""
    *lines, rest = output.split("\r\x1b[K")
    return list(filter(None, lines)), rest


def test_a_line_says_what_is_waited_for_and_leaves_no_trace(terminal: pexpect.spawn[str]) -> None:
    terminal.expect(re.escape("checking 1/3: waiting for second ("))
    output = f"{terminal.before}{terminal.after}"
    terminal.sendintr()
    terminal.expect(pexpect.EOF)
    terminal.close()
    lines, rest = shown(f"{output}{terminal.before}")
    assert terminal.exitstatus == 130
    assert all(len(line.removesuffix("^C")) < 50 and "\n" not in line for line in lines), lines
    assert "ready" in rest
    assert "interrupted: 1 of 3 checked" in rest
    assert "waiting" not in rest


def test_a_closed_terminal_ends_a_check_with_its_files_written(stuck: Repository) -> None:
    with_file = ["check", *ONE_AT_A_TIME, "--format", "text", "--format", "json=report.json"]
    variables = command_environment(stuck.environment | {"TERM": "xterm"})
    terminal = pexpect.spawn(COMMAND, with_file, cwd=str(stuck.folder), env=variables, timeout=PATIENCE_S)
    terminal.expect(re.escape("waiting for second ("))
    os.close(terminal.child_fd)
    terminal.wait()
    assert terminal.exitstatus == 129
    report = (stuck.folder / "report.json").read_text()
    assert verdicts(report)["second"] == NOT_LOOKED_AT
    terminal.closed, terminal.child_fd = True, -1
