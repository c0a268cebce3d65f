"""`connform show` says where each data centre is, as the vendor documents it, and where each value comes from."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.end_to_end.running import Run, run

EXAMPLE = Path(__file__).parents[2] / "connections.yaml.example"

# docs.iinkedsign.com/v4, pages `authentication` and `oauth`; written out, so that no code builds what it is checked against.
URLS = {
    "sandbox-us": (
        "https://sandbox.syngrafii.com/api/v1",
        "https://sandbox.syngrafii.com/integration",
        "https://sandbox.syngrafii.com/connect/authorize",
        "https://sandbox.syngrafii.com/connect/token",
    ),
    "sandbox-eu": (
        "https://sandbox.syngrafii.eu/api/v1",
        "https://sandbox.syngrafii.eu/integration",
        "https://sandbox.syngrafii.eu/connect/authorize",
        "https://sandbox.syngrafii.eu/connect/token",
    ),
    "production-us": (
        "https://sign.syngrafii.com/api/v1",
        "https://sign.syngrafii.com/integration",
        "https://sign.syngrafii.com/connect/authorize",
        "https://sign.syngrafii.com/connect/token",
    ),
    "production-ca": (
        "https://sign.syngrafii.ca/api/v1",
        "https://sign.syngrafii.ca/integration",
        "https://sign.syngrafii.ca/connect/authorize",
        "https://sign.syngrafii.ca/connect/token",
    ),
    "production-eu": (
        "https://sign.syngrafii.eu/api/v1",
        "https://sign.syngrafii.eu/integration",
        "https://sign.syngrafii.eu/connect/authorize",
        "https://sign.syngrafii.eu/connect/token",
    ),
    "acme-private": (
        "https://acme.syngrafii.com/api/v1",
        "https://acme.syngrafii.com/integration",
        "https://acme.syngrafii.com/connect/authorize",
        "https://acme.syngrafii.com/connect/token",
    ),
    "customer-globex": (
        "https://sign.syngrafii.eu/api/v1",
        "https://sign.syngrafii.eu/integration",
        "https://sign.syngrafii.eu/connect/authorize",
        "https://sign.syngrafii.eu/connect/token",
    ),
}

INHERITING = """\
version: 1
defaults:
  owner: platform@acme.example
  timeouts: {connect_s: 3, total_s: 9}
templates:
  strict:
    timeouts: {total_s: 7}
    tags: [strict, ci]
connections:
  acme:
    extends: strict
    environment: private
    base_url: https://sign.acme.example:8443/api/v1
    auth: {method: api_key, api_key: "env://ACME_KEY"}
    tags: [live]
"""


def show(name: str, tmp_path: Path, *flags: str, file: Path = EXAMPLE) -> Run:
    return run("show", name, "-f", file, *flags, cwd=tmp_path)


@pytest.mark.parametrize("name", URLS)
def test_the_urls_of_an_instance_are_the_documented_ones(name: str, tmp_path: Path) -> None:
    ended = show(name, tmp_path, "--format", "json")
    assert ended.code == 0
    keys = ("base_url", "key_management_url", "authorize_url", "token_url")
    assert tuple(ended.connection[key] for key in keys) == URLS[name]
    assert ended.connection["api_key_header"] == "api_key"


def test_a_private_instance_on_a_host_of_its_own_has_its_urls_there(tmp_path: Path) -> None:
    file = tmp_path / "connections.yaml"
    file.write_text(INHERITING)
    shown = show("acme", tmp_path, "--format", "json", file=file).connection
    assert shown["base_url"] == "https://sign.acme.example:8443/api/v1"
    assert shown["token_url"] == "https://sign.acme.example:8443/connect/token"


def test_each_value_has_its_origin_and_its_place(tmp_path: Path) -> None:
    file = tmp_path / "connections.yaml"
    file.write_text(INHERITING)
    values = show("acme", tmp_path, "--format", "json", file=file).connection["values"]
    told = {value["pointer"]: (value["value"], value["origin"], value["line"], value["column"]) for value in values}
    assert told == {
        "/auth/api_key": ("env://ACME_KEY", "connection", 14, 38),
        "/auth/method": ("api_key", "connection", 14, 20),
        "/base_url": ("https://sign.acme.example:8443/api/v1", "connection", 13, 15),
        "/environment": ("private", "connection", 12, 18),
        "/owner": ("platform@acme.example", "defaults", 3, 10),
        "/provider": ("iinked-sign", "default", None, None),
        "/tags": (["live"], "connection", 15, 5),
        "/timeouts/connect_s": (3, "defaults", 4, 25),
        "/timeouts/read_s": (30, "default", None, None),
        "/timeouts/retry_after_max_s": (60, "default", None, None),
        "/timeouts/total_s": (7, "template strict", 7, 25),
    }


def test_the_text_shows_origins_on_request(tmp_path: Path) -> None:
    file = tmp_path / "connections.yaml"
    file.write_text(INHERITING)
    plain, origins = show("acme", tmp_path, file=file).out, show("acme", tmp_path, "--origin", file=file).out
    assert "template strict" not in plain
    (line,) = [line for line in origins.splitlines() if "timeouts.total_s" in line]
    assert line.split() == ["timeouts.total_s", "7", "template", "strict", f"{file}:7:25"]


def test_an_unknown_name_is_a_usage_error_that_names_the_likely_one(tmp_path: Path) -> None:
    ended = show("sandbox-su", tmp_path)
    assert (ended.code, ended.out) == (64, "")
    assert "did you mean `sandbox-us`?" in ended.err
