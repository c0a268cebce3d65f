"""The backend `sops`, with the real program and keys of age and PGP."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from connform.errors import SecretUnresolved
from connform.secret import Secret, SecretReference
from connform.secrets.kit.interface import Fetched, StoreConfig
from connform.secrets.kit.open_store import attempt
from connform.secrets.sops.backend import SOPS
from connform.testing.secrets import Bench, SecretBackendSuite
from tests.canary import API_KEY
from tests.conftest import Plant
from tests.secrets import gnupg
from tests.secrets.fetching import chain, failure, fetch, lint, outcomes
from tests.secrets.processes import assert_gone
from tests.secrets.sops.encryption import Keys, encrypt


class SopsBench(Bench):
    backend = SOPS
    lacks = {
        "versions": "an overwritten file is gone, but for its repository",
        "expired": "a key of age or PGP opens the file for good",
        "sealed": "a file is not locked",
    }

    def __init__(self, store: StoreConfig, keys: Keys) -> None:
        super().__init__(store)
        self.keys = keys

    def put(self, name: str, value: bytes) -> str:
        encrypt(self.place.base / f"{name}.enc", value, "--age", self.keys.my_recipient)
        return f"sops://{name}.enc"

    def put_fields(self, name: str, fields: Mapping[str, str]) -> str:
        encrypt(self.place.base / f"{name}.json", json.dumps(fields).encode(), "--age", self.keys.my_recipient)
        return f"sops://{name}.json"

    def missing(self) -> str:
        return "sops://missing.enc"

    def denied(self) -> str:
        encrypt(self.place.base / "denied.enc", b"secret", "--age", self.keys.other_recipient)
        return "sops://denied.enc"

    @contextmanager
    def down(self) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PATH", str(self.place.base))
            yield

    @contextmanager
    def slow(self) -> Iterator[None]:
        """Sops asks a command for the key, as it may, and the command doesn't answer."""
        with pytest.MonkeyPatch.context() as patch:
            patch.delenv("SOPS_AGE_KEY_FILE")
            patch.setenv("SOPS_AGE_KEY_CMD", "sleep 1000")
            yield


@pytest.mark.usefixtures("has_key")
class TestSops(SecretBackendSuite):
    @pytest.fixture
    def bench(self, tmp_path: Path, keys: Keys) -> Bench:
        return SopsBench(StoreConfig(tmp_path), keys)


# --------------------------------------------------------------------------------------------------------------- a value

DOCUMENT = {
    "top": "one",
    "portal": {"id": "0012", "a/b": "slash", "m~n": "tilde", "": "empty name", "deep": {"key": "two\n"}},
    "list": ["first", {"key": "second"}],
    "number": 12,
    "nothing": None,
    "empty": "",
}


@pytest.fixture
def document(keys: Keys, tmp_path: Path, has_key: None) -> Path:
    file = tmp_path / "secrets.enc.json"
    encrypt(file, json.dumps(DOCUMENT).encode(), "--age", keys.my_recipient)
    return file


@pytest.mark.parametrize(
    ("field", "found"),
    [
        ("top", "one"),
        ("/top", "one"),
        ("/portal/id", "0012"),
        ("/portal/a~1b", "slash"),
        ("/portal/m~0n", "tilde"),
        ("/portal/", "empty name"),
        ("/portal/deep/key", "two"),
        ("/list/0", "first"),
        ("/list/1/key", "second"),
    ],
)
def test_a_value_is_found_by_its_name_or_pointer(field: str, found: str, document: Path, tmp_path: Path) -> None:
    assert fetch("sops", tmp_path, f"sops://{document.name}#{field}") == [found]


@pytest.mark.parametrize(
    ("field", "fault", "words", "hint"),
    [
        ("tup", "secret_not_found", "there is no field tup", "top"),
        ("/portal/idd", "secret_not_found", "there is no field idd", "id"),
        ("/portol/id", "secret_not_found", "there is no key portol", "portal"),
        ("/top/id", "secret_not_found", "there is no key id", ""),
        ("/list/2", "secret_not_found", "there is no field 2", ""),
        ("portal", "secret_malformed", "is no text", ""),
        ("number", "secret_malformed", "is no text", "quotes"),
        ("nothing", "secret_malformed", "is no text", ""),
        ("empty", "secret_malformed", "is empty", ""),
    ],
)
def test_a_value_that_is_not_there_is_said(
    field: str, fault: str, words: str, hint: str, document: Path, tmp_path: Path
) -> None:
    error = failure("sops", tmp_path, f"sops://{document.name}#{field}")
    assert error.fault.name == fault
    assert words in error.message
    assert hint in error.hint


@pytest.mark.parametrize(
    ("name", "content", "field", "found"),
    [
        ("s.yaml", b"a:\n  b: one\n", "/a/b", "one"),
        ("s.yml", b'a: "0012"\n', "a", "0012"),
        ("s.env", b"KEY=one two\n", "KEY", "one two"),
        ("s.ini", b"[portal]\nkey = one\n", "/portal/key", "one"),
        ("s.enc", b'{"a": "one"}', "a", "one"),
    ],
)
def test_each_format_of_sops_is_read(
    name: str, content: bytes, field: str, found: str, keys: Keys, has_key: None, tmp_path: Path
) -> None:
    encrypt(tmp_path / name, content, "--age", keys.my_recipient)
    assert fetch("sops", tmp_path, f"sops://{name}#{field}") == [found]


def test_the_version_is_what_sops_writes_of_the_last_change(document: Path, tmp_path: Path) -> None:
    (outcome,) = outcomes("sops", tmp_path, f"sops://{document.name}#top")
    assert isinstance(outcome, Fetched)
    assert outcome.since is not None
    stated = json.loads(document.read_text())["sops"]["lastmodified"]
    assert outcome.since.strftime("%Y-%m-%dT%H:%M:%SZ") == stated
    assert outcome.version == outcome.since.isoformat()


def test_a_file_is_decrypted_once_for_all_its_values(
    document: Path, keys: Keys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SOPS_AGE_KEY_FILE")
    monkeypatch.setenv("SOPS_AGE_KEY_CMD", f"sh -c 'echo ran >>{tmp_path}/runs; cat {keys.mine}'")
    assert fetch("sops", tmp_path, f"sops://{document.name}#top", f"sops://{document.name}#/portal/id") == [
        "one",
        "0012",
    ]
    assert fetch("sops", tmp_path, "mine://top", "mine://portal/id", path=document.name) == ["one", "0012"]
    assert (tmp_path / "runs").read_text() == "ran\n" * 2


def test_a_command_for_keys_that_hangs_is_ended_with_all_that_it_started(
    document: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pids = tmp_path / "pids"
    monkeypatch.delenv("SOPS_AGE_KEY_FILE")
    monkeypatch.setenv("SOPS_AGE_KEY_CMD", f"sh -c 'sleep 1000 & echo $! $$ >{pids}; wait'")
    opened = SOPS.open(StoreConfig(tmp_path, timeout_s=1.0))
    (outcome,) = opened.read([SecretReference.parse(f"sops://{document.name}#top")])
    assert isinstance(outcome, SecretUnresolved)
    assert_gone(pids, 2)


# --------------------------------------------------------------------------------------------------------------- a store


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("mine://top", "one"),
        ("mine:///top", "one"),
        ("mine://portal/id", "0012"),
        ("mine://portal#id", "0012"),
        ("mine://portal#a/b", "slash"),
        ("mine://portal#/deep/key", "two"),
        ("mine://portal/a~1b", "slash"),
    ],
)
def test_a_store_is_a_file(text: str, found: str, document: Path, tmp_path: Path) -> None:
    assert fetch("sops", tmp_path, text, path=document.name) == [found]
    assert fetch("sops", tmp_path / "other", text, path=str(document)) == [found]


def of_store(tmp_path: Path, settings: Mapping[str, str], secrets: Mapping[str, Secret]) -> Fetched | SecretUnresolved:
    opened = SOPS.open(StoreConfig(tmp_path, settings, secrets))
    outcome = attempt(opened.read, [SecretReference.parse("mine://top")])
    opened.close()
    return outcome if isinstance(outcome, SecretUnresolved) else outcome[0]


@pytest.mark.parametrize("given", ["age_key", "age_key_file"])
def test_the_key_of_a_store_opens_it_and_beats_the_environment(
    given: str, document: Path, keys: Keys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(key: Path) -> Fetched | SecretUnresolved:
        if given == "age_key":
            return of_store(tmp_path, {"path": document.name}, {"age_key": Secret(key.read_text())})
        return of_store(tmp_path, {"path": document.name, "age_key_file": os.path.relpath(key, tmp_path)}, {})

    for name in ("SOPS_AGE_KEY_FILE", "SOPS_AGE_KEY", "SOPS_AGE_KEY_CMD"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SOPS_AGE_KEY_CMD", f"cat {keys.other}")
    assert isinstance(read(keys.mine), Fetched)
    monkeypatch.setenv("SOPS_AGE_KEY_CMD", f"cat {keys.mine}")
    refused = read(keys.other)
    assert not isinstance(refused, Fetched)
    assert refused.fault.name == "secret_denied"
    assert "AGE-SECRET-KEY" not in chain(refused) + refused.hint


# ------------------------------------------------------------------------------------------------------- what goes wrong


def _swapped(text: str) -> str:
    content = json.loads(text)
    content["top"], content["empty"] = content["portal"]["id"], content["top"]
    return json.dumps(content)


def _shortened(text: str) -> str:
    content = json.loads(text)
    del content["top"]
    return json.dumps(content)


def _extended(text: str) -> str:
    return json.dumps({"added": "in clear", **json.loads(text)})


def _without_mac(text: str) -> str:
    content = json.loads(text)
    content["sops"]["mac"] = ""
    return json.dumps(content)


DAMAGES = {
    "values swapped": (_swapped, "was altered", 25),
    "a value removed": (_shortened, "was altered", 51),
    "a value added": (_extended, "was altered", 25),
    "no MAC": (_without_mac, "was altered", 51),
    "plain": (lambda _: json.dumps({"top": API_KEY}), "is no file that sops encrypted", 1),
    "cut": (lambda text: text[: len(text) // 2], "is no file that sops encrypted", 1),
    "empty": (lambda _: "", "is no file that sops encrypted", 1),
}


@pytest.mark.parametrize("case", DAMAGES)
def test_a_damaged_file_is_told_from_one_that_no_key_opens(
    case: str, document: Path, tmp_path: Path, plant: Plant
) -> None:
    damage, words, status = DAMAGES[case]
    document.write_text(damage(document.read_text()))
    plant(document.name)
    error = failure("sops", tmp_path, f"sops://{document.name}#top")
    assert error.fault.name == "secret_malformed"
    assert words in error.message
    assert f"sops exited with status {status}" in error.message
    assert API_KEY not in chain(error)


@pytest.mark.parametrize(
    "environment",
    [{}, {"SOPS_AGE_KEY_FILE": "/none"}, {"SOPS_AGE_KEY": f"AGE-SECRET-KEY-{API_KEY}"}, {"SOPS_AGE_KEY_CMD": "false"}],
    ids=["no key", "no file of keys", "a broken key", "a failing command"],
)
def test_without_a_key_it_is_denied(
    environment: Mapping[str, str], document: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SOPS_AGE_KEY_FILE")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    error = failure("sops", tmp_path, f"sops://{document.name}#top")
    assert error.fault.name == "secret_denied"
    assert "SOPS_AGE_KEY_FILE" in error.hint
    assert API_KEY not in chain(error)


def test_what_is_no_file_is_said_before_sops_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "folder.yaml").mkdir()
    monkeypatch.setenv("PATH", "")
    assert failure("sops", tmp_path, "sops://none.yaml#a").fault.name == "secret_not_found"
    assert failure("sops", tmp_path, "sops://folder.yaml#a").fault.name == "secret_malformed"


def test_without_the_program_it_says_what_to_install(
    document: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    error = failure("sops", tmp_path, f"sops://{document.name}#top")
    assert error.fault.name == "secret_backend_unavailable"
    assert error.message == "the program sops is not on PATH"
    assert "getsops.io" in error.hint


# ------------------------------------------------------------------------------------------------------------------- PGP


@pytest.fixture(scope="session")
def gpg_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with gnupg.keys(tmp_path_factory.mktemp("gnupg")) as home:
        yield home


@pytest.mark.parametrize(("user", "fault"), [(gnupg.OPEN, ""), (gnupg.CLOSED, "secret_denied")])
def test_a_pgp_key_opens_it_unless_it_asks_for_a_passphrase(
    user: str, fault: str, gpg_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GNUPGHOME", str(gpg_home))
    encrypt(tmp_path / "s.yaml", b"a: one\n", "--pgp", gnupg.fingerprint(gpg_home, user))
    if not fault:
        assert fetch("sops", tmp_path, "sops://s.yaml#a") == ["one"]
    else:
        assert failure("sops", tmp_path, "sops://s.yaml#a").fault.name == fault


# ------------------------------------------------------------------------------------------------------------------ lint


@pytest.mark.parametrize(
    ("text", "settings", "words"),
    [
        ("sops://", {}, "is missing"),
        ("sops://#a", {}, "is missing"),
        ("sops://s.enc.yaml", {}, "the key is missing: sops://s.enc.yaml#/a/b"),
        ("sops://s.yaml?version=1#a", {}, "no versions"),
        ("sops://s.enc.yaml#/a/b", {}, ""),
        ("sops://token.enc", {}, ""),
        ("mine://", {"path": "s.yaml"}, "mine://a/b"),
        ("mine://a/b", {"path": "s.yaml"}, ""),
        ("mine://a#b", {"path": "s.yaml"}, ""),
    ],
)
def test_lint(text: str, settings: Mapping[str, str], words: str) -> None:
    found = lint("sops", text, **settings)
    assert words in found
    assert bool(found) == bool(words)
