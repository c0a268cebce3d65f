"""The search of the site finds the page that answers a question."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.conftest import require_peer
from tests.site.questions import FIRST, QUESTIONS

pytestmark = pytest.mark.timeout(300)


def test_each_question_finds_the_page_that_answers_it(site: Path) -> None:
    program = [require_peer("node"), str(Path(__file__).with_name("search.mjs")), str(site)]
    ended = subprocess.run(program, input=json.dumps([*QUESTIONS]), text=True, capture_output=True, check=True)
    answers = dict(zip(QUESTIONS, json.loads(ended.stdout), strict=True))
    assert {
        question: found[:FIRST] for question, found in answers.items() if QUESTIONS[question] not in found[:FIRST]
    } == {}
