"""docs/reference/catalog.md is made from the files; `CONNFORM_UPDATE=1 pytest tests/catalog/test_page.py` writes it anew."""

from __future__ import annotations

import os
from pathlib import Path

from tests.catalog.page import MARKER, generated

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "catalog.md"
UPDATE = bool(os.environ.get("CONNFORM_UPDATE"))  # read here: tests start from a clean environment


def test_the_page_is_made_from_the_files() -> None:
    head, marker, rest = PAGE.read_text("utf-8").partition(MARKER)
    if UPDATE:
        PAGE.write_text(f"{head}{MARKER}\n{generated()}", "utf-8")
    else:
        assert marker
        assert rest == f"\n{generated()}", "run this test with CONNFORM_UPDATE=1 in the environment to write it"
