"""A diff goes into logs: it shows where the white space changes, and no secret."""

from __future__ import annotations

import pytest

from connform.layout.diff import diff
from connform.manifest.snippet import Public
from tests.canary import API_KEY

KNOWN = frozenset({"region", "auth", "method", "api_key", "owner", "description"})
SHOWN = frozenset({"region", "method", "owner"})
PUBLIC = Public(KNOWN, SHOWN, frozenset({"owner"}), lambda text: text == "env://KEY")


def lines(before: str, after: str) -> list[str]:
    return list(diff("c.yaml", before, after, PUBLIC))


def only(line: str) -> str:
    """Return one line as a diff shows it."""
    return lines(f"{line}\n", "")[3].removeprefix("-").removesuffix("\n")


def test_it_has_the_form_that_patch_and_reviewers_read() -> None:
    assert lines("region:  us\nowner: me\n", "region: us\nowner: me\n") == [
        "--- c.yaml\n",
        "+++ c.yaml\n",
        "@@ -1,2 +1,2 @@\n",
        "-region:  us\n",
        "+region: us\n",
        " owner: me\n",
    ]


def test_it_says_that_the_last_line_has_no_end() -> None:
    assert lines("region: us", "region: us\n")[3:] == [
        "-region: us\n",
        "\\ No newline at end of file\n",
        "+region: us\n",
    ]


@pytest.mark.parametrize("line", ["-- hunter2", "++ hunter2", "@@ hunter2"])
def test_a_line_that_looks_like_a_header_is_masked_as_a_line(line: str) -> None:
    assert only(line) == "***"


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("  region: us # as agreed", "  region: us # as agreed"),
        ("# connections, see https://acme.example", "# connections, see https://acme.example"),
        ("  api_key: env://KEY", "  api_key: env://KEY"),
        (f"  api_key: {API_KEY}", "  api_key: ***"),
        (f"  auth: {{method: api_key, api_key: '{API_KEY}'}}", "  auth: {method: api_key, api_key: ***}"),
        ("  password: hunter2", "  password: ***"),
        ("  # password: hunter2", "  # password: ***"),
        ("# export KEY=Big-HUNTER", "# export KEY=***"),
        ("# the password is: Big-HUNTER", "# the password is: ***"),
        ("# `defaults:` is a good place: see x", "# `defaults:` is a good place: see x"),
        ("region: us # connform: ignore[no-owner]", "region: us # connform: ignore[no-owner]"),
        ("# yaml-language-server: $schema=./a.schema.json", "# yaml-language-server: $schema=./a.schema.json"),
        ("# yaml-language-server: $schema=https://u:hunter@x", "# ***: ***"),
        ("  # - region: us # hunter2", "  # - region: us "),
        (f"  region: us # was {API_KEY}", "  region: us # ***"),
        ("  # https://me:hunter2@acme.example", "  # ***"),
        ("    hunter2", "    ***"),
        ("a" * 3_000, "***"),
        ("region: us\r", "region: us"),
        ("", ""),
    ],
)
def test_what_might_be_a_secret_is_masked(line: str, shown: str) -> None:
    assert only(line) == shown
