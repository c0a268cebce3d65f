"""What is shown of a text of a valid manifest."""

from __future__ import annotations

import pytest

from connform.manifest.harmless import mask_generated_text


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
