"""What people see in an editor: yaml-language-server reads the schema, as VS Code, Neovim and others drive it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from os.path import relpath
from pathlib import Path
from typing import Protocol

import pytest

from connform.engine.load.manifest_schemas import manifest_schema
from tests.editors.language_server import LanguageServer

ROOT = Path(__file__).parents[2]
BROKEN = ROOT / "tests/manifest/broken"
SAME_LINES = (
    "bad-name-upper-case",
    "connection-list",
    "defaults-unknown-key",
    "duplicate-key-in-connection",
    "http-check-path-missing",
    "http-check-status-is-an-error",
    "instance-in-sandbox",
    "missing-api-key",
    "missing-auth",
    "missing-environment",
    "missing-version",
    "oauth2-client-id-missing",
    "oauth2-scopes-in-one-item",
    "plaintext-number-as-key",
    "reference-shell-style",
    "region-canada-in-sandbox",
    "region-for-private",
    "several-at-top-and-below",
    "store-of-unknown-type",
    "tags-twice",
    "template-unknown-key-reaches-two-environments",
    "timeouts-too-large",
    "tls-verification-turned-off",
    "unknown-auth-method",
    "unknown-environment",
    "unknown-provider",
    "url-without-scheme",
    "version-2",
)
"""Mistakes that a schema can find: the editor and `connform validate` mark the same lines."""


class Write(Protocol):
    """Writes a manifest that names the schema."""

    def __call__(self, text: str) -> Path:
        """Return its file; the text starts in line 2."""


@pytest.fixture(scope="module")
def server() -> Iterator[LanguageServer]:
    with LanguageServer() as server:
        yield server


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all tests: to make it, and to read it, costs more than to judge a manifest."""
    file = tmp_path_factory.mktemp("schema") / "connections.schema.json"
    file.write_text(json.dumps(manifest_schema()), "utf-8")
    return file


@pytest.fixture
def write(tmp_path: Path, schema: Path) -> Write:
    def write(text: str) -> Path:
        file = tmp_path / "connections.yaml"
        file.write_text(f"# yaml-language-server: $schema={relpath(schema, tmp_path)}\n{text}", "utf-8")
        return file

    return write


def test_the_example_has_no_mistake(server: LanguageServer, write: Write) -> None:
    _, text = (ROOT / "connections.yaml.example").read_text("utf-8").split("\n", 1)
    assert server.open(write(text)) == []


@pytest.mark.parametrize("name", SAME_LINES)
def test_it_marks_the_lines_that_validate_marks(server: LanguageServer, write: Write, name: str) -> None:
    found = server.open(write((BROKEN / f"{name}.yaml").read_text("utf-8")))
    expected = (BROKEN / f"{name}.expected").read_text("utf-8").splitlines()
    # One line further down: `write` puts one above. The protocol counts from 0.
    assert {one["range"]["start"]["line"] for one in found} == {
        int(line.split()[1].partition(":")[0]) for line in expected
    }


HALF_WRITTEN = """\
version: 1
connections:
  acme:
    environment: {environment}
    region: 
    auth:
      method: 
"""  # noqa: W291  (what a person has typed so far)


@pytest.mark.parametrize(
    ("environment", "regions"), [("sandbox", {"us", "eu"}), ("production", {"us", "ca", "eu"})], ids=lambda value: value
)
def test_it_offers_the_regions_of_an_environment_and_the_methods(
    server: LanguageServer, write: Write, environment: str, regions: set[str]
) -> None:
    file = write(HALF_WRITTEN.replace("{environment}", environment))
    server.open(file)
    assert set(server.complete(file, 6, 13)) == regions
    methods = server.complete(file, 8, 15)
    assert set(methods) == {"api_key", "oauth2", "bearer"}
    assert methods["bearer"]["documentation"] == "a token that somebody else obtains and renews"


def test_it_offers_the_regions_of_a_template_that_does_not_say_which_environment(
    server: LanguageServer, write: Write
) -> None:
    file = write("version: 1\nconnections: {}\ntemplates:\n  portal:\n    provider: iinked-sign\n    region: \n")
    server.open(file)
    assert set(server.complete(file, 7, 13)) == {"us", "ca", "eu"}


def test_it_offers_the_keys_of_a_method_and_no_others(server: LanguageServer, write: Write) -> None:
    file = write("version: 1\nconnections:\n  a:\n    environment: sandbox\n    auth:\n      method: bearer\n      \n")
    server.open(file)
    offered = set(server.complete(file, 8, 7))
    assert "token" in offered
    assert not offered & {"api_key", "client_id", "client_secret"}


def test_it_offers_snippets_for_a_connection_and_a_store(server: LanguageServer, write: Write) -> None:
    file = write("version: 1\nstores:\n  \nconnections:\n  \nmoved:\n  \n")
    server.open(file)
    assert server.complete(file, 8, 3)["renamed connection"]["textEdit"]["newText"] == "${1:old-name}: ${2:new-name}"
    assert {"dotenv file", "folder of secrets"} <= server.complete(file, 4, 3).keys()
    offered = server.complete(file, 6, 3)
    assert {"iinked Sign: sandbox", "iinked Sign: oauth2", "iinked Sign: private", "any HTTP API"} <= offered.keys()
    assert offered["iinked Sign: sandbox"]["textEdit"]["newText"] == (
        "${1:name}:\n  provider: iinked-sign\n  environment: sandbox\n  region: ${2|us,eu|}\n"
        "  auth:\n    method: api_key\n    api_key: env://${3:IINKED_SIGN_API_KEY}"
    )


@pytest.mark.parametrize(
    ("line", "column", "text"),
    [
        (5, 6, "The vendor's test environment."),
        (6, 6, "The region of the sandbox environment."),
        (7, 6, "How the connection authenticates."),
        (8, 9, "an app that reaches the accounts of several customers"),
        (10, 6, "Limits in seconds."),
        (11, 8, "The whole exchange. Default 60."),
    ],
    ids=["environment", "region", "auth", "method", "timeouts", "total_s"],
)
def test_it_says_what_a_key_means(server: LanguageServer, write: Write, line: int, column: int, text: str) -> None:
    file = write(HALF_WRITTEN.replace("{environment}", "sandbox") + "\n    timeouts:\n      total_s: 20\n")
    server.open(file)
    assert text in server.hover(file, line, column)


def test_it_repeats_what_connform_says_of_a_value(server: LanguageServer, write: Write) -> None:
    (one,) = server.open(write((BROKEN / "region-canada-in-sandbox.yaml").read_text("utf-8")))
    assert one["message"] == "the sandbox has the regions us and eu; there is no sandbox in Canada"
