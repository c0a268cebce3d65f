"""The sessions that a page marks with `run` print what it says; CONTRIBUTING.md describes the marks."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pages.blocks import PAGES, ROOT, blocks
from tests.pages.session import RUN, fits, run_page
from tests.ports import free_ports

TEXTS = {page: (ROOT / page).read_text("utf-8") for page in PAGES}
EXAMPLE_PORT = "18555"
"""The port that pages name, on which something may listen here."""
WITH_SESSIONS = [page for page, text in TEXTS.items() if any(RUN in block.marks for block in blocks(text))]

PAGE = """\
```console run
$ echo one; false
one
$ echo $?
1
$ test -f connections.yaml
```

```yaml file
# sub/connections.yaml
version: 1
```

```console run
$ wc -l < sub/connections.yaml
2
$ printf 'a\\nb\\nc\\n'
a
…
$ ls /nowhere
```
"""


@pytest.mark.parametrize("page", WITH_SESSIONS)
def test_what_is_typed_on_a_page_prints_what_it_says(page: str, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (port,) = free_ports(1)
    wrong = run_page(TEXTS[page].replace(EXAMPLE_PORT, str(port)), folder)
    assert not wrong, "\n\n".join([page, *wrong])


def test_a_command_that_fails_is_told_unless_its_output_is_shown(tmp_path: Path) -> None:
    wrong = run_page(PAGE, tmp_path)
    assert [first.splitlines()[0] for first in wrong] == [
        "line 6: $ test -f connections.yaml",
        "line 20: $ ls /nowhere",
    ]


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        ("✓ ready  mail   51.2 ms\n", "✓ ready  mail  7.1 ms\n", True),
        ("1 ready (0.1 s)\n", "1 ready (12 s)\n", True),
        ("1 ready\n", "2 ready\n", False),
        ("since 2026-10-02T08:15:00+00:00\n", "since 2031-01-01T00:00:00+00:00\n", True),
        ("a\n…\n", "a\n", True),
        ("a\n…\nz\n", "a\nb\nc\nz\n", True),
        ("a\n", "a\nb\n", False),
    ],
)
def test_only_what_differs_between_runs_is_left_out(shown: str, printed: str, *, same: bool) -> None:
    assert fits(shown, printed) is same
