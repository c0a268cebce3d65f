"""The site in Chromium, on a screen and on a phone: nothing is wider than the window, nothing is reached elsewhere, the search answers."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import do_without, require_peer
from tests.end_to_end.running import environment
from tests.site.questions import FIRST, QUESTIONS

pytestmark = pytest.mark.timeout(300)
MODULES = Path(__file__).parents[1] / "node_modules"
WIDTHS = (1280, 390)


class Quiet(SimpleHTTPRequestHandler):
    """Serves files, and says nothing."""

    def log_message(self, *_arguments: Any) -> None: ...


@pytest.fixture
def address(site: Path) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site))) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_pages_fit_a_screen_and_a_phone_and_the_search_answers(site: Path, address: str, tmp_path: Path) -> None:
    if not (MODULES / "playwright-core").is_dir():
        do_without("playwright-core is not installed: npm install --prefix tests")
    program = require_peer("chromium")
    pages = ["/" + page.parent.relative_to(site).as_posix().removeprefix(".") for page in site.rglob("index.html")]
    asked = list(QUESTIONS)[: len(WIDTHS)]  # `test_search.py` asks all of them
    ended = subprocess.run(
        [require_peer("node"), str(Path(__file__).with_name("browser.mjs")), str(MODULES), program, address],
        input=json.dumps({"pages": [f"{page.rstrip('/')}/" for page in pages], "widths": WIDTHS, "questions": asked}),
        env=environment({"HOME": str(tmp_path)}),
        text=True,
        capture_output=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    seen = json.loads(ended.stdout)
    assert (seen["wide"], seen["said"], seen["reached"]) == ([], [], [])
    answers = {question: [path.strip("/") for path in found[:FIRST]] for question, found in seen["answers"].items()}
    assert {question: found for question, found in answers.items() if QUESTIONS[question] not in found} == {}
