"""Some hundred random manifests in every run of the tests; `make long ARGS=fuzz` examines as many as are asked for."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.generate import manifest
from tests.fuzz.oracle import examine, examine_layout
from tests.long.fuzz import batch
from tests.manifest.syntax_cases import CASES


@pytest.mark.timeout(110)  # hundreds of manifests
def test_what_must_hold_for_any_text_holds_for_manifests_by_chance() -> None:
    verdicts, failures = batch(seed=2, first=0, count=180)
    assert failures == []
    assert min(verdicts["accepted"], verdicts["refused"], verdicts["not yaml"]) > 10


def test_the_same_seed_makes_the_same_manifests() -> None:
    assert [manifest(Random(f"3:{number}")) for number in range(20)] == [
        manifest(Random(f"3:{number}")) for number in range(20)
    ]


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(st.text() | st.text(alphabet="a:-?#&*!|>'\"%@`{}[], \n\r\t=\x85\u2028\u00a0\ufeff", max_size=40))
def test_any_text_gets_a_verdict(text: str) -> None:
    examine(text.encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize(
    "text",
    [
        b"\xff\xfea\x00",
        b"\x00",
        b"version: 1\nconnections: {\xed\xa0\x80: 1}",
        b"version: 1\r\rconnections:\r  a: 1",
        "version: 1\u2028connections: 1".encode(),
        b"\xef\xbb\xbfversion: 1\nconnections: []",
        b"%YAML 1.1\n---\nversion: 1\n...\n",
        b"? version\n: 1\n? connections\n: {}\n",
        b"? |\n  version\n: 1",
        b"&a version: 1\n*a : 2",
        b"version: 1\nconnections: {a: {auth: {method: &m {}, api_key: *m}}}",
        b"version: 1\ntemplates: {t: {auth: {method: oauth, client_id: [1]}}}\nconnections: {}",  # a method of other providers
    ],
)
def test_a_text_that_once_made_trouble_gets_a_verdict(text: bytes) -> None:
    examine(text)


@pytest.mark.parametrize(
    ("in_template", "in_connection", "verdict"),
    [
        ("{claims: {a: b}}", "{alg: RS256}", "accepted"),
        ("{alg: RS256}", "{claims: {a: b}}", "accepted"),
        ("{claims: {a: b}}", "{}", "refused"),
    ],
)
def test_a_nested_object_is_complete_in_the_connection(in_template: str, in_connection: str, verdict: str) -> None:
    text = f"""
version: 1
templates:
  t:
    provider: http
    auth: {{method: jwt, private_key: env://KEY, jwt: {in_template}}}
connections:
  a:
    extends: t
    base_url: https://a.example
    check: {{path: /me, expect: {{empty: true}}}}
    auth: {{jwt: {in_connection}}}
"""
    assert examine(text.encode()) == verdict


@pytest.mark.parametrize("name", CASES)
def test_what_is_no_yaml_gets_a_verdict(name: str) -> None:
    text = CASES[name][0].encode()
    assert (examine(text), examine_layout(text)) == ("not yaml", "refused")
