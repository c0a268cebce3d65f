"""When output is coloured: the table of `docs/reference/environment.md`."""

from __future__ import annotations

from io import StringIO

import pytest

from connform.cli.color import wants_color
from connform.cli.options import Options


class _Terminal(StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("options", "variables", "on_terminal", "elsewhere"),
    [
        (Options(), {}, True, False),
        (Options(color="auto"), {}, True, False),
        (Options(color="always"), {"NO_COLOR": "1", "TERM": "dumb"}, True, True),
        (Options(color="never"), {"FORCE_COLOR": "1"}, False, False),
        (Options(no_color=True), {"FORCE_COLOR": "1"}, False, False),
        (Options(), {"NO_COLOR": "1", "FORCE_COLOR": "1"}, False, False),
        (Options(), {"NO_COLOR": ""}, True, False),
        (Options(), {"FORCE_COLOR": "0"}, True, True),
        (Options(), {"FORCE_COLOR": ""}, True, False),
        (Options(), {"CLICOLOR_FORCE": "1", "TERM": "dumb"}, True, True),
        (Options(), {"CLICOLOR_FORCE": "0"}, True, False),
        (Options(), {"TERM": "dumb"}, False, False),
    ],
)
def test_the_first_that_says_something_decides(
    monkeypatch: pytest.MonkeyPatch, options: Options, variables: dict[str, str], on_terminal: bool, elsewhere: bool
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"TERM": "xterm", **variables}.items():
        monkeypatch.setenv(name, value)
    assert wants_color(_Terminal(), options) is on_terminal
    assert wants_color(StringIO(), options) is elsewhere
