"""No part of a reference becomes an option of a program that a backend runs."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.secrets.fetching import lint, outcomes

RECORDS = """#!{python} -I
import json, sys
with open({log!r}, "a") as log:
    log.write(json.dumps(sys.argv[1:]) + "\\n")
"""
PROGRAMS = ("op", "sops", "pass", "gpg")
OURS = {"--vault", "--format", "--reveal", "--input-type", "--output-type"}
"""The options that connform writes itself."""
WORDS = ("-x", "--account=evil.example", "--", "-", "--config=/tmp/x", "-rf")
REFERENCES = [
    *(f"op://{word}/item/field" for word in WORDS),
    *(f"op://vault/{word}/field" for word in WORDS),
    *(f"op://vault/item/{word}" for word in WORDS),
    *(f"op://vault/item/{word}/field" for word in WORDS),
    *(f"sops://{word}#a" for word in WORDS),
    *(f"sops://{word}.json#{word}" for word in WORDS),
    *(f"sops://./{word}#a" for word in WORDS),
    *(f"pass://{word}" for word in WORDS),
    *(f"pass://acme/{word}#{word}" for word in WORDS),
]


@pytest.mark.parametrize("text", REFERENCES)
def test_no_part_of_a_reference_is_an_option(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    backend = text.partition("://")[0]
    if lint(backend, text):
        return
    bin_, log, path = tmp_path / "bin", tmp_path / "log", text.partition("://")[2].partition("#")[0]
    bin_.mkdir()
    for name in PROGRAMS:
        (bin_ / name).write_text(RECORDS.format(python=sys.executable, log=str(log)))
        (bin_ / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(bin_))
    monkeypatch.setenv("PASSWORD_STORE_DIR", str(tmp_path / "store"))
    for file in (tmp_path / path, tmp_path / "store" / f"{path}.gpg"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("encrypted")
    outcomes(backend, tmp_path, text)
    (argv,) = map(json.loads, log.read_text().splitlines())
    assert {argument for argument in argv if argument.startswith("-")} <= OURS
