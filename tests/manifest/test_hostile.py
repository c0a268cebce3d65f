"""Texts that are meant to do harm: each gets an error with its place, exit code 1, and no traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from connform.manifest.files import MAX_FILE_BYTES
from tests.end_to_end.running import run

BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10)
)
HOSTILE: dict[str, tuple[bytes, str]] = {
    "alias bomb": (BOMB.encode(), "5:45: error[yaml-alias]"),
    "alias bomb of keys": (
        (
            "a: &a {k: v}\n"
            + "".join(f"k{n}: &k{n} {{x: *{'a' if not n else f'k{n - 1}'}, y: *a}}\n" for n in range(70000))
        ).encode(),
        "error[",
    ),
    "200,000 opening brackets": (b"[" * 200_000, "1:1: error[wrong-type]"),
    "200,000 opening brackets in a value": (b"a: " + b"[" * 200_000, "1:68: error[yaml-too-deep]"),
    "200,000 opening braces": (b"{" * 200_000, "1:2: error[yaml-key]"),
    "200,000 nested mappings": (b"a: {" * 200_000, "error[yaml-too-deep]"),
    "200,000 nested lists": (b"a:\n " + b"- " * 200_000, "2:130: error[yaml-too-deep]"),
    "10 MB in one line": (b"a: " + b"x" * 10_000_000, "1:1: error[file-too-large]"),
    "7 MB in one line": (b"a: " + b"x" * 7_000_000, "1:4: error[yaml-scalar-too-long]"),
    "7 MB in a block": (b"a: |\n" + b"  xxxxxxxxxxxxxxx\n" * 390_000, "1:4: error[yaml-scalar-too-long]"),
    "7 MB in quotes that never end": (b"a: '" + b"x" * 7_000_000, "1:4: error[yaml-"),
    "7 MB in a key": (b"x" * 7_000_000 + b": a", "1:1: error["),
    "7 MB of comment": (b"#" * 7_000_000, "1:1: error[empty-manifest]"),
    "7 MB of anchor": (b"a: &" + b"x" * 7_000_000 + b" b", "1:1: error["),
    "a large number": (b"version: " + b"9" * 60_000 + b"\nconnections: {}\n", "1:10: error[unsupported-version]"),
    "a key that stands a thousand times": (
        b"version: 1\nconnections: {}\n" + b"version: 1\n" * 1000,
        "3:1: error[duplicate-key]",
    ),
    "not UTF-8": (b"version: 1\nowner: M\xfcller\n", "2:9: error[not-utf8]"),
    "not UTF-8 behind a byte order mark": (b"\xef\xbb\xbfversion: 1\nowner: M\xfcller\n", "2:9: error[not-utf8]"),
    "UTF-16": ("version: 1".encode("utf-16"), "1:1: error[not-utf8]"),
    "a null byte": (b"version: 1\nconnections:\n  a\x00b: {}\n", "3:4: error[yaml-syntax]"),
    "an escape sequence": (b"version: 1\n\x1b[2J: 1\n", "2:1: error[yaml-syntax]"),
    "lone surrogate": (b"version: 1\n\xed\xa0\x80: 1\n", "2:1: error[not-utf8]"),
    "an empty file": (b"", "1:1: error[empty-manifest]"),
    "a class path": (b"version: 1\nconnections: !!python/object/apply:os.system ['id']\n", "2:14: error[yaml-tag]"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_at_its_place(name: str, tmp_path: Path) -> None:
    data, expected = HOSTILE[name]
    (tmp_path / "m.yaml").write_bytes(data)
    done = run("validate", "-f", "m.yaml", cwd=tmp_path)
    assert (done.code, done.err) == (1, "")
    first = done.out.partition("\n")[0]
    assert first.startswith("m.yaml:")
    assert expected in first
    assert len(max(done.out.splitlines(), key=len)) < 400


def test_a_folder_named_like_a_file_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "connections.yaml").mkdir()
    done = run("validate", cwd=tmp_path)
    assert (done.code, done.err) == (1, "")
    assert done.out.startswith("connections.yaml:1:1: error[file-not-found]")


def test_endless_standard_input_is_cut_off(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    command = [sys.executable, "-m", "connform", "validate", "-f", "-"]
    with subprocess.Popen(
        command, stdin=reading, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path
    ) as process:
        os.close(reading)
        sent = 0
        try:
            while sent < 2 * MAX_FILE_BYTES:
                sent += os.write(writing, b"# more\n" * 4096)
        except BrokenPipeError:
            pass
        finally:
            os.close(writing)
        output, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (1, b"")
    assert b"error[file-too-large]" in output
    assert sent < 2 * MAX_FILE_BYTES
