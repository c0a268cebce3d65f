"""The formats of encrypted files: what sops wrote says which it is, whatever the name; and what a file may hold twice."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from connform.errors import SecretUnresolved
from tests.secrets.fetching import failure, fetch
from tests.secrets.sops.encryption import Keys, encrypt

pytestmark = pytest.mark.usefixtures("has_key")

CONTENTS = {
    "plain.yaml": (b"a:\n  b: value\n", "/a/b"),
    "plain.json": (b'{"a": {"b": "value"}}', "/a/b"),
    "plain.env": (b"KEY=value\n", "KEY"),
    "plain.ini": (b"[a]\nb = value\n", "/a/b"),
    "plain.txt": (b"value\n", ""),
}


def encrypt_as(source: str, target: Path, content: bytes, keys: Keys) -> None:
    """Encrypt a file as the name `source` says, and give it another name."""
    encrypt(target.with_name(source), content, "--age", keys.my_recipient)
    target.with_name(source).rename(target)


@pytest.mark.parametrize("name", [".env.production", "secrets.yaml.enc", "token", "a.json"])
@pytest.mark.parametrize("source", CONTENTS)
def test_the_content_says_the_format_and_not_the_name(source: str, name: str, keys: Keys, tmp_path: Path) -> None:
    content, field = CONTENTS[source]
    encrypt_as(source, tmp_path / name, content, keys)
    if source == "plain.txt" and name == "a.json":  # the same as an object with the one key `data`
        field = "data"
    assert fetch("sops", tmp_path, f"sops://{name}{'#' if field else ''}{field}") == ["value"]


def test_a_store_says_the_format_where_nothing_else_does(keys: Keys, tmp_path: Path) -> None:
    encrypt_as("plain.json", tmp_path / "s.enc", b'{"data": "value"}', keys)
    assert fetch("sops", tmp_path, "sops://s.enc") == ["value"]  # one value, as sops itself would take it
    assert fetch("sops", tmp_path, "mine://data", path="s.enc", format="json") == ["value"]


def test_keys_without_one_that_is_named_are_an_error(keys: Keys, tmp_path: Path) -> None:
    encrypt_as("plain.env", tmp_path / ".env.production", b"KEY=value\n", keys)
    error = failure("sops", tmp_path, "sops://.env.production")
    assert error.fault.name == "secret_malformed"
    assert "sops://.env.production#/a/b" in error.hint


def test_a_file_of_another_format_than_the_store_says_gets_a_hint(keys: Keys, tmp_path: Path) -> None:
    encrypt_as("plain.env", tmp_path / "s.enc", b"KEY=value\n", keys)
    with pytest.raises(SecretUnresolved) as raised:
        fetch("sops", tmp_path, "mine://KEY", path="s.enc", format="json")
    assert raised.value.fault.name == "secret_malformed"
    assert "`format`" in raised.value.hint


@pytest.mark.parametrize("field", ["a", "b"])
def test_of_several_documents_none_is_taken(field: str, keys: Keys, tmp_path: Path) -> None:
    encrypt(tmp_path / "s.yaml", b"a: one\n---\nb: two\n---\na: three\n", "--age", keys.my_recipient)
    error = failure("sops", tmp_path, f"sops://s.yaml#{field}")
    assert error.fault.name == "secret_malformed"
    assert "s.yaml has 3 YAML documents" in error.message


@pytest.mark.parametrize(
    ("name", "content", "field", "named"),
    [
        ("s.json", b'{"a": "x", "a": "y", "b": "good"}', "a", "the field a stands twice"),
        ("s.json", b'{"a": {"k": "x"}, "a": {"k": "y"}, "b": "good"}', "/a/k", "the key a stands twice"),
        ("s.env", b"a=x\na=y\nb=good\n", "a", "the field a stands twice"),
        ("s.ini", b"b = good\n[a]\nk = x\n[a]\nl = y\n", "/a/k", "the key a stands twice"),
    ],
)
def test_a_key_that_stands_twice_is_refused_where_it_is_asked_for(
    name: str, content: bytes, field: str, named: str, keys: Keys, tmp_path: Path
) -> None:
    encrypt(tmp_path / name, content, "--age", keys.my_recipient)
    error = failure("sops", tmp_path, f"sops://{name}#{field}")
    assert (error.fault.name, error.message) == ("secret_malformed", named)
    assert fetch("sops", tmp_path, f"sops://{name}#{'/DEFAULT/b' if name == 's.ini' else 'b'}") == ["good"]


@pytest.mark.parametrize(
    "script",
    [
        "exit 100",  # cmd/sops/main.go of version 3.8.1 in its source: `decrypt` is the name of a file that isn't there
        "echo 'config file not found and no keys provided through command line options' >&2; exit 1",
        '[ "$EDITOR" = false ] && exit 201; sleep 1000',  # it has keys for a new file, and opens an editor
    ],
    ids=["no such file", "no configuration", "an editor"],
)
def test_an_old_sops_is_said_to_be_old(
    script: str, keys: Keys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encrypt(tmp_path / "s.yaml", b"a: value\n", "--age", keys.my_recipient)
    program = tmp_path / "bin" / "sops"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o700)
    monkeypatch.setenv("PATH", os.pathsep.join([str(program.parent), "/usr/bin", "/bin"]))
    error = failure("sops", tmp_path, "sops://s.yaml#a")
    assert error.fault.name == "secret_backend_unavailable"
    assert "older than 3.9" in error.message
    assert "install sops 3.9 or newer" in error.hint
