"""What of a source line may be shown, whatever stands in it."""

from __future__ import annotations

import pytest

from connform.diagnostics import Diagnostic, Severity, Span
from connform.engine.load.manifest import examine
from connform.engine.load.vocabulary import vocabulary
from connform.manifest.files import Source
from connform.manifest.snippet import MAX_LENGTH, MAX_LINE, Public, add_snippets, mask
from connform.manifest.source_excerpts import public_text
from connform.manifest.source_lines import SourceLines
from connform.secret import looks_generated
from tests.canary import API_KEY, AWKWARD, assert_no_canary

KNOWN = frozenset({"method", "api_key", "region", "description", "base_url", "tags", "auth"})
SHOWN = frozenset({"method", "region", "description", "base_url", "tags"})
PUBLIC = Public(KNOWN, SHOWN, frozenset({"description"}), public_text(vocabulary(), ["corp"]).is_reference)


def masked(line: str, context: str = "") -> str:
    text, offsets = mask(line, PUBLIC, context)
    assert len(offsets) == len(line) + 1
    assert offsets == sorted(offsets)
    assert offsets[-1] == len(text)
    return text


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("    region: us", "    region: us"),
        ("    region: us  # why", "    region: us  "),
        ("# region: us", ""),
        ("    api_key: hunter2", "    api_key: ***"),
        ("    api_key: 'hunter2'", "    api_key: ***"),
        ('    api_key: "hun \\" ter2"', "    api_key: ***"),
        ("    api_key: hunter2 # hunter3", "    api_key: *** "),
        ("    api_key: env://KEY", "    api_key: env://KEY"),
        ('    api_key: "file:///run/x#y"', '    api_key: "file:///run/x#y"'),
        ("    api_key: env://KEY hunter2", "    api_key: ***"),
        ("    api_key: env://hunter2@host/x", "    api_key: ***"),
        ("    password: hunter2", "    password: ***"),
        ("    auth: {method: api_key, api_key: hunter2}", "    auth: {method: api_key, api_key: ***}"),
        ("    auth: {method: api_key, api-key: hunter2}", "    auth: {method: api_key, api-key: ***}"),
        ("    auth: {api_key: hunter2, method: api_key}", "    auth: {api_key: ***, method: api_key}"),
        ("    auth: hunter2", "    auth: ***"),
        ("    base_url: https://acme.example/v1", "    base_url: https://acme.example/v1"),
        ("    base_url: https://u:hunter2@acme.example", "    base_url: ***"),
        ("    base_url: https://acme.example/a/u:hunter2@x", "    base_url: ***"),
        ("    tags: [ci, nightly]", "    tags: [ci, nightly]"),
        ("    tags:", "    tags:"),
        ("      hunter2", "      ***"),
        ("- hunter2", "- ***"),
        ("hunter2", "***"),
        ("---", "---"),
        ("    ? hunter2 hunter3", "    ? ***"),
        ("    api_key: hunter2: hunter3", "    api_key: ***: ***"),
        ("    api_key: x, hunter2: hunter3", "    api_key: ***, ***: ***"),
        ("    api_key: x{hunter2: hunter3", "    api_key: ***{***: ***"),
        ("    api_key: x, description: hunter2", "    api_key: ***, description: ***"),
        ("    api_key: 'a', 'b'", "    api_key: ***, ***"),
        ("    api_key: |-", "    api_key: ***"),
        ("    api_key: &x hunter2", "    api_key: ***"),
        ("    api_key: !secret hunter2", "    api_key: ***"),
        ('    "api_key": hunter2', '    "api_key": ***'),
        ('    "hunter 2": x', "    ******"),
        ("    hunter2 x: y", "    ***"),
        ("    api_key : hunter2", "    api_key : ***"),
        ("    api_key:hunter2", "    ***"),
        ("    method: a1b2c3d4e5f6a7b8c9", "    method: ***"),
        ("    a1b2c3d4e5f6a7b8c9: x", "    ***: ***"),
        ("    description: 6fa459ea-ee8a-3ca4-894e-db77e160355e", "    description: ***"),
        ("    description: 4111111111111111", "    description: ***"),
        ("    region: us}, api_key: hunter2", "    region: us}, api_key: ***"),
        ("    auth: {method: api_key, Big-hunter}", "    auth: {method: api_key, ***}"),
        ("    auth: {method: api_key, hunter}", "    auth: {method: api_key, ***}"),
        ('    auth: {method: api_key, "api_key:hunter"}', "    auth: {method: api_key, ***}"),
        ("    auth: {method: [a, b], hunter}", "    auth: {method: [a, b], ***}"),
        ("    tags: {hunter}", "    tags: {***}"),
        ("    method: api_key, hunter", "    method: api_key, ***"),
        ("    description: for us, GmbH", "    description: for us, ***"),
        ("    description: ACME GmbH & Co (100%)", "    description: ACME GmbH & Co (100%)"),
        ("    description: https://x/?token=hunter", "    description: ***"),
        ("    description: team@acme.example", "    description: team@acme.example"),
        ("    description: https://u:hunter@acme.example", "    description: ***"),
        ("    region: ABC-hunter", "    region: ***"),
        ("    region: p4ssw0rd", "    region: ***"),
        ("    region: hunter!2", "    region: ***"),
        ("    region: US-East", "    region: ***"),
        ("    region: CA", "    region: CA"),
        ("    base_url: https://x.example/?token=hunter", "    base_url: ***"),
        ("    base_url: https://x.example/ABC-hunter", "    base_url: ***"),
        ("    tags: &t [ci]", "    tags: &t [ci]"),
        ("    description: |-", "    description: |-"),
        ("    api_key: basic://hunter", "    api_key: ***"),
        ("    api_key: env://Hunter-pass", "    api_key: ***"),
        ("    api_key: corp://acme#key", "    api_key: corp://acme#key"),
        ("    ABC-hunter: x", "    ***: ***"),
        ("    my-name:", "    my-name:"),
        ("    my-name: {region: us}", "    my-name: {region: us}"),
        ("    my-hunter: x", "    ***: ***"),
        ("    api-key: x", "    api-key: ***"),
        ("root:$6$salt$hunter:19000:", "***"),
        ("    <<: *base", "    <<: ***"),
    ],
)
def test_a_line_shows_only_what_is_harmless(line: str, shown: str) -> None:
    assert masked(line) == shown


def test_an_item_is_shown_like_the_value_of_its_key() -> None:
    assert masked("      - nightly", "tags") == "      - nightly"
    assert masked("      - nightly", "api_key") == "      - ***"


@pytest.mark.parametrize(
    "piece", [" ", "\t", "a ", "'", '"', "\\", "a: ", "{", "}", ",", "[a: b, ", "- ", "#", "a #b ", "1a", "-", "&"]
)
def test_the_time_is_linear_in_the_length_of_a_line(piece: str) -> None:
    line = "a: {b: c" + piece * (60_000 // len(piece)) + "d}"
    assert len(mask(line, PUBLIC)[1]) == len(line) + 1  # by the square of the length it would take minutes


@pytest.mark.parametrize("secret", [API_KEY, AWKWARD], ids=["plain", "awkward"])
@pytest.mark.parametrize(
    "line",
    [
        *("{}", "- {}", "  - - {}", "? {}", ": {}", "{}:", "{}: x", "'{}': x", '"{}": x', "x: {}", "x: '{}'", 'x: "{}'),
        *(
            "x: [{}]",
            "x: [a, {}",
            "x: {{a: {}}}",
            "x: {{{}: a}}",
            "x: {{{}",
            "{}}}",
            "{}]",
            "x: | {}",
            "x: &{} y",
            "x: *{}",
        ),
        *(
            "x: !{} y",
            "x: !<{}> y",
            "# {}",
            "x: y # {}",
            "x: y#{}",
            "api_key: env://{}",
            "api_key: env://{} x",
            "a: b: {}",
        ),
        *("region: {}", "region: x {}", "method: {}", "description: x, {}", "base_url: https://{}@acme.example/"),
        *(
            "base_url: https://acme.example/?{}",
            "base_url: https://{}.acme.example",
            "tags: [ci, {}]",
            "%{}",
            "@{}",
            "\t{}",
        ),
    ],
)
def test_no_line_shows_a_generated_key(line: str, secret: str) -> None:
    assert_no_canary(masked(line.format(secret)), masked(line.format(secret), "region"))


@pytest.mark.parametrize(
    ("text", "generated"),
    [
        *(("sandbox-us", False), ("customer-000123", False), ("IINKED_SANDBOX_US_KEY", False), ("x" * 64, False)),
        *(
            ("https://sign.acme.example/api/v1", False),
            ("/run/secrets/iinked_eu", False),
            ("platform@acme.example", False),
        ),
        *(
            (API_KEY, True),
            (AWKWARD, True),
            ("6fa459ea-ee8a-3ca4-894e-db77e160355e", True),
            ("eyJhbGciOiJIUzI1NiJ9.e30.x", True),
        ),
        *(
            ("ghp_16C7e42F292c6912E7710c838347Ae178B4a", True),
            ("AKIA1234567890ABCDEF", True),
            ("1234567890123456", True),
        ),
    ],
)
def test_generated_keys_are_told_from_names(text: str, generated: bool) -> None:
    assert looks_generated(text) is generated


def snippet(text: str | bytes, span: Span) -> tuple[str, int, int] | None:
    data = text.encode() if isinstance(text, str) else text
    diagnostic = Diagnostic(Severity.ERROR, "wrong-type", "", "", span)
    (found,) = add_snippets([diagnostic], SourceLines([Source("m.yaml", data, "")]), PUBLIC)
    assert found._replace(snippet=None) == diagnostic
    return (found.snippet.text, found.snippet.start, found.snippet.length) if found.snippet else None


def at(line: int, column: int, end_column: int, end_line: int = 0, file: str = "m.yaml") -> Span:
    return Span(file, line, column, end_line or line, end_column)


@pytest.mark.parametrize(
    ("text", "span", "expected"),
    [
        ("region: us", at(1, 9, 11), ("region: us", 8, 2)),
        ("api_key: hunter2", at(1, 10, 17), ("api_key: ***", 9, 3)),
        ("{api_key: hunter2, region: us}", at(1, 28, 30), ("{api_key: ***, region: us}", 23, 2)),
        ("api_key: |\n  hunter2\n", at(1, 10, 1, 3), ("api_key: ***", 9, 3)),
        ("x: 1\r\nregion: us\r\n", at(2, 9, 11), ("region: us", 8, 2)),
        ("\ufeffregion: us", at(1, 9, 11), ("region: us", 8, 2)),
        ("description: 日本語", at(1, 14, 17), ("description: 日本語", 13, 3)),
        (b"region: \xff", at(1, 9, 10), ("region: \ufffd", 8, 1)),
        ("region: us", at(1, 11, 12), ("region: us", 10, 1)),
        ("", at(1, 1, 2), None),
        ("   \nx", at(1, 1, 2), None),
        ("# only\n", at(1, 1, 2), None),
        ("region: us".ljust(MAX_LINE), at(1, 9, 11), ("region: us", 8, 2)),
        ("region: us".ljust(MAX_LINE + 1), at(1, 9, 11), None),
        ("region: us", at(7, 1, 2), None),
        ("region: us", at(1, 9, 11, file="other.yaml"), None),
        ("description: " + "x " * 300 + "y", at(1, 614, 615), None),
        ("description: " + "x " * 300, at(1, 1, 12), (("description: " + "x " * 300)[:MAX_LENGTH].rstrip(), 0, 11)),
    ],
    ids=[
        *(
            "a value",
            "the mark is as wide as the mask",
            "behind a mask",
            "a block",
            "CRLF",
            "a byte order mark",
            "wide characters",
        ),
        *(
            "not UTF-8",
            "the end of the line",
            "an empty file",
            "a blank line",
            "a comment",
            "the longest line",
            "a longer line",
            "no such line",
            "no such file",
        ),
        *("beyond what is shown", "a long line is cut"),
    ],
)
def test_the_mark_follows_the_masked_text(text: str | bytes, span: Span, expected: tuple[str, int, int] | None) -> None:
    assert snippet(text, span) == expected


def test_a_line_of_a_store_that_was_not_read_shows_what_a_store_may_show() -> None:
    text = "version: 1\nstores:\n  v: {type: vault, namespace: team, path: @x}\nconnections: {}\n"
    (one,) = examine([Source("m.yaml", text.encode(), "")])[1].diagnostics
    assert one.snippet is not None
    assert one.snippet.text == "  v: {type: vault, namespace: team, path: ***}"
