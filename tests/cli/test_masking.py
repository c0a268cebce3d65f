"""What `exec` shows of a command's output: everything but secrets, in whatever pieces it comes."""

from __future__ import annotations

import base64
import html
import json
import re
import shlex
import textwrap
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest

from connform.cli.masking import Mask
from connform.secret import Secret
from tests.canary import API_KEY, AWKWARD, assert_no_canary

QUOTED = f"it's''%41 \\n&lt; {AWKWARD}"
"""What holds quotes, and what looks like escapes itself."""


def shown(text: bytes, piece: int, *secrets: str) -> bytes:
    mask = Mask([Secret(secret) for secret in secrets])
    pieces = [text[start : start + piece] for start in range(0, len(text), piece)]
    return b"".join([*map(mask.feed, pieces), mask.end()])


FORMS: dict[str, Callable[[str], str]] = {
    "raw": str,
    "json": lambda value: json.dumps({"key": value}),
    "repr": repr,
    "repr of bytes": lambda value: repr(value.encode()),
    "url": lambda value: "https://x/?k=" + quote(value, safe=""),
    "form": lambda value: "k=" + quote_plus(value),
    "base64": lambda value: base64.b64encode(value.encode()).decode(),
    "basic": lambda value: base64.b64encode(b"user:" + value.encode()).decode(),
    "inside of base64": lambda value: base64.urlsafe_b64encode(b"me:" + value.encode() + b"!").decode(),
    "base64 of 76 columns": lambda value: base64.encodebytes(b"a" * 50 + value.encode() * 3).decode(),
    "base64 of MIME": lambda value: base64.encodebytes(b"u:" + value.encode() * 2).decode().replace("\n", "\r\n"),
    "base64 of 64 columns, indented": lambda value: textwrap.indent(
        textwrap.fill(base64.b64encode(b"\0" + value.encode() * 4).decode(), 64), "    "
    ),
    "base64 of 76 columns in JSON": lambda value: json.dumps(
        base64.encodebytes(b"a" * 50 + value.encode() * 3).decode()
    ),
    "base64 in a URL": lambda value: quote(base64.b64encode(value.encode()).decode(), safe=""),
    "url in small letters": lambda value: re.sub("%..", lambda found: found[0].lower(), quote(value, safe="")),
    "url with some left": lambda value: quote(value, safe="/&+=~"),
    "url twice": lambda value: quote(quote(value)),
    "url with every other escaped": lambda value: "".join(
        f"%{byte:02x}" if place % 2 or byte in b"%+" else chr(byte) for place, byte in enumerate(value.encode())
    ),
    "json of Go": lambda value: (
        json.dumps(value).replace("<", r"\u003c").replace(">", r"\u003E").replace("&", r"\u0026")
    ),
    "json of PHP": lambda value: json.dumps(value).replace("/", r"\/"),
    "json in json": lambda value: json.dumps(json.dumps({"a": value})),
    "json in a url": lambda value: quote(json.dumps(value)),
    "unicode escapes": lambda value: "".join(f"\\u{ord(char):04x}" for char in value),
    "hex escapes": lambda value: "".join(f"\\x{byte:02x}" for byte in value.encode()),
    "octal escapes": lambda value: "$'" + "".join(f"\\{byte:03o}" for byte in value.encode()) + "'",
    "quotes of $": lambda value: "$'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'",
    "quotes of sh": shlex.quote,
    "quotes of bash": lambda value: "'" + value.replace("'", r"'\''") + "'",
    "printf %q": lambda value: re.sub(r"(\W)", r"\\\1", value),
    "html": html.escape,
    "json in html": lambda value: html.escape(json.dumps(value)),
    "html in json": lambda value: json.dumps(html.escape(value)),
    "decimal entities": lambda value: "".join(f"&#{ord(char)};" for char in value),
    "hex entities": lambda value: "".join(f"&#x{ord(char):X};" for char in value),
}


@pytest.mark.parametrize("piece", [1, 7, 1000])
@pytest.mark.parametrize("form", FORMS)
def test_no_form_of_a_secret_is_seen(form: str, piece: int) -> None:
    for value in (API_KEY, QUOTED):
        seen = shown(b"before " + FORMS[form](value).encode() + b" behind", piece, API_KEY, AWKWARD, QUOTED)
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


@pytest.mark.parametrize("piece", [22, 65_536])
@pytest.mark.parametrize("secret", ["k" * 120_000, "".join(map(str, range(24_000)))], ids=["one letter", "numbers"])
def test_long_secrets_cost_no_more_than_their_length(secret: str, piece: int) -> None:
    lines = "".join(f"line {number} of many\n" for number in range(60)).encode()
    # By the product of both lengths each of these would take minutes.
    for form in (str, json.dumps, lambda value: base64.encodebytes(value.encode()).decode()):
        seen = shown(lines + form(secret).encode() + lines, piece, secret)
        assert seen.startswith(lines)
        assert seen.endswith(lines)
        assert len(seen) < 2 * len(lines) + 20
    assert shown(secret[:-1].encode() + b"!", piece, secret) == secret[:-1].encode() + b"!"
    assert shown(secret.encode() * 3, piece, secret) == b"***" * 3


def test_secrets_that_overlap_hide_each_other() -> None:
    assert shown(b"<secret-value-long>", 100, "secret-value", "value-long") == b"<***>"
    for piece in (1, 100):
        assert shown(b"<secret-value>", piece, "secret", "secret-value-long") == b"<***-value>"


@pytest.mark.parametrize("text", [b"50%", b"a \\", b"AT&T", b"it's '", b"\\u00", b"%2", b"a\r\n", b"x" * 80 + b"\n"])
def test_the_beginning_of_an_escape_that_is_none_is_shown_in_the_end(text: bytes) -> None:
    for piece in (1, 100):
        assert shown(text, piece, "secret-value") == text
        assert shown(text + b"zz", piece, "secret-value") == text + b"zz"


def test_base64_shows_no_character_of_the_end() -> None:
    for value in ("secret-value", "secret-value-1", "secret-value-12"):
        for user in (b"", b"u", b"us"):
            seen = shown(base64.b64encode(user + value.encode()), 1000, value)
            assert len(seen.replace(b"***", b"").rstrip(b"=")) <= 4  # those of the user, and the last bits


def test_a_line_is_shown_when_it_ends() -> None:
    mask = Mask([Secret("secret-value")])
    for line in (b"files\n", b"a c\n", b"50%\n", b"it's c2\n", b"C:\\s\n", b"x" * 80 + b"\n"):
        assert mask.feed(line) == line
