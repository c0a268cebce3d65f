"""The canonical layout: each rule, and what must hold of any manifest in any layout."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random

import pytest

from connform.layout.canonical import canonical
from connform.layout.printer import lay_out
from connform.manifest.parser import parse
from tests.fuzz import generate as fuzz
from tests.fuzz.oracle import examine_layout
from tests.layout.generate import Oddly

ROOT = Path(__file__).parents[2]
BROKEN_ON_PURPOSE = ROOT / "docs" / "reference" / "diagnostics.md"  # tests/diagnostics/ lays out its good examples
PAGES = sorted({ROOT / "README.md", *(ROOT / "docs").rglob("*.md")} - {BROKEN_ON_PURPOSE})
RULES = re.findall(
    r"```text\n(.*?)```\n\n```yaml\n(.*?)```", (ROOT / "docs" / "reference" / "layout.md").read_text(), re.DOTALL
)
BLOCK = re.compile(r"^```yaml\n(.*?)^```", re.DOTALL | re.MULTILINE)


def laid_out(data: bytes | str) -> bytes:
    data = data if isinstance(data, bytes) else data.encode()
    return canonical(data, "connections.yaml", lambda: {"api_key"})


@pytest.mark.parametrize(("before", "after"), RULES, ids=range(len(RULES)))
def test_the_page_shows_what_happens(before: str, after: str) -> None:
    assert laid_out(before).decode() == after
    assert laid_out(after).decode() == after


def test_the_page_shows_every_rule() -> None:
    assert len(RULES) == (ROOT / "docs" / "reference" / "layout.md").read_text().count("```text")
    assert len(RULES) > 8


def test_the_example_has_the_canonical_layout() -> None:
    example = (ROOT / "connections.yaml.example").read_bytes()
    assert laid_out(example) == example


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_the_documentation_shows_has_the_canonical_layout(page: Path) -> None:
    for block in BLOCK.findall(page.read_text(encoding="utf-8")):
        assert lay_out(block) == block


CASES = {
    "nothing": ("", ""),
    "blank lines alone": ("\n \n\n", ""),
    "comments alone": ("\n  # a\n\n\n\n# b", "# a\n\n# b\n"),
    "a marker alone": ("---", "---\n"),
    "null": ("~ # nothing yet", "~ # nothing yet\n"),
    "no line break at the end": ("a: 1", "a: 1\n"),
    "a comment at the very end": ("a: 'b'#c", "a: 'b' #c\n"),
    "a sign at the start of a comment": ("#!/x\n#: y\n#z\na: 1", "#!/x\n#: y\n#z\na: 1\n"),
    "a comment between key and value": ("a:\n\n # b\n\n c", "a:\n  # b\n\n  c\n"),
    "a comment behind a key whose value follows": ("a: # b\n\n      c: 1", "a: # b\n  c: 1\n"),
    "a comment behind a dash": ("a:\n- # b\n   c: 1\n   d: 2", "a:\n  - # b\n    c: 1\n    d: 2\n"),
    "an item that has only a comment": ("a:\n-\n  # b\n- c", "a:\n  -\n    # b\n  - c\n"),
    "a comment as far left as a tight list and the next key": (
        "a:\n- b\n# of c\nc: 1",
        "a:\n  - b\n# of c\nc: 1\n",
    ),
    "a comment between two blocks, nearer to the first": (
        "a:\n    b:\n        c: 1\n      # of b\nd: 1",
        "a:\n  b:\n    c: 1\n  # of b\nd: 1\n",
    ),
    "a comment deeper than anything": ("a: 1\n      # b\nc: 1", "a: 1\n# b\nc: 1\n"),
    "a comment less deep than what follows": ("a:\n# b\n  c: 1", "a:\n  # b\n  c: 1\n"),
    "comments before a comma and a bracket": ("a: [b # c\n , d # e\n]", "a: [b # c\n    , d # e\n  ]\n"),
    "a comment behind a bracket": ("a: [ # b\n\n c]", "a: [ # b\n    c]\n"),
    "blank lines inside of brackets": ("a: [\n\nb,\n\n\nc\n\n]", "a: [\n    b,\n\n    c\n  ]\n"),
    "a blank line before a comment inside of brackets": (
        "a: [\n\n# b\nc,\n\n# d\ne]",
        "a: [\n    # b\n    c,\n\n    # d\n    e]\n",
    ),
    "brackets in brackets": ("a: [{b: c,\nd: [e,\nf]}]", "a: [{b: c,\n      d: [e,\n        f]}]\n"),
    "brackets at the root": ("{a: b,\nc: [\nd]}", "{a: b,\n  c: [\n    d]}\n"),
    "an empty value in braces": ("{a: , b: }", "{a: , b: }\n"),
    "a value beside the colon of a quoted key": ('{"a":b}', '{"a": b}\n'),
    "a question mark in braces": ("{? a : b, ? c}", "{? a: b, ? c}\n"),
    "a comma at the end": ("a: [b , ]", "a: [b,]\n"),
    "empty brackets": ("a: [ ]\nb: {\n\n}", "a: []\nb: {\n  }\n"),
    "a question mark": ("?   a\n\n:   b\n? c\n", "? a\n: b\n? c\n"),
    "a mapping behind the colon of a question mark": ("? a\n: b: 1\n  c: 2", "? a\n:\n  b: 1\n  c: 2\n"),
    "lists in lists": ("a:\n-   -   b\n    -\n        - c", "a:\n  - - b\n    - - c\n"),
    "anchors and aliases": ("a:   &x   b\nc: &y\n   d: *x\ne:   *y", "a: &x b\nc: &y\n  d: *x\ne: *y\n"),
    "an anchor on a line of its own": ("a:\n  &x\n  b: 1", "a: &x\n  b: 1\n"),
    "an anchor without a text": ("&a : b\nc: {&d : e}", "&a : b\nc: {&d : e}\n"),
    "an anchor in a list": ("a:\n  - &x\n   b: 1\n  - &y c: 1", "a:\n  - &x\n    b: 1\n  - &y c: 1\n"),
    "tabs": ("a:\tb\t# c\nd: [\te ]", "a: b # c\nd: [e]\n"),
    "an escaped space at the end of a line": ('a: "b\\ \n      c\\\n      d"', 'a: "b\\ \n  c\\\n  d"\n'),
    "spaces at the end of a line of a text": ('a: "b  \n\n  \n c  "', 'a: "b\n\n\n  c  "\n'),
    "a text in brackets over two lines": ("a: ['b\n  c']", "a: ['b\n      c']\n"),
    "a text that starts below its key": ("a:\n  b\n  c", "a: b\n  c\n"),
    "deeper lines": ("a: |\n     b\n       c\n\n     d\n", "a: |\n  b\n    c\n\n  d\n"),
    "spaces at the end of a line of a literal": ("a: |\n b  \n   \n c", "a: |-\n  b  \n    \n  c\n"),
    "a literal's own indentation": ("a:\n    b: |3-  # c\n          d", "a:\n  b: |2- # c\n       d\n"),
    "a literal in a tight list": ("a:\n- |1\n   b\n", "a:\n  - |2\n      b\n"),
    "a literal without a last line break": ("a: |\n  b", "a: |-\n  b\n"),
    "a literal that keeps its blank lines": ("a: |+\n   b\n\n\n# c\nd: 1", "a: |+\n  b\n\n\n# c\nd: 1\n"),
    "a literal that keeps its blank lines, at the end": ("a: >+\n b\n\n\n", "a: >+\n  b\n\n\n"),
    "blank lines behind a literal": ("a: |\n b\n\n\n\n# c\nd: 1", "a: |\n  b\n\n# c\nd: 1\n"),
    "an empty literal": ("a: |\nb: >-\n\n\nc: 1", "a: |\nb: >-\n\nc: 1\n"),
    "directives": ("%YAML 1.2   # a\n\n---   # b\n\nc: 1\n...\n", "%YAML 1.2 # a\n--- # b\nc: 1\n...\n"),
    "brackets behind a marker": ("--- {a: b}", "---\n{a: b}\n"),
    "a comment behind the text of an explicit key": ("? |\n  a\n# c\n: b\n", "? |\n  a\n# c\n: b\n"),
    "a comment behind an explicit key": (
        "a:\n    ? b\n      # c\n    # d\n    : e\n    ? >\n      f\n\n    # g\n    : h\n",
        "a:\n  ? b\n  # c\n  # d\n  : e\n  ? >\n    f\n  # g\n  : h\n",
    ),
    "JSON with surrogates": (
        '{"a": "\\ud83d\\ude42 b",   "c": 1}',
        '{"a": "\\ud83d\\ude42 b", "c": 1}\n',
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_layout(name: str) -> None:
    before, after = CASES[name]
    assert laid_out(before).decode() == after
    assert laid_out(after).decode() == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"a: 1\r\nb:   2\nc: |\n d\r\n", b"a: 1\r\nb: 2\r\nc: |\r\n  d\r\n"),
        (b"a: 1\nb:   2\r\n", b"a: 1\nb: 2\n"),
        (b"\xef\xbb\xbf  # c\r\na: 1", b"# c\r\na: 1\r\n"),
    ],
)
def test_the_first_line_break_is_that_of_all_and_byte_order_marks_go(before: bytes, after: bytes) -> None:
    assert laid_out(before) == after
    assert laid_out(after) == after


COMMENT = re.compile(r"#[ !#]*«[^»]*»")


@pytest.mark.parametrize("batch", range(10))
def test_nothing_but_white_space_changes_in_manifests_by_chance(batch: int) -> None:
    """A thousand in all, with comments everywhere."""
    for number in range(100):
        before = Oddly(Random(f"{batch}:{number}")).manifest()
        after = laid_out(before)
        assert laid_out(after) == after
        assert parse(after, "") == parse(before, "")
        assert COMMENT.findall(after.decode()) == COMMENT.findall(before.decode())
        assert not after.startswith((b"\n", b" "))
        assert after.endswith(b"\n")


def test_the_generator_writes_comments_everywhere() -> None:
    texts = [Oddly(Random(f"0:{number}")).manifest().decode("utf-8-sig") for number in range(100)]
    assert sum(len(COMMENT.findall(text)) for text in texts) > 500


def mutated(random: Random) -> bytes:
    """Return a manifest in an odd layout that is hardly YAML any more."""
    text = Oddly(random).manifest().decode()
    for _ in range(random.choice((1, 1, 2, 3))):
        text = random.choice(fuzz.TEXT_MUTATIONS)(random, text)
    return text.encode("utf-8", "surrogatepass")


@pytest.mark.parametrize("batch", range(5))
def test_whatever_is_yaml_keeps_its_meaning(batch: int) -> None:
    verdicts = set()
    for number in range(100):
        random = Random(f"{batch}:{number}")
        verdicts.add(examine_layout(fuzz.manifest(random) if number % 2 else mutated(random)))
    assert verdicts == {"refused", "laid out"}
