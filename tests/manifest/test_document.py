from __future__ import annotations

from pathlib import Path

import pytest

from connform.engine.load.manifest import examine, load_manifest
from connform.manifest.decode import Manifest
from connform.manifest.files import Source

TEXT = """\
version: 1
defaults:
  owner: everybody
  tags: [all, shared]
  timeouts: {connect_s: 1, read_s: 1, total_s: 1}
templates:
  base:
    environment: sandbox
    timeouts: {read_s: 2, total_s: 2}
    auth: {method: api_key, api_key: env://BASE}
  middle:
    extends: base
    tags: [middle]
    timeouts: {total_s: 3}
connections:
  bottom:
    extends: middle
    region: us
    timeouts: {total_s: 4}
  plain:
    environment: sandbox
    region: eu
    tags: []
    auth: {method: api_key, api_key: env://PLAIN}
"""


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    file = tmp_path / "m.yaml"
    file.write_text(TEXT, "utf-8")
    return load_manifest([str(file)])


@pytest.mark.parametrize(
    ("path", "value", "origin", "line"),
    [
        (("timeouts", "total_s"), 4, "connection", 19),
        (("timeouts", "read_s"), 2, "template base", 9),
        (("timeouts", "connect_s"), 1, "defaults", 5),
        (("tags", 0), "middle", "template middle", 13),
        (("tags",), ["middle"], "template middle", 13),
        (("owner",), "everybody", "defaults", 3),
        (("auth", "api_key"), "env://BASE", "template base", 10),
        (("environment",), "sandbox", "template base", 8),
        (("region",), "us", "connection", 18),
    ],
)
def test_the_nearest_layer_wins_and_every_value_knows_where_it_stands(
    manifest: Manifest, path: tuple[str | int, ...], value: object, origin: str, line: int
) -> None:
    connection = manifest["bottom"]
    here: object = connection.settings
    for part in path:
        here = here[part]  # type: ignore[index]  # a path leads through maps and lists
    assert here == value
    if path != ("tags", 0):
        assert connection.origin_of(*path) == origin
    assert connection.place_of(*path).line == line


def test_what_nobody_says_has_no_origin_and_lies_at_the_name(manifest: Manifest) -> None:
    connection = manifest["bottom"]
    assert connection.origin_of("proxy") == ""
    assert connection.place_of("proxy") == connection.span
    assert connection.span.line == 16


def test_lists_replace_even_when_empty(manifest: Manifest) -> None:
    assert manifest["plain"].tags == ()


def test_mappings_merge_key_by_key(manifest: Manifest) -> None:
    assert dict(manifest["plain"].settings["timeouts"]) == {"connect_s": 1, "read_s": 1, "total_s": 1}
    assert dict(manifest["bottom"].settings["timeouts"]) == {"connect_s": 1, "read_s": 2, "total_s": 4}


def test_inheritance_leaves_no_trace_of_itself(manifest: Manifest) -> None:
    assert "extends" not in manifest["bottom"].settings


def test_merging_one_connection_changes_no_other(manifest: Manifest) -> None:
    before = dict(manifest["plain"].settings["timeouts"])
    assert manifest["bottom"].timeouts.total_s == 4
    assert dict(manifest["plain"].settings["timeouts"]) == before


def test_defaults_reach_their_own_file_only_and_templates_every_file(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(TEXT, "utf-8")
    other = "version: 1\nconnections:\n  other: {extends: base, region: eu}\n"
    (tmp_path / "b.yaml").write_text(other, "utf-8")
    manifest = load_manifest([str(tmp_path)])
    assert list(manifest) == ["bottom", "plain", "other"]
    assert (manifest["other"].owner, manifest["other"].timeouts.read_s) == ("", 2.0)
    assert Path(manifest["other"].place_of("environment").file).name == "a.yaml"


def test_a_part_need_not_say_which_provider_its_keys_belong_to(tmp_path: Path) -> None:
    file = tmp_path / "m.yaml"
    file.write_text(
        """\
version: 1
defaults: {base_url: "https://api.acme.example", check: {path: /me}}
connections:
  one: {provider: http, auth: {method: bearer, token: "env://TOKEN"}}
""",
        "utf-8",
    )
    assert load_manifest([str(file)])["one"].settings["check"] == {"path": "/me"}


def test_every_key_of_a_body_is_inherited(tmp_path: Path) -> None:
    file = tmp_path / "m.yaml"
    file.write_text(
        """\
version: 1
templates:
  api:
    provider: http
    base_url: https://api.acme.example
    check: {path: /me, method: POST, json: {take: {any: 1}}, expect: {body: {required: [id], properties: {id: {type: string}}}}}
    auth: {method: bearer, token: "env://TOKEN"}
connections:
  one: {extends: api, check: {json: {skip: 2}}}
""",
        "utf-8",
    )
    check = load_manifest([str(file)])["one"].settings["check"]
    assert check["json"] == {"take": {"any": 1}, "skip": 2}
    assert check["expect"] == {"body": {"required": ["id"], "properties": {"id": {"type": "string"}}}}


def test_the_layer_of_what_is_not_there_is_that_of_the_nearest_value_around_it() -> None:
    connection = examine([Source("m.yaml", TEXT.encode(), "")])[0].connections["bottom"]
    origins = [connection.layer(path).origin for path in (("timeouts", "total_s"), ("auth", "token"), ("proxy",))]
    assert origins == ["connection", "template base", "connection"]


def test_the_tags_of_each_connection_are_known_before_it_is_decoded(manifest: Manifest) -> None:
    assert manifest.tags == {"bottom": ["middle"], "plain": []}


def test_the_settings_of_a_store_are_its_own_keys(tmp_path: Path) -> None:
    file = tmp_path / "m.yaml"
    store = "{type: file, path: /run/x, environment: sandbox, timeout_s: 5}"
    file.write_text(TEXT.replace("connections:", f"stores:\n  mounted: {store}\nconnections:"), "utf-8")
    mounted = load_manifest([str(file)]).stores["mounted"]
    assert (mounted.type, mounted.environments, mounted.timeout_s) == ("file", ("sandbox",), 5.0)
    assert mounted.settings == {"path": "/run/x"}
