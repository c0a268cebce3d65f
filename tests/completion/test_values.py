"""What TAB offers, word by word: asked as the shells' scripts ask."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.end_to_end.running import run

MANIFEST = """\
version: 1
templates:
  portal: {environment: sandbox}
connections:
  acme-us: {extends: portal, region: us, auth: {method: api_key, api_key: "env://ACME_KEY"}, tags: [ci, nightly]}
  acme-eu: {extends: portal, region: eu, auth: {method: api_key, api_key: "env://ACME_KEY"}, tags: [ci]}
"""
MISTAKEN = MANIFEST.replace("region: us", "region: mars")
BROKEN = MANIFEST + "  : : [\n"


def offered(line: str, folder: Path) -> list[str]:
    """Return what bash is told behind `line`: the last word is the one that is being written, perhaps empty."""
    words = line.split(" ")
    variables = {"_CONNFORM_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    ended = run(cwd=folder, env=variables)
    assert (ended.code, ended.err) == (0, "")
    return [item.partition(",")[2] for item in ended.out.split()]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("connform va", ["validate"]),
        ("connform check --sim", ["--simulate"]),
        ("connform check -c ", ["acme-us", "acme-eu"]),
        ("connform check -c acme-e", ["acme-eu"]),
        ("connform -c acme-u", ["acme-us"]),
        ("connform show ", ["acme-us", "acme-eu"]),
        ("connform request acme-us", ["acme-us"]),
        ("connform list --exclude acme-us", ["acme-us"]),
        ("connform list --tag ", ["ci", "nightly"]),
        ("connform check --format sa", ["sarif"]),
        ("connform explain unknown-r", ["unknown-region"]),
        ("connform schema pol", ["policy"]),
        ("connform completion z", ["zsh"]),
        ("connform check acme-u", ["acme-us"]),
        ("connform plan acme-us acme-e", ["acme-eu"]),
        ("connform state show acme-e", ["acme-eu"]),
        ("connform -C a/b/.. check acme-u", ["acme-us"]),
        ("connform help guides/rot", ["guides/rotation"]),
        ("connform version --format j", ["json"]),
        ("connform init --environment p", ["production", "private"]),
        ("connform init --environment sandbox --region ", ["us", "eu"]),
        ("connform init --region c", ["ca"]),
        ("connform init --auth o", ["oauth2"]),
        ("connform init --ci git", ["github", "gitlab"]),
        ("connform show portal", []),
        ("connform frobnicate ", []),
    ],
)
def test_a_word_is_completed(line: str, expected: list[str], tmp_path: Path) -> None:
    (tmp_path / "connections.yaml").write_text(MANIFEST)
    (tmp_path / "a" / "b").mkdir(parents=True)
    assert offered(line, tmp_path) == expected


@pytest.mark.parametrize(
    "line",
    ["connform validate -f ", "connform fmt ", "connform check --policy ", "connform check --format sarif=out"],
)
def test_a_file_is_the_shells_own_business(line: str, tmp_path: Path) -> None:
    words = line.split(" ")
    variables = {"_CONNFORM_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    assert run(cwd=tmp_path, env=variables).out.startswith("file,")


@pytest.mark.parametrize("line", ["connform check -f other.yaml -c ", "connform -f other.yaml show "])
def test_names_are_those_of_the_file_that_the_line_has_named(line: str, tmp_path: Path) -> None:
    (tmp_path / "connections.yaml").write_text(MANIFEST)
    (tmp_path / "other.yaml").write_text(MANIFEST.replace("acme-", "globex-"))
    assert offered(line, tmp_path) == ["globex-us", "globex-eu"]


@pytest.mark.parametrize(
    ("manifest", "expected"),
    [(MISTAKEN, ["acme-us", "acme-eu"]), (BROKEN, []), ("", []), (None, [])],
    ids=["a mistake elsewhere", "no YAML", "empty", "none at all"],
)
def test_a_half_written_manifest_offers_what_it_has_and_says_nothing(
    manifest: str | None, expected: list[str], tmp_path: Path
) -> None:
    if manifest is not None:
        (tmp_path / "connections.yaml").write_text(manifest)
    assert offered("connform show ", tmp_path) == expected


STRANGE = (
    "$(touch made)", "$(touch${IFS}made)", "`touch made`", "a;touch made", "a\ntouch made\n", "a\r", "\x1b[2J", "a b", "a'", 'a"', "~x",
    "-f", "--output=made", "a*", "!x", "a&b", "a|b", "a>made", "{a,b}", "", "\u202ea", "é", "a\x9b", "\ta", "a\n", "$HOME", "a\\b",
)  # fmt: skip


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
@pytest.mark.parametrize("line", ["connform show ", "connform list --tag "])
def test_no_name_and_no_tag_is_offered_but_a_valid_one(line: str, shell: str, tmp_path: Path) -> None:
    connection = {"environment": "sandbox", "region": "us", "auth": {"method": "api_key", "api_key": "env://A"}}
    tags = [*STRANGE, "ok:x/1"]
    connections = {**dict.fromkeys(STRANGE, connection), "ok-1": {**connection, "tags": tags}}
    (tmp_path / "connections.yaml").write_text(json.dumps({"version": 1, "connections": connections}))
    words = line.split(" ")
    variables = {
        "_CONNFORM_COMPLETE": f"{shell}_complete",
        "COMP_WORDS": line,
        "COMP_CWORD": "" if shell == "fish" else str(len(words) - 1),
    }
    shown = run(cwd=tmp_path, env=variables).out
    expected = "ok:x/1" if "--tag" in line else "ok-1"
    assert expected in shown.replace("\\", "")
    rest = shown.replace("ok:x/1", "").replace("ok\\:x/1", "").replace("ok-1", "").replace("plain", "")
    assert set(rest) <= set(",\n\t_")
