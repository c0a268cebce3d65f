"""`connform providers`: what a manifest may name, what a definition says, and whether its examples mean what they say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from connform.providers import GROUPS, PROVIDERS, catalog_entry
from tests.cli.conftest import Connform
from tests.providers.described.mistakes import GOOD


def test_every_built_in_provider_is_listed(connform: Connform) -> None:
    run = connform("providers", "list", "--format", "json")
    assert run.code == 0
    assert {one["name"] for one in json.loads(run.out)} >= set(PROVIDERS)


def test_a_definition_is_shown_with_hosts_methods_check_and_sources(connform: Connform) -> None:
    run = connform("providers", "show", "iinked-sign")
    assert run.code == 0
    for text in ("sign.syngrafii.ca", "api_key: {api_key}", "POST  /packages/list", "docs.iinkedsign.com", "assumed"):
        assert text in run.out


def test_json_has_the_whole_definition(connform: Connform) -> None:
    shown = json.loads(connform("providers", "show", "iinked-sign", "--format", "json").out)
    assert shown["definition"] == catalog_entry("iinked-sign")


@pytest.mark.parametrize("flags", [[], ["--format", "json"]], ids=["text", "json"])
def test_what_looks_generated_is_masked(connform: Connform, flags: list[str]) -> None:
    text = GOOD.replace("hint: renew it", "hint: renew Kc66ryYTWUXYEu92aq").replace("/api,", "/api?key=hunter,")
    Path("connections.yaml").write_text(text.replace("title: Acme CRM", "title: Acme Kc66ryYTWUXYEu92aq"))
    run = connform("providers", "show", "acme/crm", *flags)
    assert run.code == 0
    assert "Acme ***" in run.out
    assert "Kc66" not in run.out
    assert "hunter" not in run.out


def test_a_provider_without_a_file_is_named_only(connform: Connform) -> None:
    assert connform("providers", "show", "http").out == "http: A connection to any HTTP API. (connform)\n"


def test_every_example_of_the_catalog_means_what_it_says(connform: Connform) -> None:
    run = connform("providers", "test", "--format", "json")
    replays = json.loads(run.out)
    assert {one["provider"] for one in replays} >= set(GROUPS)
    assert [one for one in replays if one["judged"] != one["means"]] == []
    assert run.code == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["show", "iinked-sgn"], "did you mean `iinked-sign`?"),
        (["show", "nobody"], "`connform providers list` lists them"),
        (["show"], "takes the name of a provider"),
        (["list", "iinked-sign"], "takes no name"),
    ],
    ids=str,
)
def test_a_wrong_use_is_explained(connform: Connform, arguments: list[str], said: str) -> None:
    run = connform("providers", *arguments)
    assert run.code == 64
    assert said in run.err


def test_an_entry_with_a_mistake_is_told_and_not_left_out(
    connform: Connform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    entry = {**(catalog_entry("iinked-sign") or {}), "root": "https://{hots}/api/v1"}
    (tmp_path / "connections.yaml").write_text(json.dumps({"version": 1, "providers": {"acme/sign": entry}}))
    for what in ("test", "show"):
        run = connform("providers", what, "acme/sign")
        assert run.code == 1
        assert "unknown-placeholder" in run.out + run.err
