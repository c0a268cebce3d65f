"""The file of docs/guides/providers.md has the page's steps as its parts."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import indent

from tests.pages.blocks import blocks

PAGE = (Path(__file__).parents[2] / "docs" / "guides" / "providers.md").read_text("utf-8")
STEPS = re.findall(r"### [1-5]\..*?```yaml\n(.*?)```", PAGE, re.DOTALL)


def test_the_steps_are_the_whole_file() -> None:
    (whole,) = (block.text for block in blocks(PAGE) if "file" in block.marks)
    assert len(STEPS) == 5
    assert indent("".join(STEPS), "    ") in whole
