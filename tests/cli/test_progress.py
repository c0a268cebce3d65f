"""The line that says what a run waits for: only on a terminal, in its width, and never mixed with other output."""

from __future__ import annotations

import io
import sys
import time

import pytest

from connform.cli.options import Options
from connform.cli.progress import progress
from connform.engine.run.progress import SILENT

ERASE = "\r\x1b[K"


class Terminal(io.StringIO):
    """A stream that says it is a terminal, and not how wide."""

    def isatty(self) -> bool:
        return True

    def wait_for(self, text: str, times: int = 1) -> None:
        ends_at = time.monotonic() + 30
        while self.getvalue().count(text) < times:
            assert time.monotonic() < ends_at, self.getvalue()
            time.sleep(0.01)


def on_terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Let standard error be a terminal; not in a fixture, because pytest sets it anew after these."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    return terminal


def test_it_names_what_is_waited_for_and_counts_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = on_terminal(monkeypatch)
    with progress(Options()) as told:
        told.begin("checking", 60)
        for name in ("done", "crm-eu", "mail", *(f"a-name-of-{number}-letters" for number in range(20, 70))):
            told.started(name)
        told.finished("done")
        terminal.wait_for("checking 1/60: waiting for crm-eu, mail, a-name-of-20-letters and 49 more (0 s)")
        told.begin("checking", 60)
        for number in range(50):
            told.started(f"a-name-of-{number}-letters-that-needs-the-rest-of-the-line")
        terminal.wait_for(
            "checking 0/60: waiting for a-name-of-0-letters-that-needs-the-rest-of-the-line and 49 more"[:79]
        )
    assert terminal.getvalue().endswith(ERASE)
    assert all(len(line) < 80 for line in terminal.getvalue().split(ERASE))
    assert sys.stderr is terminal


def test_other_output_goes_in_its_place_and_a_question_is_not_overwritten(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = on_terminal(monkeypatch)
    with progress(Options()) as told:
        told.begin("reading secrets", 1)
        told.started("corp-vault")
        terminal.wait_for("reading secrets 0/1: waiting for corp-vault (0 s)")
        print("warning: the state is away", file=sys.stderr)
        terminal.wait_for("waiting for corp-vault", 2)
        sys.stderr.write("Apply these changes? [y/N]: ")
        asked = terminal.getvalue()
        time.sleep(0.5)  # more than the line takes to be drawn anew
        assert terminal.getvalue() == asked
        told.begin("applying", 1)
        terminal.wait_for("applying 0/1")
    assert f"(0 s){ERASE}warning: the state is away\n{ERASE}reading secrets 0/1" in terminal.getvalue()
    assert f"{ERASE}Apply these changes? [y/N]: {ERASE}applying 0/1" in terminal.getvalue()


@pytest.mark.parametrize("case", ["a pipe", "-q", "--debug", "TERM=dumb"])
def test_where_it_would_disturb_nothing_is_shown(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    on_terminal(monkeypatch)
    if case == "a pipe":
        monkeypatch.setattr(sys, "stderr", io.StringIO())
    if case == "TERM=dumb":
        monkeypatch.setenv("TERM", "dumb")
    with progress(Options(quiet=case == "-q", debug=case == "--debug")) as told:
        assert told is SILENT
