"""What `connform fmt` writes where, and how it ends."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import pytest

from connform.layout import canonical
from connform.layout.printer import lay_out
from tests.canary import API_KEY
from tests.cli.conftest import Connform
from tests.conftest import Plant

ODD, LAID_OUT = "version:   1\n", "version: 1\n"
BROKEN = "version: [1\n"


class Input:
    """A standard input that holds a text."""

    def __init__(self, text: str) -> None:
        self.buffer = io.BytesIO(text.encode())


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def files(**texts: str) -> None:
    for name, text in texts.items():
        with open(f"{name}.yaml", "w", encoding="utf-8") as file:
            file.write(text)


def text(name: str) -> str:
    with open(f"{name}.yaml", encoding="utf-8") as file:
        return file.read()


def test_files_that_change_are_named(connform: Connform) -> None:
    files(a=ODD, b=LAID_OUT, c=ODD)
    run = connform("fmt", "a.yaml", "b.yaml", "-f", "c.yaml")
    assert (run.code, run.out, run.err) == (0, "c.yaml\na.yaml\n", "")
    assert [text(name) for name in "abc"] == [LAID_OUT] * 3
    again = connform("fmt", "a.yaml", "b.yaml", "c.yaml")
    assert (again.code, again.out, again.err) == (0, "", "")


def test_the_default_search_is_that_of_validate(connform: Connform) -> None:
    assert connform("fmt").code == 1
    os.mkdir("connections")
    files(**{"connections/a": ODD, "connections/b": ODD})
    assert connform("fmt", "--check").out == "connections/a.yaml\nconnections/b.yaml\n"
    files(connections=ODD)
    assert connform("fmt").out == "connections.yaml\n"
    assert connform("fmt", "connections").out == "connections/a.yaml\nconnections/b.yaml\n"


@pytest.mark.parametrize("flags", [["--check"], ["--diff"], ["--check", "--diff"]], ids=" ".join)
def test_check_and_diff_change_nothing(connform: Connform, flags: list[str]) -> None:
    files(a=ODD, b=LAID_OUT)
    run = connform("fmt", *flags, "a.yaml", "b.yaml")
    assert run.code == (3 if "--check" in flags else 0)
    assert run.out == (
        "--- a.yaml\n+++ a.yaml\n@@ -1 +1 @@\n-version:   1\n+version: 1\n" if "--diff" in flags else "a.yaml\n"
    )
    assert text("a") == ODD
    assert connform("fmt", *flags, "b.yaml") == type(run)(0, "", "")


def test_a_broken_file_is_told_and_left_alone_and_the_others_are_written(connform: Connform) -> None:
    files(a=BROKEN, b=ODD)
    run = connform("fmt", "a.yaml", "b.yaml")
    assert (run.code, run.out) == (1, "b.yaml\n")
    assert run.err.startswith("a.yaml:1:10: error[yaml-syntax]: not valid YAML\n")
    assert (text("a"), text("b")) == (BROKEN, LAID_OUT)


def test_a_broken_file_beats_one_that_would_change(connform: Connform) -> None:
    files(a=BROKEN, b=ODD)
    assert connform("fmt", "--check", "a.yaml", "b.yaml").code == 1


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ("a: 1\na: 2\n", "x.yaml:2:1: error[duplicate-key]"),
        ("a: !!int 1\n", "x.yaml:1:4: error[yaml-tag]"),
        ("a: b # \u2028c: d\n", "x.yaml:1:8: error[yaml-syntax]"),
        ("- a\n", "x.yaml:1:1: error[wrong-type]"),
    ],
)
def test_what_validate_refuses_is_told_with_its_place(connform: Connform, broken: str, said: str) -> None:
    files(x=broken)
    run = connform("fmt", "x.yaml")
    assert (run.code, run.out) == (1, "")
    assert run.err.startswith(said)
    assert run.err.count("error[") == 1
    assert text("x") == broken


def test_an_invalid_manifest_is_laid_out(connform: Connform) -> None:
    files(x="connections:\n    a:\n        region:  moon\n")
    assert connform("fmt", "x.yaml").code == 0
    assert text("x") == "connections:\n  a:\n    region: moon\n"


def test_no_such_file(connform: Connform) -> None:
    run = connform("fmt", "x.yaml")
    assert run.code == 1
    assert "error[file-not-found]" in run.err


@pytest.mark.parametrize(
    ("flags", "given", "code", "out"),
    [
        ([], ODD, 0, LAID_OUT),
        ([], LAID_OUT, 0, LAID_OUT),
        ([], BROKEN, 1, ""),
        (["--check"], ODD, 3, "<stdin>\n"),
        (["--check"], LAID_OUT, 0, ""),
        (["--diff"], ODD, 0, "--- <stdin>\n+++ <stdin>\n@@ -1 +1 @@\n-version:   1\n+version: 1\n"),
    ],
)
def test_standard_input(
    connform: Connform, monkeypatch: pytest.MonkeyPatch, flags: list[str], given: str, code: int, out: str
) -> None:
    monkeypatch.setattr(sys, "stdin", Input(given))
    run = connform("fmt", *flags, "-")
    assert (run.code, run.out) == (code, out)
    assert ("<stdin>:1:10: error" in run.err) == (given == BROKEN)


def test_output_takes_the_place_of_standard_output(connform: Connform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Input(ODD))
    assert connform("fmt", "-", "--output", "out.yaml").out == ""
    assert text("out") == LAID_OUT


def test_quiet_names_nothing(connform: Connform) -> None:
    files(a=ODD)
    assert connform("fmt", "-q", "--check", "a.yaml") == type(connform("version"))(3, "", "")
    assert connform("fmt", "-q", "a.yaml").out == ""
    assert text("a") == LAID_OUT


@pytest.mark.parametrize("flags", [["-c", "x"], ["--tag", "ci"], ["--exclude", "x"], ["-", "a.yaml"]], ids=" ".join)
def test_what_means_nothing_here_is_refused_before_anything_is_written(connform: Connform, flags: list[str]) -> None:
    files(a=ODD)
    run = connform("fmt", "-f", "a.yaml", *flags)
    assert (run.code, run.out) == (64, "")
    assert text("a") == ODD


def test_a_file_that_cannot_be_written_is_told_and_the_others_are_written(
    connform: Connform, monkeypatch: pytest.MonkeyPatch
) -> None:
    from connform.manifest import replace as module

    replace = module.replace_content

    def refuse(name: str, content: bytes) -> None:
        if name == "a.yaml":
            raise PermissionError(13, "Permission denied")
        replace(name, content)

    monkeypatch.setattr(module, "replace_content", refuse)
    files(a=ODD, b=ODD)
    run = connform("fmt", "a.yaml", "b.yaml")
    assert (run.code, run.out, run.err) == (64, "b.yaml\n", "error: can't write a.yaml: Permission denied\n")
    assert (text("a"), text("b")) == (ODD, LAID_OUT)


def test_a_file_whose_layout_has_a_bug_is_left_alone_and_the_others_are_written(
    connform: Connform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(canonical, "lay_out", lambda text: lay_out(text).replace("wrong", "right"))
    files(a=ODD, b="a:   wrong\n", c=ODD)
    run = connform("fmt", "a.yaml", "b.yaml", "c.yaml")
    assert (run.code, run.out) == (70, "a.yaml\nc.yaml\n")
    assert "connform.layout.canonical.ModelChangedError" in run.err
    assert "error: b.yaml is left as it is" in run.err
    assert (text("a"), text("b"), text("c")) == (LAID_OUT, "a:   wrong\n", LAID_OUT)


def test_a_pasted_key_is_kept_in_the_file_and_shown_nowhere(connform: Connform, plant: Plant) -> None:
    pasted = f"connections:\n    a: # {API_KEY}\n        auth:  {{api_key: '{API_KEY}'}}\n"
    path = plant("a.yaml", pasted)
    diff = connform("fmt", "--diff", "a.yaml").out
    assert "+    auth: {api_key: ***}\n" in diff
    assert "+  a: # ***\n" in diff
    assert connform("fmt", "a.yaml").out == "a.yaml\n"
    assert path.read_text().count(API_KEY) == 2
    plant("a.yaml", f"auth: {{api_key: '{API_KEY}\n")
    assert connform("fmt", "a.yaml").code == 1


def test_a_key_over_several_lines_with_a_comment_behind_it_is_laid_out(connform: Connform) -> None:
    files(a="? |\n  a\n# c\n: b\n", b=ODD)
    run = connform("fmt", "a.yaml", "b.yaml")
    assert (run.code, run.out, run.err) == (0, "b.yaml\n", "")
    assert (text("a"), text("b")) == ("? |\n  a\n# c\n: b\n", LAID_OUT)
