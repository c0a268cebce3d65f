"""Files that are attached to 1Password items, and the files of documents."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from connform.secret import SecretReference
from connform.secrets.kit.interface import Outcome
from connform.secrets.onepassword.backend import OP
from tests.secrets.fetching import failure, fetch
from tests.secrets.onepassword.stand_ins import MAX_INLINE_BYTES, Connect, Program
from tests.secrets.onepassword.test_ambiguity import told

ITEM = "p" * 26
KEY = "-----BEGIN KEY-----\nabc\n-----END KEY-----\n"


def document(*files: dict[str, Any]) -> dict[str, Any]:
    sections = [{"id": "s1", "label": "production"}]
    return {"id": ITEM, "title": "Portal", "vault": {"id": "v" * 26}, "sections": sections, "files": list(files)}


def file(content: str = KEY, **more: Any) -> dict[str, Any]:
    return {"id": "f1", "name": "key.pem", "size": len(content), **more}


def _read(connect: Connect, text: str) -> Outcome:
    opened = OP.open(connect.store)
    (outcome,) = opened.read([SecretReference.parse(text)])
    opened.close()
    return outcome


@pytest.mark.parametrize("path", ["key.pem", "f1", "production/key.pem", "s1/f1"])
def test_connect_reads_a_file(connect: Connect, path: str) -> None:
    connect.items, connect.files = [document(file(section={"id": "s1"}))], {"f1": KEY.encode()}
    assert told(_read(connect, f"op://acme/Portal/{path}")) == KEY.removesuffix("\n")


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"\xff\x00", "not UTF-8"), (b"x" * (MAX_INLINE_BYTES + 1), "larger than"), (b"", "is empty")],
)
def test_a_file_that_is_no_text_or_too_large_is_refused(connect: Connect, content: bytes, words: str) -> None:
    connect.items, connect.files = [document(file())], {"f1": content}
    outcome = told(_read(connect, "op://acme/Portal/key.pem"))
    assert outcome.startswith("secret_malformed: ")
    assert words in outcome


def test_a_file_that_is_gone_is_not_found(connect: Connect) -> None:
    connect.items = [document(file())]
    assert told(_read(connect, "op://acme/Portal/key.pem")).startswith("secret_not_found")


@pytest.mark.parametrize(
    ("attached", "path", "asked"),
    [
        (file(), "key.pem", "key.pem"),
        (file(), "f1", "key.pem"),
        (file(section={"id": "s1"}), "key.pem", "s1/key.pem"),
        (file(name="schlüssel.pem"), "schlüssel.pem", "f1"),
    ],
)
def test_the_program_reads_a_file(
    program: Program, tmp_path: Path, attached: dict[str, Any], path: str, asked: str
) -> None:
    program.put("acme", "Portal", document(attached))
    program.answer(f"read --no-newline op://{'v' * 26}/{ITEM}/{asked}", stdout=KEY)
    assert fetch("op", tmp_path, f"op://acme/Portal/{path}") == [KEY.removesuffix("\n")]


def test_of_two_files_with_one_name_the_program_reads_the_one_with_the_id(program: Program, tmp_path: Path) -> None:
    program.put("acme", "Portal", document(file(), file(id="f2")))
    program.answer(f"read --no-newline op://{'v' * 26}/{ITEM}/f2", stdout=KEY)
    assert fetch("op", tmp_path, "op://acme/Portal/f2") == [KEY.removesuffix("\n")]


@pytest.mark.parametrize("field", [{"id": "x", "label": "KEY.pem"}, {"id": "key.pem", "label": "x"}])
def test_a_file_with_the_name_of_a_field_is_asked_for_by_its_id(
    program: Program, tmp_path: Path, field: dict[str, str]
) -> None:
    of_field = KEY.replace("abc", "xyz")
    program.put("acme", "Portal", {**document(file()), "fields": [{**field, "value": of_field}]})
    program.answer(f"read --no-newline op://{'v' * 26}/{ITEM}/key.pem", stdout=of_field)
    program.answer(f"read --no-newline op://{'v' * 26}/{ITEM}/f1", stdout=KEY)
    assert fetch("op", tmp_path, "op://acme/Portal/f1") == [KEY.removesuffix("\n")]


def test_what_has_another_size_than_the_file_is_refused(program: Program, tmp_path: Path) -> None:
    program.put("acme", "Portal", document(file()))
    program.answer(f"read --no-newline op://{'v' * 26}/{ITEM}/key.pem", stdout="the value of a field")
    error = failure("op", tmp_path, "op://acme/Portal/key.pem")
    assert (error.fault.name, "something else than the file" in error.message) == ("secret_malformed", True)
