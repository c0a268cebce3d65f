"""What is said of texts that are no YAML, or that readers of YAML take for different things: the place and the words."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from yaml import _yaml

from connform.cli.main import main
from connform.diagnostics import Diagnostic
from connform.engine.load.vocabulary import vocabulary
from connform.manifest.files import Source
from connform.manifest.libyaml import scalar_extents
from connform.manifest.parser import parse
from connform.manifest.syntax import explain
from connform.manifest.syntax_failure import SyntaxFailure
from connform.manifest.tally import Tally
from connform.manifest.validate import validate
from connform.manifest.yaml_errors import NotYamlError, YamlError
from tests.manifest.syntax_cases import AFTER, CASES, FILES, GOOD, LIBYAML


def refused(text: str) -> YamlError:
    with pytest.raises(YamlError) as caught:
        parse(text.encode(), "m.yaml")
    return caught.value


@pytest.mark.parametrize("name", CASES)
def test_a_mistake_is_reported_in_its_line_and_in_plain_words(name: str) -> None:
    text, place, words = CASES[name]
    error = refused(text)
    assert f"{error.code} {error.span.line}:{error.span.column}" == place
    assert words in error.detail
    assert error.span[1:3] < error.span[3:5]
    assert not LIBYAML.search(error.detail)


@pytest.mark.parametrize("name", CASES)
def test_a_mistake_is_told_from_what_is_right_around_it(name: str) -> None:
    """The same place, whatever good connections stand above, with any line ends."""
    text, place, _ = CASES[name]
    if name in FILES:
        return
    more = AFTER.replace("  acme", "  more").join(("  good:\n    environment: sandbox\n", ""))
    error = refused(text.replace("connections:\n", f"connections:\n{more}").replace("\n", "\r\n"))
    line, column = place.split()[1].split(":")
    added = more.count("\n")
    assert (error.span.line, error.span.column) == (int(line) + added, int(column))


# What libyaml may say


def _problems() -> list[str]:
    """Return all that the library may say, from its own text."""
    strings = re.findall(rb"[ -~]{6,}", Path(_yaml.__file__).read_bytes())
    starts = ("did not find ", "could not find ", "found ", "mapping ", "block sequence ")
    return sorted({one.decode() for one in strings if one.decode().startswith(starts)})


def test_the_list_of_what_libyaml_says_is_not_empty() -> None:
    assert {"did not find expected key", "found unknown escape character"} <= set(_problems())
    assert len(_problems()) > 30


@pytest.mark.parametrize("problem", _problems())
def test_no_words_of_libyaml_reach_people(problem: str) -> None:
    for text in ('a: "b" c', "a\nb: c", "- a\n b", "%a\n", "*a", "[a, {b", "\n", "}", ": a"):
        for at in range(len(text) + 1):
            for since in {0, at}:
                for before in ((0, 0, ""), (3, 6, '"'), (0, min(1, at), "")):
                    detail = explain(SyntaxFailure(text, problem, at, since, before, -1)).detail
                    assert not LIBYAML.search(detail), detail


def test_words_that_libyaml_may_learn_are_not_shown() -> None:
    assert (
        "quotes, brackets and indentation"
        in explain(SyntaxFailure("a", "found a new problem", 0, 0, (0, 0, ""), -1)).detail
    )


@pytest.mark.parametrize(
    "text",
    [
        'a: ["b" ' + "#" * 200_000 + '\n "c"]',
        'a: ["b"\n' + "# #\n" * 50_000 + ' "c"]',
        "a: b\n---\n" + "# " * 100_000 + "\nc: d",
        "\n" * 200_000 + " a: b\nc: d",
        '{"a": ' + '\\"' * 100_000,
        "a: {" + "b:c " * 50_000,
        "a: 'b' " + "}} " * 60_000,
        "=======x\n" * 20_000 + "- a: 'b",
    ],
)
def test_the_reason_is_found_in_one_pass(text: str) -> None:
    """A pattern that goes back for each character would not end within the time limit of a test."""
    assert refused(text).detail


# What is accepted


@pytest.mark.parametrize(
    "text",
    [
        'a: "x\\u2028y\\u2029z\\u0085\\r\\uFEFF"\n',
        "a: Remarque\u00a0! b\n",  # inside of a text it may be meant
        "a: '\u00a0'\n",
        '"a\u00a0b": c\n',
        "a: |\n  =======\n  <<<<<<< HEAD\n",
        "# =======\na: b\r\n",
        "a: x:y\nb: x=y\nc: {d: https://x/?y=z}\n",
        "a: “b”\n",
        "\ufeffa: b\n",
        "a:\tb # c\td\n",
        "x:y: z\n",
        "---\na: b\n...\n",
    ],
)
def test_what_every_reader_takes_for_the_same_is_accepted(text: str) -> None:
    assert parse(text.encode(), "m.yaml")[0]


def test_json_with_characters_in_two_halves_is_read_as_json_is() -> None:
    data = {"a🙂": "🙂 \\ud83d\\ude42 \\🙂\ufffd\ufffd", "b": ["🇨🇭", {"c": "\\"}]}
    text = json.dumps(data)
    assert "\\ud83d\\ude42" in text
    root, _ = parse(text.encode(), "m.json")
    assert root == data
    assert root is not None
    assert root.key_span("b").column == text.index('"b"') + 1


def test_nesting_that_the_reader_of_json_refuses_is_refused_here() -> None:
    assert refused('{"a": "\\ud83d\\ude42", "b": ' + "[" * 100_000).code == "yaml-syntax"


# Through the commands


def found(text: str) -> list[Diagnostic]:
    tally = Tally()
    validate([Source("m.yaml", text.encode(), "")], vocabulary(), tally)
    return tally.diagnostics()


def test_a_placeholder_inside_of_braces_is_a_foreign_reference_where_one_belongs() -> None:
    (one,) = found(GOOD.replace('"env://ACME_KEY"', "${ACME_KEY}"))
    assert (one.code, one.span.line, one.span.column, one.hint) == (
        "foreign-reference",
        6,
        38,
        "write `env://ACME_KEY`",
    )
    (other,) = found(GOOD.replace("{method: api_key", "{method: ${METHOD}"))
    assert (other.code, other.span.line, other.span.column) == ("yaml-syntax", 6, 20)


@pytest.mark.parametrize("quotes", ["“”", "„“", "‘’", "«»"])
def test_typographic_quotes_are_named(quotes: str) -> None:
    for before, inside in (("us", "us"), ('"env://ACME_KEY"', "env://ACME_KEY"), ("ci", "ci"), ("region", "region")):
        text = f"{GOOD}    tags: [ci]\n".replace(before, inside.join(quotes))
        assert "typographic" in "".join(one.detail for one in found(text)), text


def test_an_item_that_is_indented_too_far_is_part_of_the_text_above_it() -> None:
    (one,) = found(f"{GOOD}    tags:\n      - ci\n       - nightly\n")
    assert (one.code, "indented too far" in one.detail) == ("malformed-value", True)


def test_a_wrong_tag_is_told_which_form_it_has() -> None:
    (one,) = found(f'{GOOD}    tags: ["team a"]\n')
    assert (one.code, one.detail.partition(",")[0]) == ("malformed-value", "a tag starts with a letter or a digit")


@pytest.mark.parametrize("character", ["\u2028", "\u2029", "\x85", "\r"])
@pytest.mark.parametrize("verb", ["validate", "fmt", "policy"])
def test_a_key_that_others_do_not_see_is_refused_everywhere(
    verb: str, character: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest, hidden = tmp_path / "m.yaml", tmp_path / "hidden.yaml"
    manifest.write_text(GOOD)
    start = "version: 1\npolicies: {}\n" if verb == "policy" else GOOD
    hidden.write_bytes(f"{start}# a comment{character}x: 1\n".encode())
    arguments = ["validate", str(manifest), "--policy", str(hidden)] if verb == "policy" else [verb, str(hidden)]
    assert main(arguments) == 1
    output = "".join(capsys.readouterr())
    line = start.count("\n") + 1
    assert f"hidden.yaml:{line}:12: error[yaml-syntax]" in output
    assert hidden.read_bytes().decode() == f"{start}# a comment{character}x: 1\n"


def test_an_ignore_comment_behind_a_hidden_line_end_is_not_read() -> None:
    assert list(scalar_extents(b"a: b\n")) == [((0, 0), (0, 1)), ((0, 3), (0, 4))]
    with pytest.raises(NotYamlError):
        list(scalar_extents("a: b # c\u2028d: e\n".encode()))


@pytest.mark.parametrize("bullet", ["-ci\n      -nightly", "• ci\n      • nightly", "\u2013 ci"])
def test_a_list_whose_items_begin_otherwise_is_told_how_they_begin(bullet: str) -> None:
    (one,) = found(f"{GOOD}    tags:\n      {bullet}\n")
    assert (one.code, "begins with `- `" in one.detail) == ("wrong-type", True)


def test_a_letter_that_looks_like_another_is_named() -> None:
    said = [one.detail for one in found(GOOD.replace("region", "r\u0435gion")) if one.code == "unknown-key"]
    assert said == ["`r\u0435gion` is not allowed in this entry: it holds U+0435 (cyrillic small letter ie)"]
