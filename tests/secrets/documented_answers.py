"""Answers of services, and the tables of docs/reference/secret-answers.md: which answer means which fault."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from connform.errors import SecretUnresolved
from connform.secrets.kit.interface import Fetched, Outcome
from tests.canary import assert_no_canary

_PAGE = Path(__file__).parents[2] / "docs" / "reference" / "secret-answers.md"


class Answer(NamedTuple):
    status: int
    code: str
    """What docs/reference/secret-answers.md calls it by."""
    body: Any
    fault: str
    """Empty for a secret."""
    words: str
    """A part of message and hint; the value of a secret."""

    @property
    def timeout_s(self) -> float:
        """How long a read may take: what is repeated until then is given up soon."""
        return 1 if self.status in {429, 502, 503, 504} else 20


def name_of(answer: Answer) -> str:
    return f"{answer.status}-{answer.code}"


def assert_meaning(answer: Answer, outcome: Outcome) -> None:
    if not answer.fault:
        assert isinstance(outcome, Fetched), outcome
        assert outcome.secret.reveal() == answer.words
        return
    assert isinstance(outcome, SecretUnresolved)
    assert outcome.fault.name == answer.fault
    assert answer.words in f"{outcome.message} {outcome.hint}"
    assert_no_canary(outcome.message, outcome.hint)


def documented(heading: str) -> set[tuple[str, str, str]]:
    """Return status, code and class of each line of the table below a heading; an empty code or class where it has none."""
    section = _PAGE.read_text(encoding="utf-8").split(f"\n### {heading}\n")[1].partition("\n##")[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("| ")][1:]
    return {(status.strip(), _code(answer), _code(fault)) for status, answer, fault, *_ in rows}


def answers(section: str) -> list[Mapping[str, str]]:
    """Return the rows of the only table of a section, by the names of their columns."""
    _, _, behind = _PAGE.read_text(encoding="utf-8").partition(f"\n## {section}\n")
    table = re.findall(r"^\|(.*)\|$", behind.partition("\n## ")[0], re.MULTILINE)
    names, _, *rows = ([cell.strip().removeprefix("`").removesuffix("`") for cell in row.split("|")] for row in table)
    return [dict(zip(names, row, strict=True)) for row in rows]


def content_of(body: str) -> Any:
    """Return the JSON of a body; the text of one that is none."""
    return json.loads(body) if body[:1] in ("{", "[") else body


def _code(cell: str) -> str:
    found = re.search(r"`([^`]+)`", cell)
    return found[1] if found else ""
