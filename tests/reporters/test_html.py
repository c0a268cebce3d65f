"""The format `html` for readers of XML and in Chromium: well-formed, nothing leaves it, nothing runs in it, legible on a screen and on a phone."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from connform.reporters import html, view
from connform.reporters.html.markup import element, with_links
from tests.conftest import do_without, require_peer
from tests.end_to_end.running import environment
from tests.reporters.samples import SAMPLES

MODULES = Path(__file__).parents[1] / "node_modules"
NOW = datetime(2026, 3, 2, 12, 5, tzinfo=UTC)
WIDTHS = (1280, 390)
HOSTILE = (
    '"><script>ran=1</script>\'><img src=x onerror=ran=1><svg onload="ran=1"></title></style></pre>'
    "<meta http-equiv=refresh content='0;url=http://127.0.0.1:9/'><link rel=stylesheet href=http://127.0.0.1:9/>"
    "<iframe srcdoc='<script>parent.ran=1</script>'></iframe>&lt;script&gt; javascript:ran=1 http://127.0.0.1:9/a\"onmouseover=ran=1 "
    "https://user:word@127.0.0.1:9/ --><!-- ]]> \u202egpj\u2028 \x1b]0;x\x07\x00\ufeff\udce9 " + "w" * 90
)
ATTRIBUTES = {
    *(
        "id",
        "class",
        "href",
        "rel",
        "lang",
        "charset",
        "name",
        "content",
        "http-equiv",
        "scope",
        "colspan",
        "role",
        "open",
        "datetime",
    ),
    *("aria-hidden", "aria-label", "aria-labelledby", "viewBox", "d", "width", "height", "x", "y"),
}


def page(shown: view.View, **more: Any) -> ET.Element:
    text = html.render_at(shown, now=NOW, **more)
    assert text.startswith("<!DOCTYPE html>\n")
    return ET.fromstring(text)


def pages() -> dict[str, view.View]:
    """Return a view of each sample, and views with hostile texts in all fields: one for each command and verdict."""
    found = {name: view.build(sample) for name, sample in SAMPLES.items()}
    for command in ("validate", "check", "plan", "state export"):
        found[f"hostile-{command.replace(' ', '-')}"] = hostile_report(command)
    return found


def hostile_report(command: str) -> view.View:
    report: view.View = hostile(view.REPORT.schema)
    (one,) = report["connections"]
    report["connections"] = [
        one | {"verdict": verdict, "action": action, "name": f"{verdict}{HOSTILE}"}
        for verdict, action in (
            ("ready", "none"),
            ("failed", "none"),
            ("unknown", "update"),
            ("skipped", "create"),
            ("", "move"),
        )
    ]
    if command != "check":
        del report["interrupted"], report["findings"]
    return report | {"command": command}


def hostile(schema: dict[str, Any]) -> Any:
    """Return a value of a schema, with the same hostile text wherever a text may be one."""
    kinds = schema.get("type", "string")
    kind = kinds[0] if isinstance(kinds, list) else kinds
    if kind == "object":
        named = {key: hostile(one) for key, one in schema.get("properties", {}).items()}
        return named if schema.get("additionalProperties") is False else {HOSTILE: [HOSTILE], **named}
    if kind == "array":
        return [hostile(schema["items"])]
    return schema["enum"][0] if "enum" in schema else {"string": HOSTILE, "boolean": True}.get(kind, 3)


@pytest.mark.parametrize("name", pages())
def test_a_page_is_well_formed_and_for_everybody(name: str) -> None:
    root = page(pages()[name])
    elements = [*root.iter()]
    assert {attribute for one in elements for attribute in one.attrib} <= ATTRIBUTES
    assert {one.tag for one in elements}.isdisjoint(
        {"script", "img", "iframe", "form", "input", "object", "embed", "base"}
    )
    assert root.get("lang") == "en"
    assert root.findtext("head/title")
    anchors = Counter(one.get("id") for one in elements if one.get("id"))
    assert [anchor for anchor, number in anchors.items() if number > 1] == []
    for one in root.iter("a"):
        link = one.get("href", "")
        assert link[1:] in anchors if link.startswith("#") else link.startswith(("http://", "https://"))
        assert link.startswith("#") or one.get("rel") == "noreferrer noopener"
    levels = [int(one.tag[1]) for one in elements if one.tag in {"h1", "h2", "h3"}]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels)), "a level of headings is left out"
    for table in root.iter("table"):
        assert table.findtext("caption")
        assert all(one.get("scope") for one in table.iter("th"))
        assert len({sum(int(cell.get("colspan", "1")) for cell in row) for row in table.iter("tr")}) == 1


@pytest.mark.timeout(300)
def test_chromium_runs_nothing_and_reaches_nothing_and_shows_all_in_both_widths_and_schemes(tmp_path: Path) -> None:
    if not (MODULES / "playwright-core").is_dir():
        do_without("playwright-core is not installed: npm install --prefix tests")
    program = require_peer("chromium")
    shown = {
        name: one
        for name, one in pages().items()
        if name.startswith("hostile") or name in {"check-recorded", "plan", "validate-errors"}
    }
    for name, one in shown.items():
        (tmp_path / f"{name}.html").write_text(html.render_at(one, now=NOW))
    whole = (tmp_path / "plan.html").read_text()
    (tmp_path / "holed.html").write_text(
        whole.replace("</main>", "<script>ran=1</script><img src=http://127.0.0.1:9/></main>")
    )
    ended = subprocess.run(
        [require_peer("node"), str(Path(__file__).with_name("pages.mjs")), str(MODULES), program, str(tmp_path)],
        input=json.dumps({"pages": [*(f"{name}.html" for name in shown), "holed.html"], "widths": WIDTHS}),
        env=environment({"HOME": str(tmp_path)}),
        text=True,
        capture_output=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    seen = json.loads(ended.stdout)
    texts = seen.pop("shown")
    said = [
        one
        for one in seen["said"]
        if one.startswith("holed.html") and "violates the following Content Security Policy" in one
    ]
    assert len(said) == 2 * len(("light", "dark")), (
        "the policy alone keeps a script from running, and an image from being asked for"
    )
    seen["said"] = [one for one in seen["said"] if one not in said]
    assert seen == {"wide": [], "said": [], "reached": [], "ran": [], "pale": []}
    for name in shown:
        assert not name.startswith("hostile") or "<script>ran=1</script>" in texts[f"{name}.html"]


def test_a_live_page_asks_again_and_can_be_told_not_to() -> None:
    shown = view.build(SAMPLES["check-ready"])
    for refresh_s, expected, link in ((None, None, None), (30, "30", "?refresh=off"), (0, None, "./")):
        root = ET.fromstring(html.render_at(shown, now=NOW, refresh_s=refresh_s))
        metas = {one.get("http-equiv"): one.get("content") for one in root.iter("meta")}
        assert metas.get("refresh") == expected
        assert metas["Content-Security-Policy"] == html.CONTENT_SECURITY_POLICY
        links = [one.get("href") for one in root.iterfind("body/main/nav/a")]
        assert link is None or link in links


@pytest.mark.parametrize(
    ("text", "linked"),
    [
        ("see https://acme.example/a?b=1&c=2.", ["https://acme.example/a?b=1&c=2"]),
        ("(http://acme.example:8443), or", ["http://acme.example:8443"]),
        ("javascript:alert(1) ftp://a.example file:///etc/passwd //a.example data:text/html,x", []),
        ("https://user@acme.example/ https://:8080/ https://[::1/ https://a.example:99999/", []),
        ('https://a.example/"onmouseover="x', ["https://a.example/"]),
    ],
)
def test_only_addresses_of_http_become_links(text: str, linked: list[str]) -> None:
    root = ET.fromstring(element("p", with_links(text)))
    assert [one.get("href") for one in root.iter("a")] == linked
    assert "".join(root.itertext()) == text
