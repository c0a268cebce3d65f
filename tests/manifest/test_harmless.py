"""What is shown of a text of a valid manifest."""

from __future__ import annotations

import pytest

from connform.manifest.harmless import mask_generated_text, may_be_masked


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("corp://team/acme?version=2#api_key", "corp://team/acme?version=2#api_key"),
        ("gcpsecrets://project/name?version=latest", "gcpsecrets://project/name?version=latest"),
        ("azurekv://v/n?version=4387e9f3d6e14c459867679a90fd0f79", "azurekv://v/n?version=***"),
        ("https://a.example/token?tenant=two", "https://a.example/token?tenant=***"),
        ("https://a.example/?version=1&key=two", "https://a.example/?version=***&key=***"),
        ("https://a.example/?key=one&version=2", "https://a.example/?key=***&version=***"),
    ],
)
def test_the_version_of_a_reference_is_shown_and_no_parameter_of_a_url(text: str, shown: str) -> None:
    assert mask_generated_text(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "env://CUSTOMERINTEGRATION_KEY",
        "env://a1b2c3d4e5f6a7b8",
        "env://a1b2c3d4e5f6a7b",
        "https://é1b2c3d4e5f6a7b8c9.example",
        "client portal;",
        "client portal;7",
        "corp://team/acme?version=2#api_key",
        "corp://team/acme?version=2",
        "https://a.example/?key=one",
        "",
    ],
)
def test_of_many_lines_it_is_known_whether_one_of_them_is_masked(text: str) -> None:
    is_masked = mask_generated_text(text) != text
    assert may_be_masked(f"env://KEY\n{text}\n{text}\nhttps://a.example (token_url, client a)") == is_masked
