"""The blocks of code on the pages of README and docs/, and the commands of `connform` in them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PAGES = [
    page.relative_to(ROOT).as_posix()
    for page in [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
    if page.name != "CHANGELOG.md"  # tells what was
]
_FENCE = re.compile(
    r"^(?P<margin> *)(?P<fence>`{3,})(?P<info>[^`\n]*)\n(?P<text>.*?)^ *(?P=fence) *$", re.MULTILINE | re.DOTALL
)
_INLINE = re.compile(r"(?<!`)`(connform [a-z][^`\n]*)`(?!`)")
_IN_A_FILE = re.compile(r"^\s*(?:- )?(?:run: |RUN |CMD |ExecStart=)?(connform [a-z].*)$")
_SHELL = {"console", "sh", "bash", "shell"}
_STARTERS = {";", "&&", "||", "|", "&", "(", "{", "$(", "!", "then", "do", "else", "if", "while", "time", "sudo"}


class Block(NamedTuple):
    """One block between fences."""

    line: int
    """Where its text begins, from 1."""
    language: str
    marks: frozenset[str]
    """The words after the language: `run`, `simulate`, `file`."""
    text: str


class Command(NamedTuple):
    """A command of `connform`, as a page has it."""

    line: int
    arguments: tuple[str, ...]
    whole: bool
    """Whether it can be run as it stands; what prose quotes may lack arguments."""


def blocks(text: str) -> Iterator[Block]:
    """Return the blocks of a page in their order, those in comments too."""
    for found in _FENCE.finditer(text):
        language, *marks = found["info"].split() or [""]
        margin = len(found["margin"])
        inside = "".join(
            line[margin:] if line[:margin].isspace() else line for line in found["text"].splitlines(keepends=True)
        )
        yield Block(text.count("\n", 0, found.start("text")) + 1, language, frozenset(marks), inside)


def commands(text: str) -> Iterator[Command]:
    """Return the commands of `connform` on a page: in blocks, and in prose between backticks."""
    for block in blocks(text):
        lines = _typed(block.text) if block.language == "console" else _written(block)
        for number, line in lines:
            for arguments in connform_in(line):
                yield Command(block.line + number, arguments, whole=True)
    prose = _FENCE.sub(lambda found: "\n" * found[0].count("\n"), text)
    for quoted in _INLINE.finditer(prose):
        for arguments in connform_in(quoted[1]):
            yield Command(prose.count("\n", 0, quoted.start()) + 1, arguments, whole=False)


def _typed(text: str) -> Iterator[tuple[int, str]]:
    """Return what is typed in a session: the lines that begin with `$ `, each with those that continue it."""
    return ((number, line[2:]) for number, line in _joined(text) if line.startswith("$ "))


def _written(block: Block) -> Iterator[tuple[int, str]]:
    for number, line in _joined(block.text):
        if block.language in _SHELL:
            yield number, line.removeprefix("$ ")
        elif found := _IN_A_FILE.match(line):
            yield number, found[1]


def _joined(text: str) -> Iterator[tuple[int, str]]:
    """Return the lines with their numbers from 0, a line that ends in a backslash with the next one."""
    whole, began = "", 0
    for number, line in enumerate(text.splitlines()):
        began = began if whole else number
        whole += line.removesuffix("\\")
        if not line.endswith("\\"):
            yield began, whole
            whole = ""


def connform_in(line: str) -> Iterator[tuple[str, ...]]:
    """Return the arguments of each `connform` in a line of shell."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    try:
        words = list(lexer)
    except ValueError:  # a quotation that another line closes
        return
    starts = True
    for index, word in enumerate(words):
        if starts and word == "connform" and words[index + 1 : index + 2]:
            yield tuple(_arguments(words[index + 1 :]))
        starts = word in _STARTERS or (starts and re.match(r"\w+=", word) is not None)


def _arguments(words: list[str]) -> Iterator[str]:
    """Return the words up to the end of the command, without redirections."""
    skip = False
    for word in words:
        if skip:
            skip = False
        elif word[0] in "<>":
            skip = word[-1] in "<>&"
        elif word[0] in ";|&)":
            return
        else:
            yield word
