"""Runs the sessions of a page in a folder: what is typed there, in one shell, and what it prints."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import click

from connform.cli import VERBS
from connform.cli.group import cli
from tests.end_to_end.running import environment
from tests.pages.blocks import Block, blocks

RUN, FILE, SIMULATE = "run", "file", "simulate"
_MARK = "\x1e"
_LIMIT_S = 50
_PATH_COMMENT = re.compile(r"^(?:#|//|--|<!--) *([\w.][\w./-]*)(?: .*)?\n")
_ANY_LINES = "…"
_VARYING = [
    (re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?"), "DATE"),
    (re.compile(r"\b\d+(\.\d+)?(?= ?(ms|µs|s|min|h)\b)"), "N"),
    (re.compile(r"\bsha256:[0-9a-f]+"), "sha256:HEX"),
    (re.compile(r"(127\.0\.0\.1|localhost):\d+"), r"\1:PORT"),
    (re.compile(r"(?<=:PORT/)(<random>|[\w-]{32})(?=/)"), "RANDOM"),
    (re.compile(r"[ \t]+"), " "),  # columns are as wide as what stands in them
]
"""What differs between two runs → what is compared in its place."""


class Typed(NamedTuple):
    """A command of a session, and what the page says that it prints."""

    line: int
    command: str
    shown: str
    simulated: bool


class Printed(NamedTuple):
    """What a command printed, on both streams, and its exit code."""

    output: str
    code: int


def run_page(text: str, folder: Path) -> list[str]:
    """Write the files of a page into a folder, run its sessions there, and return what was not as the page says."""
    steps: list[Typed | str] = []
    for block in blocks(text):
        if FILE in block.marks:
            steps.append(_writing(block))
        elif RUN in block.marks:
            steps += _typed(block)
    printed = _run(steps, folder)
    return list(_differences(steps, printed))


def _writing(block: Block) -> str:
    """Return the command that writes the file which a block names in its first line."""
    named = _PATH_COMMENT.match(block.text)
    assert named, f"line {block.line}: a block with the mark `file` names its file in a comment on its first line"
    return f"mkdir -p \"$(dirname '{named[1]}')\" && cat > '{named[1]}' <<'{_MARK}'\n{block.text}{_MARK}\n"


def _typed(block: Block) -> Iterator[Typed]:
    """Return the commands of a session."""
    simulated = SIMULATE in block.marks
    for found in re.finditer(r"^\$ ((?:.*\\\n)*.*)\n((?:(?!\$ ).*\n)*)", block.text, re.MULTILINE):
        line = block.line + block.text.count("\n", 0, found.start())
        command = re.sub(r"\\\n(> )?", "", found[1])
        yield Typed(line, command, found[2], simulated)


def _simulating() -> str:
    """Return a function of the shell that adds `--simulate` to the verbs that take it, where a block wants it."""
    context = click.Context(cli)
    verbs = [verb for verb in VERBS if (found := cli.get_command(context, verb)) and _takes_simulate(found)]
    return (
        f'connform() {{ case $1 in {"|".join(verbs)}) local verb=$1; shift; command connform $verb $SIMULATE "$@";;'
        ' *) command connform "$@";; esac }\n'
    )


def _takes_simulate(command: click.Command) -> bool:
    return any("--simulate" in parameter.opts for parameter in command.params)


def _script(steps: list[Typed | str]) -> str:
    """Return the steps one after the other, for one shell, as `$?` and variables demand; each exit code between marks."""
    lines = ["exec 2>&1 </dev/null\n", _simulating()]
    for step in steps:
        text, flag = (step, "") if isinstance(step, str) else (step.command, "--simulate" if step.simulated else "")
        lines.append(f"SIMULATE={flag}; (exit $code)\n{text}\ncode=$?; printf '{_MARK}%s{_MARK}' $code\n")
    return "".join([*lines, "kill $(jobs -p) 2>/dev/null\n"])


def _run(steps: list[Typed | str], folder: Path) -> list[Printed]:
    bash = shutil.which("bash") or "/bin/bash"
    home = folder.parent / f"{folder.name}-home"
    home.mkdir()
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with subprocess.Popen(
        [bash, "-c", _script(steps)],
        cwd=folder,
        env=environment({"PATH": programs, "HOME": str(home), "COLUMNS": "80"}),
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as shell:
        try:
            out, _ = shell.communicate(timeout=_LIMIT_S)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(shell.pid, signal.SIGKILL)  # where it waits for something
    parts = out.split(_MARK)
    assert len(parts) == 2 * len(steps) + 1, f"the shell ended early:\n{out}"
    return [Printed(output, int(code)) for output, code in zip(parts[:-1:2], parts[1::2], strict=True)]


def _differences(steps: list[Typed | str], printed: list[Printed]) -> Iterator[str]:
    for step, (output, code) in zip(steps, printed, strict=True):
        if isinstance(step, str):
            if code:
                yield f"a file could not be written: {output}"
        elif not step.shown.strip():
            if code:
                yield f"line {step.line}: $ {step.command}\nended with {code}, and the page shows nothing:\n{output}"
        elif not fits(step.shown, output):
            yield f"line {step.line}: $ {step.command}\nprinted (and ended with {code}):\n{output}\nnot:\n{step.shown}"


def fits(shown: str, output: str) -> bool:
    """Whether an output is what a page shows, apart from what differs between runs; a line `…` stands for any lines."""
    pattern = "".join(
        r"(?:.*\n)*" if line.strip() == _ANY_LINES else re.escape(line) + r"\n" for line in _comparable(shown)
    )
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in _comparable(output))) is not None


def _comparable(text: str) -> list[str]:
    for varying, stands in _VARYING:
        text = varying.sub(stands, text)
    return [line.strip() for line in text.strip().splitlines()]
