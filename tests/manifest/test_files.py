from __future__ import annotations

import os
import sys
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest

from connform.manifest import files, reading
from connform.manifest.files import load_sources, read_one_revision

GOOD = b"version: 1\nconnections: {}\n"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(*names: str, text: bytes = GOOD) -> None:
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(text)


def read(*names: str) -> tuple[list[str], list[str]]:
    sources, problems = load_sources(names)
    return [source.name for source in sources], [f"{one.code} {one.span.file}" for one in problems]


def test_a_file_is_read_whole_and_its_folder_is_the_base(here: Path) -> None:
    write("a/b.yaml")
    (source,), problems = load_sources(["a/b.yaml"])
    assert (source.name, source.data, source.base, problems) == ("a/b.yaml", GOOD, str(here / "a"), [])


@pytest.mark.parametrize(
    ("present", "found"),
    [
        (["connections.yaml"], ["connections.yaml"]),
        (["connections.yaml", "connections/a.yaml"], ["connections.yaml"]),
        (["connections/b.yaml", "connections/a.yml"], ["connections/a.yml", "connections/b.yaml"]),
    ],
    ids=["the file", "the file before the folder", "the folder, in order"],
)
def test_without_a_name_the_usual_places_are_searched(present: list[str], found: list[str]) -> None:
    write(*present)
    assert read() == (found, [])


def test_without_a_name_and_a_file_the_file_is_missing() -> None:
    assert read() == ([], ["file-not-found connections.yaml"])


def test_a_folder_is_its_yaml_files_and_nothing_else(here: Path) -> None:
    write("c/b.yaml", "c/a.yml", "c/notes.txt", "c/.hidden", "c/.hidden.yaml", "c/deeper/d.yaml", "c/e.YAML")
    Path("c/.#a.yml").symlink_to("somebody@here.1234:1")  # Emacs locks so what it edits
    assert read("c") == (["c/a.yml", "c/b.yaml"], [])


def test_a_folder_without_yaml_files_is_a_mistake() -> None:
    write("c/notes.txt")
    assert read("c") == ([], ["file-not-found c"])


@pytest.mark.parametrize("again", ["a.yaml", "./a.yaml", "c/../a.yaml", ".", "link.yaml"])
def test_a_file_named_twice_is_read_once(again: str) -> None:
    write("a.yaml", "c/x.txt")
    if again.startswith("link"):
        Path(again).symlink_to("a.yaml")
    assert read("a.yaml", again) == (["a.yaml"], [])


def test_standard_input_is_read_once(monkeypatch: pytest.MonkeyPatch, here: Path) -> None:
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(GOOD)))
    (source,), problems = load_sources(["-", "-"])
    assert (source.name, source.data, source.base, problems) == ("<stdin>", GOOD, str(here), [])


def test_a_closed_standard_input_is_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    assert read("-") == ([], ["file-unreadable -"])


def test_one_missing_file_does_not_hide_the_others() -> None:
    write("b.yaml")
    assert read("a.yaml", "b.yaml", "c.yaml") == (["b.yaml"], ["file-not-found a.yaml", "file-not-found c.yaml"])


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("a.yaml/b.yaml", "file-unreadable"),
        ("x" * 300 + ".yaml", "file-unreadable"),
        ("loop.yaml", "file-unreadable"),
        ("dangling.yaml", "file-not-found"),
        ("", "file-not-found"),
    ],
    ids=["below a file", "a name too long", "links in a circle", "a link to nothing", "no name"],
)
def test_what_cannot_be_opened_is_a_diagnostic(name: str, code: str) -> None:
    write("a.yaml")
    Path("loop.yaml").symlink_to("loop.yaml")
    Path("dangling.yaml").symlink_to("nowhere.yaml")
    assert read(name) == ([], [f"{code} {name}"])


@pytest.mark.parametrize("mode", ["file", "folder"])
def test_what_may_not_be_read_is_a_diagnostic(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    write("c/a.yaml")

    def denied(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(reading, "read_place", denied)
    monkeypatch.setattr(os, "listdir", denied)
    name = "c/a.yaml" if mode == "file" else "c"
    assert read(name) == ([], [f"file-unreadable {name}"])


def test_a_pipe_that_somebody_writes_to_is_read() -> None:
    reading, writing = os.pipe()
    os.write(writing, GOOD)
    os.close(writing)
    (source,), problems = load_sources([f"/dev/fd/{reading}"])
    os.close(reading)
    assert (source.data, problems) == (GOOD, [])


def test_a_file_that_is_too_large_is_refused_unread() -> None:
    with open("large.yaml", "wb") as file:
        file.truncate(files.MAX_FILE_BYTES + 1)
    assert read("large.yaml") == ([], ["file-too-large large.yaml"])


def test_a_file_of_exactly_the_largest_size_is_read() -> None:
    with open("large.yaml", "wb") as file:
        file.truncate(files.MAX_FILE_BYTES)
    names, problems = read("large.yaml")
    assert (len(names), problems) == (1, [])


@pytest.mark.parametrize(("size", "said"), [(100, []), (101, ["file-too-large"])])
def test_standard_input_has_the_same_limit(size: int, said: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_FILE_BYTES", 100)
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(GOOD.ljust(size))))
    sources, problems = load_sources(["-"])
    assert [one.code for one in problems] == said
    assert [len(one.data) for one in sources] == ([] if said else [size])


def test_a_folder_called_as_standard_input_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    write("-/a.yaml")
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(GOOD)))
    assert read("-") == (["<stdin>"], [])


def test_what_does_not_move_is_read_once() -> None:
    write("a.yaml")
    seen: list[str] = []
    read_one_revision("a.yaml", seen.append)
    assert seen == ["a.yaml"]
