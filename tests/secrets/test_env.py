from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.secrets.fetching import failure, fetch, lint

HERE = Path()


@pytest.mark.parametrize(
    ("stored", "found"),
    [
        ("0012", "0012"),
        ("no", "no"),
        ("value\n", "value"),
        ("value\r\n", "value"),
        ("value\n\n", "value\n"),
        (" value ", " value "),
        ("x" * 65536, "x" * 65536),
        ("clé", "clé"),
        ("$HOME", "$HOME"),
    ],
    ids=["digits", "no", "LF", "CRLF", "two LF", "spaces", "64 kB", "non-ASCII", "dollar"],
)
def test_a_variable_is_found(monkeypatch: pytest.MonkeyPatch, stored: str, found: str) -> None:
    monkeypatch.setenv("ACME_KEY", stored)
    assert fetch("env", HERE, "env://ACME_KEY") == [found]


def test_several_come_in_their_order_and_through_a_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONE", "1")
    monkeypatch.setenv("TWO", "2")
    assert fetch("env", HERE, "mine://TWO", "mine://ONE", "mine://TWO") == ["2", "1", "2"]


def test_a_missing_variable_names_the_one_that_was_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IINKED_SANDBOX_KEY_US", "hunter2")
    error = failure("env", HERE, "env://IINKED_SANDBOX_US_KEY")
    assert error.fault.name == "secret_not_found"
    assert "environment variable IINKED_SANDBOX_US_KEY is not set" in error.message
    assert error.hint == "did you mean `IINKED_SANDBOX_KEY_US`?"


def test_a_missing_variable_unlike_any_other_gets_no_guess() -> None:
    assert "did you mean" not in failure("env", HERE, "env://QQQQQQQQ").hint


@pytest.mark.parametrize("stored", ["", "\n", "\r\n"], ids=repr)
def test_an_empty_variable_is_an_error(monkeypatch: pytest.MonkeyPatch, stored: str) -> None:
    monkeypatch.setenv("ACME_KEY", stored)
    error = failure("env", HERE, "env://ACME_KEY")
    assert error.fault.name == "secret_malformed"
    assert "empty" in error.message


def test_bytes_that_are_no_text_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACME_KEY", os.fsdecode(b"hunter2\xff"))
    error = failure("env", HERE, "env://ACME_KEY")
    assert error.fault.name == "secret_malformed"
    assert error.__context__ is None, "the decoder's exception holds the bytes"


@pytest.mark.parametrize("text", ["env://NAME", "env://_n1", "mine://NAME"])
def test_a_good_name(text: str) -> None:
    assert lint("env", text) == ""


@pytest.mark.parametrize(
    "text", ["env://", "env://1A", "env://A-B", "env://A/B", "env:///A", "env://É", "env://A#f", "env://A?version=1"]
)
def test_a_bad_name_is_found_offline(text: str) -> None:
    assert lint("env", text)


def test_upper_and_lower_case_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ACME_KEY", "acme_key", "Acme_Key"):
        monkeypatch.setenv(name, f"that of {name}")
    assert fetch("env", tmp_path, "env://acme_key", "env://ACME_KEY") == ["that of acme_key", "that of ACME_KEY"]
    error = failure("env", tmp_path, "env://ACME_key")
    assert (error.fault.name, "did you mean" in error.hint.lower()) == ("secret_not_found", True)
