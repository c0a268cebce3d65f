"""The parser of simple YAML makes the same tree as libyaml's, and leaves to it what it doesn't know."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from random import Random

import pytest

from connform.manifest.nodes import Map
from connform.manifest.parser import parse
from connform.manifest.simple_yaml import parse_simple
from connform.manifest.yaml_builder import build
from connform.manifest.yaml_errors import YamlError
from tests.fuzz.generate import manifest
from tests.simple_yaml import is_simple

REPOSITORY = Path(__file__).parents[2]
SIMPLE = (
    "a: b",
    "a: b\n",
    "---\na: b\n",
    "# c\n\na:\n",
    "a:\n  b:\n    c: 1\n  d: 2\ne: 3\n",
    "a:\n\n  # c\n  b: 1 # c\n# c\n",
    "a: #c\n  b: 1\n",
    "a: b#c\nd: e:f\ng: https://host/path#part\n",
    "a: two  words # c\nb: -7\nc: 1.5\nd: true\ne: ~\nf: null\ng:   0x1F  \n",
    'a: "two: words # \\"c\\" \\\\"\nb: \'c\\d\' # c\n"c d": \'\'\n\'e\': ""\n',
    "two words: a\n",
    "a:\n- b\n- 7\n- c: 1\n  d: 2\n-   e:\n      f: 1\ng: h\n",
    "a:\n  - b # c\n  - \"c\"\n  - 'd'\n  - [e, f]\n  - {g: h}\n",
    "a: [b, 'c', \"d\", 7, ~ , https://e]\nf: []\ng: [ ]\nh: {}\n",
    "a: {b: c, d: [e, {f: g}], \"h\": 'i', j: { } } # c\n",
    "a: [[b], [c, [d]]]\n",
    "a: >-\n  two\n  lines\nb: c\n",
    "a:\n  b: >- # c\n     two\n     # lines\n\n  c: d\n",
    "a: >-\n  end",
    "a: ü\nb: [é, ж]\n",
    "version: 1\nconnections:\n  a: {extends: b}\n  c:\n",
    "".join(f"{' ' * depth}a:\n" for depth in range(32)) + " " * 31 + "- " + "[" * 32 + "]" * 32 + "\n",
)
OTHERS = (
    *(
        "",
        "# c\n",
        "- a\n",
        "a\n",
        "[a]\n",
        "{a: b}\n",
        " a: b\n",
        "a: b\n c: d\n",
        "a:\n  b: c\n d: e\n",
        "a: b\n  c\n",
    ),
    *(
        "a: b: c\n",
        "a: b:\n",
        "a:b\n",
        "a: &b c\n",
        "a: *b\n",
        "a: !b c\n",
        "? a\n",
        "a: |\n  b\n",
        "a: >\n  b\n",
        "a: @b\n",
    ),
    *(
        "a: b\na: c\n",
        "a: {b: c, b: d}\n",
        "a: [b\n",
        "a: [b,]\n",
        "a: [b: c]\n",
        "a: {b}\n",
        "a: {b: }\n",
        "a: {b:c}\n",
    ),
    *("a: [b] c\n", "a: [b]#c\n", 'a: "b"#c\n', 'a: "b" c\n', 'a: "b\n', 'a: "\\n"\n', "a: 'b''c'\n", "a: 'b\n  c'\n"),
    *(
        "a: b\n---\nc: d\n",
        "a: b\n...\n",
        "--- a\n",
        "a:\tb\n",
        "a: b\r\n",
        "a: b\u00a0\n",
        "a: [b?, c]\n",
        "a: [b:, c]\n",
    ),
    *(
        "a:\n  - b\n  c: d\n",
        "a:\n  -\n    b\n",
        "a: - b\n",
        "- a: b\n",
        "a:\n- b\n c: d\n",
        "a: >-\n b\n\n c\n",
        "a: >-\nb\n",
    ),
    *(
        "a: >-\n  b\n   c\n",
        "a: >-\n\n  b\n",
        "a: >-\n  b \n  c\n",
        "<<: a\n",
        "a=b: c\n",
        "%a: b\n",
        "a: %b\n",
        "a: `b`\n",
    ),
    *(
        "a: " + "[" * 40 + "]" * 40 + "\n",
        "".join(f"{' ' * depth}a:\n" for depth in range(70)),
        "".join(f"{' ' * depth}a:\n" for depth in range(32)) + " " * 31 + "- " + "[" * 33 + "]" * 33 + "\n",
        "".join(f"{' ' * depth}a:\n" for depth in range(33)) + " " * 32 + "- " + "[" * 32 + "]" * 32 + "\n",
        "".join(f"{'  ' * depth}{'- ' if depth else ''}a:\n" for depth in range(17))
        + "  " * 17
        + "- "
        + "[" * 32
        + "]" * 32
        + "\n",
    ),
)


@pytest.mark.parametrize("text", SIMPLE)
def test_a_simple_document_is_parsed_without_libyaml(text: str) -> None:
    assert is_simple(text.encode())


@pytest.mark.parametrize("text", OTHERS)
def test_anything_else_is_left_to_libyaml(text: str) -> None:
    assert not is_simple(text.encode())


def test_the_manifests_of_the_repository_are_parsed_alike_by_both() -> None:
    files = [file for folder in ("src", "examples", "tests") for file in (REPOSITORY / folder).rglob("*.yaml")]
    simple = [file for file in files if "node_modules" not in file.parts and is_simple(file.read_bytes())]
    assert len(simple) > 300
    assert is_simple((REPOSITORY / "connections.yaml.example").read_bytes())


@pytest.mark.parametrize("seed", range(4))
def test_what_one_character_changes_is_parsed_alike_by_both(seed: int) -> None:
    """A manifest and a row of the table, in which a character was replaced, added or removed."""
    random = Random(seed)
    for original in (*SIMPLE, *(manifest(random).decode("utf-8", "replace")[:2_000] for _ in range(4))):
        for _ in range(20):
            at = random.randrange(len(original) + 1)
            text = original[:at] + random.choice(["", *"\n :#-,[]{}'\"\\>|&?a7"]) + original[at + random.randrange(2) :]
            is_simple(text.encode())


def test_a_long_list_of_known_lines_keeps_each_position() -> None:
    text = "a:\n" + "".join(f"  k{number}:\n    tags: [one, two]\n    v: {number}\n" for number in range(2_500))
    assert is_simple(text.encode())
    root, _ = parse(text.encode(), "m.yaml")
    assert isinstance(root, Map)


def test_long_lines_are_not_kept_when_they_were_parsed() -> None:
    text = "".join(f"k{number}: {'x' * 50_000}\n" for number in range(100))
    tracemalloc.start()
    parse(text.encode(), "m.yaml")
    kept, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most > len(text)
    assert kept < 1_000_000


LONG = "x" * 70_000


@pytest.mark.parametrize(
    "text",
    [
        f"a: {LONG}\n",
        f"a:\n  - b: 1\n    c:   {LONG} # c\nd: e\n",
        f"a:\n- b: {LONG}\n    {LONG}\n",
        f"a: {LONG}\na: *b\n",
        f"'a': {'ü ' * 40_000}",
        f"a: {'x:' * 100_000}y",
    ],
    ids=range(6),
)
def test_a_scalar_that_is_too_long_is_refused_as_by_libyaml(text: str) -> None:
    with pytest.raises(YamlError) as found:
        parse_simple(text, "m.yaml")
    with pytest.raises(YamlError) as expected:
        build(text.encode(), text, "m.yaml")
    assert (found.value.code, found.value.detail, found.value.span) == (
        expected.value.code,
        expected.value.detail,
        expected.value.span,
    )


@pytest.mark.parametrize(
    "text",
    [
        f"a: b # {LONG}\n",
        f"a: {LONG}: b\n",
        f'a: "{LONG}"\n',
        f"- {LONG}\n",
        f"a: [{LONG}]\n",
        f"a: b\na: {LONG}: c\n\t",
    ],
)
def test_another_long_line_is_left_to_libyaml(text: str) -> None:
    assert parse_simple(text, "m.yaml") is None
