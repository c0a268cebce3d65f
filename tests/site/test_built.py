"""The site as it was built: it is complete, its links lead somewhere, and it loads nothing from elsewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.site.conftest import ROOT, run
from tests.site.pages import Page, read_pages, target

pytestmark = pytest.mark.timeout(300)  # one process builds, the others wait

BROKEN = """\
# A page

[no page](nowhere.md), [no anchor](other.md#nothing), [no anchor here](#nothing-here).

```{toctree}
other
```
"""


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    return read_pages(site)


def test_every_link_leads_to_a_page_and_an_anchor_that_exist(site: Path, pages: dict[Path, Page]) -> None:
    broken = []
    for page in pages.values():
        for link in {*page.links, *page.resources}:
            found = target(page, link, site)
            if found is None:
                continue
            file, anchor = found
            if not file.is_file() or (anchor and file in pages and anchor not in pages[file].anchors):
                broken.append(f"{page.file.relative_to(site)}: {link}")
    assert broken == []


def test_nothing_is_loaded_from_elsewhere(site: Path, pages: dict[Path, Page]) -> None:
    elsewhere = re.compile(r"^(https?:)?//")
    loaded = [
        f"{page.file.relative_to(site)}: {resource}"
        for page in pages.values()
        for resource in page.resources
        if elsewhere.match(resource)
    ]
    styles = [
        f"{file.relative_to(site)}: {address}"
        for file in site.rglob("*.css")
        for address in re.findall(r"(?:url\(|@import) *['\"]?((?:https?:)?//[^'\")]+)", file.read_text("utf-8"))
    ]
    assert loaded + styles == []


def test_every_page_is_in_the_navigation(site: Path, pages: dict[Path, Page]) -> None:
    start = pages[site / "index.html"]
    listed = {found[0] for link in start.links if (found := target(start, link, site))}
    assert [
        file.relative_to(site).as_posix()
        for file in pages
        if file not in listed and file.parent.name not in {"search", "genindex"} and file.parent != site
    ] == []


def test_every_page_of_docs_is_on_the_site(site: Path) -> None:
    missing = []
    for page in (ROOT / "docs").rglob("*.md"):
        place = page.relative_to(ROOT / "docs").with_suffix("")
        place = place.parent if place.name == "index" else place
        if not (site / place / "index.html").is_file():
            missing.append(page)
    assert missing == []


def test_a_link_that_leads_nowhere_and_a_page_outside_of_the_navigation_fail_the_build(
    site: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "pages"
    folder.mkdir()
    (folder / "index.md").write_text(BROKEN)
    (folder / "other.md").write_text("# Other\n")
    (folder / "lonely.md").write_text("# Lonely\n")
    program = "import sys; from pathlib import Path; from docs.site.__main__ import render; sys.exit(render(Path(sys.argv[1]), Path(sys.argv[2])))"
    ended = run("-c", program, str(folder), str(tmp_path / "site"))
    assert ended.returncode
    assert [
        part for part in ("nowhere.md", "'nothing'", "'nothing-here'", "lonely.md") if part not in ended.stderr
    ] == []
