"""Puts the output and the picture of the last whole `make bench` into docs/explanation/: `make benchpage`."""

from __future__ import annotations

import shutil
import sys

from benchmarks.kit.machine import ROOT

PAGE = ROOT / "docs" / "explanation" / "benchmarks.md"
BEGIN, END = "<!-- the output of make bench: begin -->\n", "<!-- the output of make bench: end -->\n"


def with_output(page: str, output: str) -> str:
    """Return the page with this output in place of the one that it has.

    Raises:
        ValueError: the page has not both marks.
    """
    before, _, rest = page.partition(BEGIN)
    _, mark, after = rest.partition(END)
    if not mark:
        message = f"{PAGE}: no line {BEGIN!r}, or no {END!r} after it"
        raise ValueError(message)
    return f"{before}{BEGIN}\n{output}\n{END}{after}"


def main() -> int:
    output, picture = ROOT / "build" / "benchmarks.md", ROOT / "build" / "growth.svg"
    if not output.exists():
        print("there is no build/benchmarks.md: `make bench` writes it, when it runs every benchmark", file=sys.stderr)
        return 1
    text = with_output(PAGE.read_text(encoding="utf-8"), output.read_text(encoding="utf-8"))
    PAGE.write_text(text, encoding="utf-8")
    shutil.copyfile(picture, PAGE.with_name("growth.svg"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
