"""`secrets check`, `check` and `apply` judge a secret alike, and all backends decode files alike."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from connform.engine.apply import apply
from connform.engine.check import check
from connform.engine.secrets import check_secrets
from connform.recorded import Actor
from tests.canary import API_KEY, assert_no_canary
from tests.conftest import Plant

MANIFEST = """\
version: 1
connections:
  acme:
    environment: private
    base_url: https://127.0.0.1:1/api/v1
    auth: {{method: {method}, {settings}: "{reference}"}}
"""
METHODS = {
    "api_key": "api_key",
    "bearer": "token",
    "oauth2": "client_id: portal, redirect_uri: https://h.example/cb, client_secret",
}
REFERENCES = {"file": "file://key", "field": "file://key.json#field", "dotenv": "dotenv://.env#KEY"}
ME = Actor("me", "test")
VALUES = {
    "a byte order mark": f"\ufeff\ufeff{API_KEY}",
    "a byte order mark inside": f"{API_KEY}\ufeff",
    "a no-break space": f"{API_KEY}\u00a0",
    "a zero-width space": f"{API_KEY}\u200b",
    "a line separator": f"{API_KEY}\u2028",
    "a letter": f"{API_KEY}é",
    "a line break": f"{API_KEY}\n{API_KEY}",
    "two line breaks at its end": f"{API_KEY}\n\n",
    "a tab": f"{API_KEY}\t",
    "a control character": f"{API_KEY}\x1b",
    "nothing": "",
    "a space": f"{API_KEY} {API_KEY}",
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def declare(folder: Path, method: str, reference: str) -> None:
    text = MANIFEST.format(method=method, settings=METHODS[method], reference=reference)
    (folder / "connections.yaml").write_text(text)


def said() -> str:
    """Return the class and the message of what `secrets check` says, which `check` says as well."""
    (looked,), (checked,) = check_secrets().connections, check(timeout_s=1).connections
    if looked.fault or checked.fault in {"secret_malformed", "secret_not_found"}:
        assert (looked.fault, looked.message, looked.hint) == (checked.fault, checked.message, checked.hint)
    assert_no_canary(looked.message, looked.hint)
    return f"{looked.fault} {looked.message}" if looked.fault else ""


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("value", VALUES)
def test_a_secret_that_can_t_be_sent_is_refused_by_both(value: str, method: str, folder: Path, plant: Plant) -> None:
    declare(folder, method, "file://key")
    plant("key", VALUES[value].encode())
    words = said()
    if (value, method) == ("a space", "oauth2"):  # RFC 6749 appendix A.2
        assert words == ""
        return
    assert words.startswith("secret_malformed ")
    if value.startswith("a byte order mark") or value in {"a no-break space", "a zero-width space", "a line separator"}:
        assert value.removesuffix(" inside") in words


@pytest.mark.parametrize("value", [*VALUES, "a zero byte", "half a surrogate pair", "more than 1 MiB"])
def test_apply_judges_it_as_well(value: str, folder: Path, plant: Plant) -> None:
    """JSON can hold every character, so that no encoding refuses it first."""
    more = {"a zero byte": "a\0", "half a surrogate pair": "a\ud800", "more than 1 MiB": "x" * (2**20 + 1)}
    declare(folder, "api_key", "file://key.json#field")
    plant("key.json", json.dumps({"field": {**VALUES, **more}[value]}).encode())
    words = said()
    assert words.startswith("secret_malformed ")
    (applied,) = apply(by=ME, timeout_s=1).connections
    assert f"{applied.fault} {applied.message}" == words
    if value.startswith("a byte order mark"):
        assert "PowerShell" in words


WRITERS: dict[str, Callable[[str], bytes]] = {
    "UTF-8": str.encode,
    "UTF-8 with a byte order mark": lambda text: text.encode("utf-8-sig"),
    "UTF-16 with a byte order mark": lambda text: text.encode("utf-16"),
    "UTF-16": lambda text: text.encode("utf-16-be"),
    "Latin-1": lambda text: text.encode("latin-1"),
}


@pytest.mark.parametrize("kind", REFERENCES)
@pytest.mark.parametrize("encoding", WRITERS)
def test_files_of_every_kind_are_read_alike(encoding: str, kind: str, folder: Path, plant: Plant) -> None:
    """What editors on Windows write: the mark is no part of the secret, and another encoding is the file's mistake."""
    declare(folder, "api_key", REFERENCES[kind])
    name, text = {
        "file": ("key", f"{API_KEY}é" if encoding == "Latin-1" else API_KEY),
        "field": ("key.json", f'{{"comment": "é", "field": "{API_KEY}"}}'),
        "dotenv": (".env", f"# é\nKEY={API_KEY}\n"),
    }[kind]
    plant(name, WRITERS[encoding](text))
    words = said()
    if encoding.startswith("UTF-8"):
        assert words == ""
    else:
        assert words.startswith("secret_malformed the file is not UTF-8 text")
        assert encoding.split(maxsplit=1)[0] in words
