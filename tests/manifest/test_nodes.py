from __future__ import annotations

from typing import Any

import pytest

from connform.manifest import yaml_builder, yaml_errors
from connform.manifest.nodes import Map, Seq, locate
from connform.manifest.parser import parse
from connform.manifest.yaml_errors import YamlError


def tree(text: str | bytes) -> Map:
    root, duplicates = parse(text.encode() if isinstance(text, str) else text, "m.yaml")
    assert root is not None
    assert duplicates == []
    return root


def place(span: Any) -> tuple[int, int, int, int]:
    return span.line, span.column, span.end_line, span.end_column


@pytest.mark.parametrize(
    ("scalar", "value"),
    [
        *((word, None) for word in ("", "~", "null", "Null", "NULL")),
        *((word, True) for word in ("true", "True", "TRUE")),
        *((word, False) for word in ("false", "False", "FALSE")),
        *((word, word) for word in ("yes", "no", "on", "off", "Yes", "NO", "y", "n", "tRUE", "nULL", "nil", "None")),
        *(("0", 0), ("7", 7), ("-7", -7), ("+7", 7), ("-0", 0), ("0012", 12), ("0o14", 12), ("0x1F", 31)),
        *(
            (word, word)
            for word in ("0b1", "0o8", "0xG", "1_000", "1:30", "2026-01-01", "12e", "+", "--1", "1 2", "１")
        ),
        *(("1.5", 1.5), ("-.5", -0.5), ("5.", 5.0), ("1e3", 1000.0), ("1E-2", 0.01), ("+1.0e+1", 10.0)),
        *((word, word) for word in (".inf", "-.Inf", ".nan", ".", "e3", "1.2.3", "1e", ".e1")),
        ("1" * 20, int("1" * 20)),
        ("1" * 21, "1" * 21),
        *(('"7"', "7"), ("'true'", "true"), ('""', ""), ("'~'", "~"), ('"\\u00e9\\n"', "é\n"), ("!x", None)),
    ],
)
def test_a_scalar_has_the_type_of_yaml_1_2(scalar: str, value: object) -> None:
    if scalar == "!x":
        with pytest.raises(YamlError):
            tree(f"a: {scalar}")
        return
    found = tree(f"a: {scalar}\n")["a"]
    assert (type(found), found) == (type(value), value)


def test_a_block_scalar_is_text_whatever_it_holds() -> None:
    assert tree("a: |\n  7\nb: >-\n  true\n  false\n") == {"a": "7\n", "b": "true false"}


def test_a_key_is_text_whatever_it_looks_like() -> None:
    assert tree("1: a\ntrue: b\n~: c\nno: d\n") == {"1": "a", "true": "b", "~": "c", "no": "d"}


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ("a: b", (1, 1, 1, 2), (1, 4, 1, 5)),
        ("\n\na:   bcd  # e", (3, 1, 3, 2), (3, 6, 3, 9)),
        ("a: 'b c'", (1, 1, 1, 2), (1, 4, 1, 9)),
        ("'a':\n  b", (1, 1, 1, 4), (2, 3, 2, 4)),
        ("a:", (1, 1, 1, 2), (1, 1, 1, 2)),
        ("a: {b: c}", (1, 1, 1, 2), (1, 1, 1, 2)),
        ("a: [b]", (1, 1, 1, 2), (1, 1, 1, 2)),
        ("{x: 1, a: b}", (1, 8, 1, 9), (1, 11, 1, 12)),
        ("x: 1\r\na: b\r\n", (2, 1, 2, 2), (2, 4, 2, 5)),
        ("{x: 日本語, a: b}", (1, 10, 1, 11), (1, 13, 1, 14)),
        ("{x: 🙂, a: é}", (1, 8, 1, 9), (1, 11, 1, 12)),
        ("\ufeffa: b", (1, 1, 1, 2), (1, 4, 1, 5)),
        ("x: &n b\na: *n", (2, 1, 2, 2), (2, 4, 2, 6)),
        ("? a\n: b", (1, 3, 1, 4), (2, 3, 2, 4)),
        ("a: b\n  c", (1, 1, 1, 2), (1, 4, 2, 4)),
    ],
    ids=[
        *(
            "plain",
            "blank lines before and a comment behind",
            "quotes count",
            "the next line",
            "an empty value is at its key",
        ),
        *("a mapping is at its key", "a list is at its key", "flow", "CRLF", "wide characters count one each"),
        *("so do those of four bytes", "a byte order mark counts none", "an alias", "an explicit key", "two lines"),
    ],
)
def test_every_key_and_value_has_its_place(text: str, key: tuple[int, ...], value: tuple[int, ...]) -> None:
    root = tree(text)
    assert (place(root.key_span("a")), place(root.value_span("a"))) == (key, value)
    assert root.key_span("a").file == "m.yaml"


def test_a_path_leads_to_the_nearest_place() -> None:
    root = tree("a:\n  - b: c\n  - d\n")
    start = root.key_span("a")
    seq = root["a"]
    assert isinstance(seq, Seq)
    assert place(seq.item_span(1)) == (3, 5, 3, 6)
    assert place(locate(root, ("a", 0, "b"), start)) == (2, 8, 2, 9)
    assert place(locate(root, ("a", 0, "b"), start, at_key=True)) == (2, 5, 2, 6)
    assert place(locate(root, ("a", 1), start)) == (3, 5, 3, 6)
    assert place(locate(root, ("a", 0, "missing", "deeper"), start)) == (2, 5, 2, 6)
    assert place(locate(root, ("a", 1, "deeper"), start)) == (3, 5, 3, 6)
    assert place(locate(root, ("nowhere",), start)) == place(start)


def test_a_key_that_stands_twice_is_reported_and_the_last_one_counts() -> None:
    root, duplicates = parse(b"a: 1\nb: {c: 1, c: 2, c: 3}\na: 2\n", "m.yaml")
    assert root == {"a": 2, "b": {"c": 3}}
    assert [(one.code, place(one.span), one.first and place(one.first)) for one in duplicates] == [
        ("duplicate-key", (2, 11, 2, 12), (2, 5, 2, 6)),
        ("duplicate-key", (2, 17, 2, 18), (2, 11, 2, 12)),
        ("duplicate-key", (3, 1, 3, 2), (1, 1, 1, 2)),
    ]


def test_an_alias_is_the_same_value_again() -> None:
    root = tree("a: &x {b: [1]}\nc: *x\nd: [*x, *x]\n")
    assert root == {"a": {"b": [1]}, "c": {"b": [1]}, "d": [{"b": [1]}, {"b": [1]}]}


@pytest.mark.parametrize("text", ["", "\n\n", "# only this\n", "---\n", "~", "null", "--- # x\n...\n", "\ufeff"])
def test_nothing_is_no_mapping(text: str) -> None:
    assert parse(text.encode(), "m.yaml") == (None, [])


@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [
        ("- a", "wrong-type", 1, 1),
        ("a", "wrong-type", 1, 1),
        ("\n  7", "wrong-type", 2, 3),
        ("a: !!str b", "yaml-tag", 1, 4),
        ("!x a: b", "yaml-tag", 1, 1),
        ("a: !x {}", "yaml-tag", 1, 4),
        ("a: [!x b]", "yaml-tag", 1, 5),
        ("a: *b", "yaml-alias", 1, 4),
        ("a: &b [*b]", "yaml-alias", 1, 8),
        ("a: 1\n---\nb: 1", "multiple-documents", 2, 1),
        ("? [a]\n: b", "yaml-key", 1, 3),
        ("? {a: b}\n: c", "yaml-key", 1, 3),
        ("a: &x 1\n*x : 2", "yaml-key", 2, 1),
        ("a:\n\tb: 1", "yaml-tab", 2, 1),
        ("a:\n  b: 1\n \tc: 2", "yaml-tab", 3, 2),
        ("a: 'b", "yaml-syntax", 1, 4),
        ("a: [b,\n\n", "yaml-syntax", 1, 4),
        ("a: b: c", "yaml-syntax", 1, 5),
        ("a:\n  b: 1\n c: 2", "yaml-syntax", 3, 2),
        ("a: \x00", "yaml-syntax", 1, 4),
        ("é: b\n\x07", "yaml-syntax", 2, 1),
        ("a: b\n%", "yaml-syntax", 2, 1),
    ],
)
def test_what_is_refused_has_a_code_and_a_place(text: str, code: str, line: int, column: int) -> None:
    with pytest.raises(YamlError) as caught:
        parse(text.encode(), "m.yaml")
    assert (caught.value.code, caught.value.span.line, caught.value.span.column) == (code, line, column)


@pytest.mark.parametrize(
    ("data", "line", "column"),
    [(b"\xff\xfea", 1, 1), (b"a: b\nc: \xe4\n", 2, 4), ("é: ".encode() + b"\xc3", 1, 4), (b"a: \xed\xa0\x80", 1, 4)],
)
def test_text_of_another_encoding_is_refused_at_its_first_byte(data: bytes, line: int, column: int) -> None:
    with pytest.raises(YamlError) as caught:
        parse(data, "m.yaml")
    assert (caught.value.code, place(caught.value.span)) == ("not-utf8", (line, column, line, column + 1))


def test_depth_is_limited() -> None:
    tree("a: " + "[" * yaml_builder.MAX_DEPTH + "]" * yaml_builder.MAX_DEPTH)
    with pytest.raises(YamlError) as caught:
        tree("a: " + "[" * 65 + "]" * 65)
    assert (caught.value.code, caught.value.span.column) == ("yaml-too-deep", 4 + 64)


def test_the_length_of_a_scalar_is_limited() -> None:
    tree("a: " + "x" * yaml_errors.MAX_SCALAR_CHARACTERS)
    with pytest.raises(YamlError) as caught:
        tree("a: " + "x" * (yaml_errors.MAX_SCALAR_CHARACTERS + 1))
    assert (caught.value.code, place(caught.value.span)) == ("yaml-scalar-too-long", (1, 4, 1, 5))


def test_what_aliases_add_is_limited_and_honest_sharing_is_not() -> None:
    shared = "a: &x [1, 2, 3]\nb: [" + "*x, " * 1000 + "]\n"
    assert len(tree(shared)["b"]) == 1000  # type: ignore[arg-type]  # it is a list
    bomb = "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n"
    bomb += "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9))
    with pytest.raises(YamlError) as caught:
        tree(bomb)
    assert caught.value.code == "yaml-alias"


@pytest.mark.parametrize(("aliases", "is_refused"), [(1011, False), (1012, True)])
def test_the_more_is_written_out_the_more_aliases_may_add(*, aliases: int, is_refused: bool) -> None:
    """110 nodes for each alias: 111 210 are 100 000, and ten for each of the 1 121 nodes that are written out."""
    text = f"a: &x [{'1, ' * 109}]\nb: [{'*x, ' * aliases}]\n"
    if is_refused:
        with pytest.raises(YamlError, match="aliases multiply the content"):
            tree(text)
    else:
        tree(text)
