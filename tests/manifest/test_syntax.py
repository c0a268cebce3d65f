"""Texts that are no YAML, or that readers of YAML take for different things: the place and the words of each message.

A row of `LINES` is put between `environment:` and `auth:` of a connection, as line 5; one of `FILES` is a whole file.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from yaml import _yaml

from connform.cli.main import main
from connform.engine.catalog import vocabulary
from connform.manifest.files import Source
from connform.manifest.nodes import YamlError, parse
from connform.manifest.syntax import explain
from connform.manifest.syntax_failure import Failure
from connform.manifest.text import decode
from connform.manifest.validate import validate

if TYPE_CHECKING:
    from connform.diagnostics import Diagnostic

BEFORE: Final = "version: 1\nconnections:\n  acme:\n    environment: sandbox\n"
AFTER: Final = '    region: us\n    auth: {method: api_key, api_key: "env://ACME_KEY"}\n'
GOOD: Final = BEFORE + AFTER
DISAGREE: Final = "some readers end the line at it and others don't"
JOINED: Final = "byte order mark) stands inside of the file"

LINES: Final[dict[str, tuple[str, str, str]]] = {
    # Between key and value
    "no space behind the colon": ("    owner:us", "yaml-syntax 5:5", "space is missing behind the colon"),
    "no space before braces": ("    tls:{ca_file: x}", "yaml-syntax 5:5", "space is missing behind the colon"),
    "no space before brackets": ("    tags:[a, b]", "yaml-syntax 5:5", "space is missing behind the colon"),
    "no space inside of braces": ("    tls: {ca_file:x}", "yaml-syntax 5:11", "space is missing behind the colon"),
    "no space behind a quoted key": ('    "owner":x', "yaml-syntax 5:5", "space is missing behind the colon"),
    "no space behind a key with an escape": ('    "a\\u0062":"x"', "yaml-syntax 5:5", "space is missing"),
    "an equals sign": ("    owner = us", "yaml-syntax 5:5", "not `key = value`"),
    "an equals sign without spaces": ("    owner=us", "yaml-syntax 5:5", "not `key = value`"),
    "an equals sign inside of braces": ("    tls: {ca_file=x}", "yaml-syntax 5:11", "not `key = value`"),
    "an arrow": ("    owner => us", "yaml-syntax 5:5", "not `key = value`"),
    "a full-width colon": ("    owner：us", "yaml-syntax 5:5", "not the colon of YAML"),
    "a ratio sign": ("    owner\u2236 us", "yaml-syntax 5:5", "not the colon of YAML"),
    "a no-break space behind the colon": ("    owner:\u00a0us", "yaml-syntax 5:5", "U+00A0 (no-break space)"),
    "an ideographic space behind the colon": ("    owner:\u3000us", "yaml-syntax 5:5", "U+3000 (ideographic space)"),
    "no colon": ("    owner us", "yaml-syntax 5:5", "here is no `: `"),
    "no colon behind a word": ("    owner", "yaml-syntax 5:5", "here is no `: `"),
    "a key that is too long": ("    " + "a" * 1100 + ": x", "yaml-syntax 5:5", "at most 1024 characters"),
    "two colons": ("    owner: team: seven", "yaml-syntax 5:16", "a second `: `"),
    "no key": ("    : x", "yaml-syntax 5:5", "a key is missing"),
    # Blanks
    "no-break spaces as indentation": ("\u00a0\u00a0\u00a0\u00a0owner: x", "yaml-syntax 5:1", "U+00A0"),
    "a no-break space in the indentation": ("   \u00a0owner: x", "yaml-syntax 5:4", "U+00A0"),
    "a no-break space behind a dash": ("    tags:\n      -\u00a0x", "yaml-syntax 6:8", "U+00A0"),
    "a no-break space before a comment": ("    owner: x\u00a0# y", "yaml-syntax 5:13", "U+00A0"),
    "a zero-width space in a key": ("    ow\u200bner: x", "yaml-syntax 5:7", "U+200B (zero width space)"),
    "a soft hyphen in a key": ("    ow\u00adner: x", "yaml-syntax 5:7", "U+00AD (soft hyphen)"),
    "a byte order mark before a key": ("    \ufeffowner: x", "yaml-syntax 5:5", JOINED),
    "a byte order mark in a comment": ("    # x\ufeff", "yaml-syntax 5:8", JOINED),
    "a byte order mark in quotes": ('    owner: "x\ufeff"', "yaml-syntax 5:14", '"\\uFEFF" in double quotes'),
    "a tab as indentation": ("\towner: x", "yaml-tab 5:1", "indent with spaces"),
    "a tab in the indentation": ("  \t owner: x", "yaml-tab 5:3", "indent with spaces"),
    "a tab behind a dash": ("    tags:\n      -\tx: y", "yaml-tab 6:8", "write a space"),
    "a tab before a comment": ("\t# x", "yaml-tab 5:1", "a comment or an empty line"),
    "a tab in an empty line": ("  \t", "yaml-tab 5:3", "a comment or an empty line"),
    "a tab inside of a literal": ("    description: |\n\tx", "yaml-tab 6:1", "indent with spaces"),
    # Ends of lines
    "U+2028 in a comment": ("    # x\u2028    owner: y", "yaml-syntax 5:8", DISAGREE),
    "U+2029 in a comment": ("    # x\u2029    owner: y", "yaml-syntax 5:8", DISAGREE),
    "U+0085 in a comment": ("    # x\x85    owner: y", "yaml-syntax 5:8", DISAGREE),
    "a lone CR in a comment": ("    # x\r    owner: y", "yaml-syntax 5:8", DISAGREE),
    "U+2028 in quotes": ("    owner: 'x\u2028  y'", "yaml-syntax 5:14", "U+2028 (line separator)"),
    "U+0085 in a literal": ("    description: |\n      x\x85y", "yaml-syntax 6:8", "U+0085 (next line)"),
    "a lone CR at the end of a line": ("    owner: x\r\r", "yaml-syntax 5:13", DISAGREE),
    # Quotes
    "a quote that is never closed": ("    owner: 'x", "yaml-syntax 5:12", "never closed"),
    "a quote that another one closes": (
        '    owner: "x\n    description: "y"',
        "yaml-syntax 5:12",
        "ends only in line 6",
    ),
    "an apostrophe in single quotes": ("    owner: 'it's'", "yaml-syntax 5:15", "inside of it as `''`"),
    "a quote in double quotes": ('    owner: "a "b" c"', "yaml-syntax 5:15", 'inside of it as `\\"`'),
    "a text behind quotes": ('    owner: "a" b', "yaml-syntax 5:16", "behind the text in quotes"),
    "a path of Windows": (r'    owner: "C:\certs"', "yaml-syntax 5:15", "use single quotes"),
    "a path of Windows with u": (r'    owner: "C:\users"', "yaml-syntax 5:17", "hexadecimal digits"),
    "a surrogate in YAML": (r'    owner: "\ud83d\ude42"', "yaml-syntax 5:15", "half of a character of JSON"),
    # Brackets
    "a bracket that is never closed": ("    tags: [a, b", "yaml-syntax 5:11", "this `[` is never closed"),
    "braces that are never closed": ("    tls: {ca_file: x", "yaml-syntax 5:10", "this `{` is never closed"),
    "the other bracket": ("    tags: [a}", "yaml-syntax 5:13", "`[` is closed by `}`"),
    "a bracket too many": ("    tags: [a]]", "yaml-syntax 5:14", "no bracket is open"),
    "a bracket at the start of a line": ("    ]", "yaml-syntax 5:5", "no bracket is open"),
    "a bracket instead of a value": ("    owner: ]", "yaml-syntax 5:12", "no bracket is open"),
    "a text behind brackets": ("    tags: [a] b", "yaml-syntax 5:15", "behind the `]`"),
    "no comma in one line": ("    tls: {ca_file: x client_cert: y}", "yaml-syntax 5:21", "`,` is missing here"),
    "no comma at the end of a line": (
        "    tls: {\n      ca_file: x\n      client_cert: y}",
        "yaml-syntax 6:17",
        "`,` is missing here",
    ),
    "no comma behind quotes": ('    tags: ["a" "b"]', "yaml-syntax 5:14", "`,` is missing behind this"),
    "no comma before a comment": (
        '    tags: [\n      "a" # x\n      "b"\n    ]',
        "yaml-syntax 6:9",
        "`,` is missing behind this",
    ),
    "no comma before a bracket": ("    tags: [[a] [b]]", "yaml-syntax 5:16", "`,` is missing before this"),
    "two colons in an entry": ("    tls: {ca_file: x: y}", "yaml-syntax 5:21", "a second `: `"),
    "a quote in quotes inside of braces": ('    tls: {ca_file: "a"b"}', "yaml-syntax 5:22", "closes the text"),
    "two commas": ("    tags: [a, , b]", "yaml-syntax 5:15", "a value is missing before this `,`"),
    "a dash inside of brackets": ("    tags: [- a]", "yaml-syntax 5:12", "no item inside of brackets"),
    "a comma at the end of a line": ('    owner: "x",', "yaml-syntax 5:15", "a line of a block ends without `,`"),
    # Indentation, lists and keys
    "a line too far right": ("      owner: x", "yaml-syntax 5:7", "indented deeper than the one above"),
    "a line too far left": ("   owner: x", "yaml-syntax 5:4", "by 3 spaces, the one above by 4"),
    "an item too far left": ("    tags:\n      - a\n     - b", "yaml-syntax 7:6", "by 5 spaces, the one above by 6"),
    "an item among keys": ("    - owner: x", "yaml-syntax 5:5", "stands among the keys"),
    "a key among items": ("    tags:\n      - a\n      b: c", "yaml-syntax 7:7", "stands among the items"),
    "a key between list and item": ("    tags:\n      - a\n     b: c", "yaml-syntax 7:6", "by 5 spaces"),
    "a value among items": ('    tags:\n      - "a" b\n', "yaml-syntax 6:13", "behind the text in quotes"),
    "an item behind a key": ("    owner: - x", "yaml-syntax 5:12", "needs a line of its own"),
    "a dash alone": ("    owner: -", "yaml-syntax 5:12", "needs a line of its own"),
    "a question mark": ("    owner: ? x", "yaml-syntax 5:12", "put a text that begins with `?` into quotes"),
    "a list as a key": ("    [a]: b", "yaml-key 5:5", "in quotes if it holds brackets"),
    # What starts no text
    "an at sign": ("    owner: @x", "yaml-syntax 5:12", "no value starts with `@`"),
    "a backtick": ("    owner: `x`", "yaml-syntax 5:12", "a backtick"),
    "a percent sign": ("    owner: %x", "yaml-syntax 5:12", "no value starts with `%`"),
    "an asterisk": ("    owner: *.x", "yaml-syntax 5:12", "`*` starts an alias"),
    "an asterisk in a list": ("    tags: [*]", "yaml-syntax 5:12", "`*` starts an alias"),
    "an asterisk and a word": ("    owner: *x", "yaml-alias 5:12", "put a text that begins with `*` into quotes"),
    "an ampersand": ("    owner: & x", "yaml-syntax 5:12", "`&` starts an anchor"),
    "a text behind `|`": ("    owner: | x", "yaml-syntax 5:12", "the text begins in the next one"),
    "a comparison": ("    owner: >=2", "yaml-syntax 5:12", "begins with `>` into quotes"),
    "an indentation of 0": ("    owner: |0\n      x", "yaml-syntax 5:13", "a digit from 1 to 9"),
    # Tags
    "a tag of Ansible": ("    owner: !vault |\n      x", "yaml-tag 5:12", "`!vault` is refused"),
    "a tag of CloudFormation": ("    owner: !Ref X", "yaml-tag 5:12", "`!Ref` is refused"),
    "a tag of YAML": ("    owner: !!str 1", "yaml-tag 5:12", "`!!str` is refused"),
    "a tag that may be a password": ("    owner: !hunter2", "yaml-tag 5:12", "`!…` is refused"),
    "a tag that is none": ("    owner: !{x", "yaml-tag 5:12", "begins with `!` into quotes"),
    "a tag without a prefix": ("    owner: !x!y z", "yaml-tag 5:12", "begins with `!` into quotes"),
    # Other languages
    "Jinja": ("    owner: {{ x }}", "yaml-syntax 5:12", "`{{ … }}` is a template"),
    "Jinja in a list": ("    tags: [{{ x }}]", "yaml-syntax 5:12", "`{{ … }}` is a template"),
    "Jinja with text behind": ("    owner: {{ x }}-y", "yaml-syntax 5:12", "`{{ … }}` is a template"),
    "Jinja inside of braces": ("    tls: {ca_file: /a/{{ x }}}", "yaml-syntax 5:23", "`{{ … }}` is a template"),
    "Helm": ("    owner: {{ .Values.x }}", "yaml-syntax 5:12", "`{{ … }}` is a template"),
    "an action of Helm": ("    {{- if .Values.x }}", "yaml-syntax 5:5", "`{{ … }}` is a template"),
    "a statement of Jinja": ("    {% if x %}", "yaml-syntax 5:5", "`{% … %}` is a template"),
    "a comment of Jinja": ("    {# x #}", "yaml-syntax 5:5", "`{# … #}` is a template"),
    "ERB": ("    <% if x %>", "yaml-syntax 5:5", "`<% … %>` is a template"),
    "a placeholder": ("    tls: {ca_file: ${CA}}", "yaml-syntax 5:20", "write `env://CA` for a secret"),
    "a placeholder with a default": ("    tls: {ca_file: ${CA:-x}}", "yaml-syntax 5:20", "such as `env://NAME`"),
    "SOPS": ("    tls: {ca_file: ENC[AES256_GCM,data:x]}", "yaml-syntax 5:20", "SOPS"),
    "a comment of C": ("    // x", "yaml-syntax 5:5", "those start with `#`"),
    "a comment of SQL": ("    -- x", "yaml-syntax 5:5", "those start with `#`"),
    "a fence of Markdown": ("    ```", "yaml-syntax 5:5", "a code fence"),
    "a merge conflict": ("<<<<<<< HEAD", "yaml-syntax 5:1", "a merge conflict"),
    "the middle of a merge conflict": ("=======", "yaml-syntax 5:1", "a merge conflict"),
    "the base of a merge conflict": ("||||||| 1234567", "yaml-syntax 5:1", "a merge conflict"),
    "the end of a merge conflict": (">>>>>>> feature", "yaml-syntax 5:1", "a merge conflict"),
    "a control character": ("    owner: \x1b[0m", "yaml-syntax 5:12", "a control character (U+001B)"),
    "a null character": ("    owner: \x00", "yaml-syntax 5:12", "perhaps it is UTF-16"),
}
FILES: Final[dict[str, tuple[str, str, str]]] = {
    "a merge conflict in JSON": ('{\n<<<<<<< HEAD\n"version": 1\n', "yaml-syntax 2:1", "a merge conflict"),
    "CR alone": (GOOD.replace("\n", "\r"), "yaml-syntax 1:11", "end with CR alone"),
    "CR CR LF": (GOOD.replace("\n", "\r\r\n"), "yaml-syntax 1:11", DISAGREE),
    "two byte order marks": (f"\ufeff\ufeff{GOOD}", "yaml-syntax 1:1", JOINED),
    "the first line indented": (f" {GOOD}", "yaml-syntax 1:1", "the first key is indented by 1 space"),
    "a last marker": (f"{GOOD}---\n", "multiple-documents 7:1", "nothing follows"),
    "a last marker and a comment": (f"{GOOD}---\n# end\n", "multiple-documents 7:1", "nothing follows"),
    "the first marker twice": (f"---\n---\n{GOOD}", "multiple-documents 2:1", "the document above this `---` is empty"),
    "two documents": (f"{GOOD}---\n{GOOD}", "multiple-documents 7:1", "into a file of its own"),
    "an end alone": ("...\n", "yaml-syntax 1:1", "`...` ends a document, and none has begun"),
    "brackets that are closed too early": ('{"version": 1}\nb: 2\n', "yaml-syntax 2:1", "is closed above"),
    "a brace too many": ('{"version": 1}}\n', "yaml-syntax 1:15", "no bracket is open"),
    "a text behind the end": (f"{GOOD}...\nx: 1\n", "yaml-syntax 8:1", "the document has ended above"),
    "a bracket that is open at the end": ('{"version": 1,\n"a": [\n', "yaml-syntax 2:6", "this `[` is never closed"),
    "nothing behind a comma": ("a: [b,\n", "yaml-syntax 1:4", "this `[` is never closed"),
    "no colon in the first line": ("version:1\nconnections: {}\n", "yaml-syntax 1:1", "space is missing"),
    "an equals sign in the first line": ("version=1\nconnections: {}\n", "yaml-syntax 1:1", "not `key = value`"),
    "ERB in the first line": (f"<% if x %>\n{GOOD}", "yaml-syntax 1:1", "`<% … %>` is a template"),
    "Helm in the first line": (f"{{{{- if .x }}}}\n{GOOD}", "yaml-syntax 1:1", "`{{ … }}` is a template"),
    "YAML 2.0": (f"%YAML 2.0\n---\n{GOOD}", "yaml-syntax 1:1", "begins with `%`"),
    "another directive": (f"%FOO\n---\n{GOOD}", "yaml-syntax 1:1", "begins with `%`"),
    "a version without a number": (f"%YAML x\n---\n{GOOD}", "yaml-syntax 1:1", "begins with `%`"),
    "a directive without a marker": (f"%YAML 1.2\n{GOOD}", "yaml-syntax 2:1", "a line `---` is missing"),
    "comments in JSON": ('{\n  // x: "y"\n  "version": 1\n}\n', "yaml-syntax 2:3", "no comment of YAML, nor of JSON"),
    "a comment behind JSON": ('{"a": "http://x", // y\n"b": 1}\n', "yaml-syntax 1:19", "nor of JSON"),
    "no comma in JSON": ('{\n  "version": 1\n  "connections": {}\n}\n', "yaml-syntax 2:15", "`,` is missing here"),
    "half of a character in JSON": ('{"a": "\\ud83d"}', "yaml-syntax 1:10", "half of a character of JSON"),
    "a pointer of Git LFS": (
        "version https://git-lfs.github.com/spec/v1\noid sha256:a\n",
        "yaml-syntax 1:1",
        "git lfs pull",
    ),
    "HTML": ("\n<!DOCTYPE html>\n<html>\n", "yaml-syntax 2:1", "HTML or XML"),
    "PEM": ("-----BEGIN CERTIFICATE-----\nMII=\n", "yaml-syntax 1:1", "(PEM)"),
    "one text": ("a manifest\n", "wrong-type 1:1", "a mapping belongs here"),
}
CASES: Final = {name: (f"{BEFORE}{line}\n{AFTER}", *rest) for name, (line, *rest) in LINES.items()} | FILES


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
    assert not _LIBYAML.search(error.detail)


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


_LIBYAML: Final = re.compile(
    r"did not find|could not find|expected|in this context|while (?:scanning|parsing)|token|octet|indicator|directive|stream"
)


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
                    detail = explain(Failure(text, problem, at, since, before, -1)).detail
                    assert not _LIBYAML.search(detail), detail


def test_words_that_libyaml_may_learn_are_not_shown() -> None:
    assert (
        "quotes, brackets and indentation" in explain(Failure("a", "found a new problem", 0, 0, (0, 0, ""), -1)).detail
    )


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


def found(text: str) -> tuple[Diagnostic, ...]:
    return validate([Source("m.yaml", text.encode(), "")], vocabulary())[1]


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
    assert decode("# a\u2028b".encode())[1]
