"""Builds the site: `python -m docs.site FOLDER` (`make docs`). Assembles the pages beside it, then has Sphinx render them."""

from __future__ import annotations

import gc
import shutil
import sys
from pathlib import Path

from docs.site.assembly import assemble


def build(site: Path) -> int:
    """Build the site into a folder, and return Sphinx's exit code: not 0 after any warning."""
    pages = site.with_name("pages")
    assemble(pages)
    return render(pages, site)


def render(pages: Path, site: Path) -> int:
    """Have Sphinx render pages into a folder anew, and return its exit code."""
    from sphinx.cmd.build import main

    doctrees = site.with_name("doctrees")
    for folder in (site, doctrees):
        shutil.rmtree(folder, ignore_errors=True)
    options = ["--quiet", "--fail-on-warning", "--nitpicky", "--builder", "dirhtml", "--jobs", "auto"]
    code: int = main(
        [*options, "--conf-dir", str(Path(__file__).parent), "-d", str(doctrees), str(pages), str(site)]
    )  # typed only where Sphinx is installed
    return code


if __name__ == "__main__":
    gc.disable()  # what Sphinx makes is kept until the end: walking it again and again is a third of a build
    raise SystemExit(build(Path(sys.argv[1]).resolve()))
