from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connform.secrets.dotenv import MalformedLineError, parse_dotenv
from tests.secrets.fetching import chain, failure, fetch, lint


def _values(text: str) -> dict[str, str]:
    return {name: line.value for name, line in parse_dotenv(text).items()}


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("KEY=value", "value"),
        ("KEY=value\n", "value"),
        ("KEY=value\r\n", "value"),
        ("  KEY  =  value  ", "value"),
        ("export KEY=value", "value"),
        ("KEY=0012", "0012"),
        ("KEY=", ""),
        ("KEY=''", ""),
        ('KEY=""', ""),
        ("KEY= # comment", ""),
        ("KEY=value # comment", "value"),
        ("KEY=value\t# comment", "value"),
        ("KEY=val#ue", "val#ue"),
        ("KEY=a=b==", "a=b=="),
        ("KEY=two words", "two words"),
        ("KEY=it's", "it's"),
        ("KEY=$HOME", "$HOME"),
        ("KEY=${HOME}", "${HOME}"),
        ("KEY=`id`", "`id`"),
        (r"KEY=a\nb", r"a\nb"),
        ("KEY='value' # comment", "value"),
        ("KEY='a#b # c'", "a#b # c"),
        (r"KEY='a\nb'", r"a\nb"),
        ("KEY='a\nb'", "a\nb"),
        ("KEY=' value '", " value "),
        ('KEY="value" # comment', "value"),
        (r'KEY="a\nb\r\t\"\\\$"', 'a\nb\r\t"\\$'),
        ('KEY="a\nb"', "a\nb"),
        ('KEY="$HOME"', "$HOME"),
        ("KEY=clé", "clé"),
        ("KEY=" + "x" * 65536, "x" * 65536),
    ],
    ids=lambda text: repr(text[:30]),
)
def test_a_line_has_a_value(line: str, value: str) -> None:
    assert _values(line) == {"KEY": value}


def test_a_file_has_comments_and_empty_lines() -> None:
    text = "# head\n\n  # indented\nA=1\n\t\nexport B='2\n# no comment'\n\n#C=3\nD=4"
    assert _values(text) == {"A": "1", "B": "2\n# no comment", "D": "4"}


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("hunter2", 1),
        ("A=1\nhunter2\nB=2", 2),
        ("A='1\n2'\n\nhunter2", 4),
        ("1A=x", 1),
        ("A-B=x", 1),
        ("A: x", 1),
        ("export A", 1),
        ("A='open", 1),
        ('A="open', 1),
        ("A='x'y", 1),
        ("A='x'#y", 1),
        (r'A="\q"', 1),
        ("A=#x", 1),
        ('A=1\nB="open\nC=3', 2),
    ],
    ids=repr,
)
def test_a_line_that_cannot_be_read_is_named_by_its_number_alone(text: str, number: int) -> None:
    with pytest.raises(MalformedLineError) as caught:
        parse_dotenv(text)
    assert str(caught.value) == str(number)


@given(
    st.dictionaries(
        st.from_regex(r"[A-Z_][A-Z0-9_]{0,8}", fullmatch=True), st.text().filter(lambda text: "'" not in text)
    )
)
def test_single_quotes_keep_everything(values: dict[str, str]) -> None:
    assert _values("".join(f"{name}='{value}'\n" for name, value in values.items())) == values


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    number = "1"
    try:
        parse_dotenv(text)
    except MalformedLineError as error:
        number = str(error)
    assert 1 <= int(number) <= text.count("\n") + 1


# ---------------------------------------------------------------------------------------------------------- references


def test_a_variable_is_found_beside_the_manifest_and_through_a_store(tmp_path: Path) -> None:
    (tmp_path / "ci").mkdir()
    (tmp_path / "ci" / ".env").write_text("A=1\nB='2\n'\n")
    assert fetch("dotenv", tmp_path, "dotenv://ci/.env#B", "dotenv://ci/.env#A") == ["2", "1"]
    assert fetch("dotenv", tmp_path, "mine://A", "mine://B", path="ci/.env") == ["1", "2"]
    assert fetch("dotenv", tmp_path, f"dotenv://{tmp_path}/ci/.env#A") == ["1"]


def test_a_missing_file(tmp_path: Path) -> None:
    error = failure("dotenv", tmp_path, "dotenv://.env#A")
    assert error.fault.name == "secret_not_found"
    assert str(tmp_path / ".env") in error.message


def test_a_missing_variable_names_the_one_that_was_meant(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("ACME_API_KEY=hunter2\n")
    error = failure("dotenv", tmp_path, "dotenv://.env#ACME_API_KAY")
    assert (error.fault.name, error.hint) == ("secret_not_found", "did you mean `ACME_API_KEY`?")


def test_a_variable_that_stands_twice_is_an_error_with_both_lines(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=hunter2\nB=x\nA=hunter3\n")
    error = failure("dotenv", tmp_path, "dotenv://.env#A")
    assert error.fault.name == "secret_malformed"
    assert "lines 1 and 3" in error.message
    assert fetch("dotenv", tmp_path, "dotenv://.env#B") == ["x"]


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"A=1\nhunter2\n", "line 2"), (b"A=hunter2\xff\n", "UTF-8"), (b"A=\n", "empty"), (b"A='\n'\n", "empty")],
    ids=["no assignment", "not UTF-8", "empty", "newline alone"],
)
def test_a_malformed_file_is_said_without_its_text(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / ".env").write_bytes(content)
    error = failure("dotenv", tmp_path, "dotenv://.env#A")
    assert error.fault.name == "secret_malformed"
    assert words in error.message
    assert "hunter2" not in chain(error)


@pytest.mark.parametrize("text", ["dotenv://.env#A", "dotenv:///etc/acme.env#_a1"])
def test_a_good_reference(text: str) -> None:
    assert lint("dotenv", text) == ""
    assert lint("dotenv", "mine://NAME", path=".env") == ""


@pytest.mark.parametrize("text", ["dotenv://.env", "dotenv://#A", "dotenv://.env#1A", "dotenv://.env?version=1#A"])
def test_a_bad_reference_is_found_offline(text: str) -> None:
    assert lint("dotenv", text)


@pytest.mark.parametrize("text", ["mine://NAME#x", "mine://.env#NAME", "mine://", "mine://A-B", "mine://A?version=2"])
def test_a_bad_reference_through_a_store_is_found_offline(text: str) -> None:
    assert lint("dotenv", text, path=".env")
