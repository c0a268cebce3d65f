"""Edits by line and column, in whatever encoding, line ends and quotes the file has."""

from __future__ import annotations

from pathlib import Path

import pytest

from connform.diagnostics import Diagnostic, Edit, Severity, Span
from connform.manifest.files import Source
from connform.manifest.fixes import Mended, apply_edits, fixes_inside_quotes
from connform.manifest.foreign_references import from_vals, from_variable
from connform.manifest.repository import leaves_repository
from connform.manifest.source_lines import SourceLines


def edit(line: int, start: int, end: int, text: str) -> Edit:
    return Edit(Span("x", line, start, line, end), text)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"a: US\nb: US\n", b"a: US\nb: us\n"),
        (b"a: US\r\nb: US\r\n", b"a: US\r\nb: us\r\n"),
        ("\ufeffa: \u2028US\nb: US".encode(), "\ufeffa: \u2028US\nb: us".encode()),
        ("日本\nb: US # 日本".encode(), "日本\nb: us # 日本".encode()),
    ],
)
def test_an_edit_finds_its_place(before: bytes, after: bytes) -> None:
    made = edit(2, 4, 6, "us")
    assert apply_edits(before, [made]) == (after, [Mended(made.span, "US", "us")])


def test_a_byte_order_mark_is_no_column() -> None:
    assert apply_edits("\ufeffA: 1".encode(), [edit(1, 1, 2, "a")])[0] == "\ufeffa: 1".encode()


def test_of_edits_that_overlap_the_first_is_made_and_of_equal_ones_one() -> None:
    edits = [edit(1, 4, 7, "x"), edit(1, 2, 5, "y"), edit(1, 2, 5, "y"), edit(1, 7, 8, "z")]
    after, made = apply_edits(b"abcdefgh", edits)
    assert (after, [(one.before, one.after) for one in made]) == (b"ayefzh", [("bcd", "y"), ("g", "z")])


@pytest.mark.parametrize(
    ("value", "replacement", "mended"),
    [
        ("US", "us", "us"),
        ('"US"', "us", '"us"'),
        ("'US'", "us", "'us'"),
        ("US", "file://a#b", "file://a#b"),
        ("US", "op://a, b", '"op://a, b"'),  # a comma would end it inside of braces
        ("TRUE-1", "true", '"true"'),  # a template may be called so
        ("0X1F", "0x1f", '"0x1f"'),
        ("US", r"file://C:\new", r'"file://C:\\new"'),
        ("US", 'a"b', r'"a\"b"'),
        ('"US"', r"C:\new", r'"C:\\new"'),
        ("'US'", "it's", "'it''s'"),
        (r'"U\x53"', "us", None),  # escapes: its columns say nothing
        ("'U''S'", "us", None),
        ("*US", "us", None),  # an alias
        ("&a US", "us", None),  # an anchor
        ("!!str US", "us", None),
        ("|", "us", None),
    ],
)
def test_an_edit_keeps_the_quotes_or_is_not_made(value: str, replacement: str, mended: str | None) -> None:
    line = f"a: {value} # b"
    fix = (edit(1, 4, 4 + len(value), replacement),)
    found = [Diagnostic(Severity.ERROR, "unknown-value", "", "", fix[0].span, fix=fix)]
    (one,) = fixes_inside_quotes(found, SourceLines([Source("x", line.encode(), "")]))
    assert bool(one.fix) is (mended is not None)
    if mended is not None:
        assert apply_edits(line.encode(), one.fix)[0].decode() == f"a: {mended} # b"


@pytest.mark.parametrize(
    ("text", "ours"),
    [
        ("${ACME_KEY}", "env://ACME_KEY"),
        ("${acme}", "env://acme"),
        ("${env:ACME_KEY}", "env://ACME_KEY"),
        ("$ACME_KEY", "env://ACME_KEY"),
        ("${{ env.ACME_KEY }}", "env://ACME_KEY"),
        ("{{env.ACME_KEY}}", "env://ACME_KEY"),
        ("{{ .Env.ACME_KEY }}", "env://ACME_KEY"),
        ('{{ env "ACME_KEY" }}', "env://ACME_KEY"),
        ('{{ requiredEnv "ACME_KEY" }}', "env://ACME_KEY"),
        ("{{ env_var('ACME_KEY') }}", "env://ACME_KEY"),
        ("{{ lookup('env', 'ACME_KEY') }}", "env://ACME_KEY"),
        ("os.environ/ACME_KEY", "env://ACME_KEY"),
        ("env/ACME_KEY", "env://ACME_KEY"),
        ("${ACME_KEY:-none}", ""),  # a default: nothing here means the same
        ("${{ secrets.ACME_KEY }}", ""),  # no environment variable
        ("$(cat key)", ""),
        ("$ACME", ""),  # a password may start so
        ("$ecret_word", ""),
        ("Bearer ${ACME_KEY}", ""),
        ("${A1B2C3D4E5F6A7B8}", ""),  # more likely a key than a name
        ("ACME_KEY", ""),
        ("env://ACME_KEY", ""),
    ],
)
def test_other_tools_forms_of_a_variable(text: str, ours: str) -> None:
    assert from_variable(text) == ours


@pytest.mark.parametrize(
    ("text", "ours"),
    [
        ("ref+vault://kv/acme#/api_key", "vault://kv/acme#api_key"),
        ("ref+awssecrets://acme#/api_key", "awssecrets://acme#api_key"),
        ("ref+file://acme.json#/api_key", "file://acme.json#api_key"),
        ("ref+file://acme.json#/acme/api_key", ""),  # no field here lies in another
        ("ref+sops://acme.yaml#/api_key", ""),  # a path here as well
        ("ref+file:///run/secrets/acme", ""),
        ("file://acme.json#/api_key", ""),  # ours: a key may start with a slash
    ],
)
def test_fields_of_vals(text: str, ours: str) -> None:
    assert from_vals(text) == ours


def test_what_leaves_a_repository(tmp_path: Path) -> None:
    (tmp_path / "repository" / ".git").mkdir(parents=True)
    folder = str(tmp_path / "repository" / "deploy" / "eu")
    assert not leaves_repository(folder, "../../.env")
    assert leaves_repository(folder, "../../../.env")
    assert leaves_repository(folder, "x/../../../../.env")
    assert leaves_repository(str(tmp_path / "repository"), "../repository-2/.env")
    assert not leaves_repository(str(tmp_path), "../.env"), "no repository, nothing to leave"
