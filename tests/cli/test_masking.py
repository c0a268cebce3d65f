"""What `exec` shows of a command's output: everything but secrets, in whatever pieces it comes."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from connform.cli.masking import Mask
from connform.secret import Secret
from tests.canary import API_KEY, AWKWARD, assert_no_canary

if TYPE_CHECKING:
    from collections.abc import Callable


def shown(text: bytes, piece: int, *secrets: str) -> bytes:
    mask = Mask([Secret(secret) for secret in secrets])
    pieces = [text[start : start + piece] for start in range(0, len(text), piece)]
    return b"".join([*map(mask.feed, pieces), mask.end()])


@pytest.mark.parametrize("piece", [1, 3, 7, 1000])
@pytest.mark.parametrize(
    "form",
    [
        str,
        lambda value: json.dumps({"key": value}),
        repr,
        lambda value: "https://x/?k=" + quote(value, safe=""),
        lambda value: base64.b64encode(value.encode()).decode(),
        lambda value: base64.b64encode(b"user:" + value.encode()).decode(),
        lambda value: base64.urlsafe_b64encode(b"me:" + value.encode() + b"!").decode(),
    ],
    ids=["raw", "json", "repr", "url", "base64", "basic", "inside-base64"],
)
def test_no_form_of_a_secret_is_seen(form: Callable[[str], str], piece: int) -> None:
    for value in (API_KEY, AWKWARD):
        seen = shown(b"before " + form(value).encode() + b" behind", piece, API_KEY, AWKWARD)
        assert_no_canary(seen)
        assert seen.startswith(b"before ")
        assert seen.endswith(b" behind")


@pytest.mark.parametrize("piece", [1, 5, 1000])
def test_what_is_no_secret_stays_as_it_is(piece: int) -> None:
    text = b"sec secre secret-not \xff\x00 s s"
    assert shown(text, piece, "secret-value") == text


def test_only_what_may_begin_a_secret_is_held_back() -> None:
    mask = Mask([Secret("secret-value")])
    assert mask.feed(b"a line\n") == b"a line\n"
    assert mask.feed(b"a sec") == b"a "
    assert mask.feed(b"tor") == b"sector"
    assert mask.end() == b""


@pytest.mark.parametrize("value", ["a", "ab", "abc"])
def test_a_short_secret_does_not_hide_everything(value: str) -> None:
    assert shown(b"xyz " + value.encode() + b" YWI=", 100, value).startswith(b"xyz *** ")
