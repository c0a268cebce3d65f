"""Which word is meant: near by distance, or certain."""

from __future__ import annotations

import pytest

from connform.manifest.similar import did_you_mean, similar, spelling_variant

KEYS = ("api_key", "base_url", "environment", "region", "tls", "total_s", "env", "us", "eu", "ca")


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("regoin", "region"),  # swapped
        ("regon", "region"),  # dropped
        ("regiion", "region"),  # added
        ("rebion", "region"),  # replaced
        ("enviroment", "environment"),
        ("enw", "env"),
        ("tsl", "tls"),
        ("total", "total_s"),
        ("Base-URL", "base_url"),
        ("us1", "us"),
        ("url-base", "base_url"),  # in another order
        ("uk", ""),  # half of it is wrong
        ("x", ""),
        ("", ""),
        ("colour", ""),
        ("r" * 70_000, ""),
    ],
)
def test_one_slip_in_three_letters_is_near(word: str, meant: str) -> None:
    assert similar(word, KEYS) == meant
    assert did_you_mean(word, KEYS) == (f"did you mean `{meant}`?" if meant else "")


def test_the_nearest_wins_and_the_first_of_equals() -> None:
    assert similar("customer-3", ["customer-123", "customer-13", "customer-4"]) == "customer-13"
    assert similar("customer-3", ["customer-4", "customer-5"]) == "customer-4"


@pytest.mark.parametrize(
    ("word", "known", "certain"),
    [
        ("api-key", ["api_key"], "api_key"),
        ("API_Key", ["api_key"], "api_key"),
        ("api_key", ["api_key"], ""),  # nothing to correct
        ("apikey", ["api_key"], ""),  # near, not certain
        ("Corp-Vault", ["corp-vault", "corp_vault"], ""),  # which of the two?
    ],
)
def test_only_case_and_hyphens_are_certain(word: str, known: list[str], certain: str) -> None:
    assert spelling_variant(word, known) == certain
