"""Whether output is coloured. Layer 5. IO: reads NO_COLOR, FORCE_COLOR, CLICOLOR_FORCE and TERM; asks what a stream is."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from connform.cli.options import Options


def wants_color(stream: TextIO, options: Options) -> bool:
    """Return whether to colour what is written to a stream.

    The first of these that says something decides: `--color` and `--no-color`; NO_COLOR (no-color.org); FORCE_COLOR
    (force-color.org) and CLICOLOR_FORCE (bixense.com/clicolors); `TERM=dumb`; whether the stream is a terminal.
    """
    if options.no_color or options.color in {"never", "always"}:
        return options.color == "always" and not options.no_color
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR") or os.environ.get("CLICOLOR_FORCE", "0") not in {"", "0"}:
        return True
    return os.environ.get("TERM") != "dumb" and stream.isatty()
