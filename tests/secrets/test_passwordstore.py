"""The backend `pass`, with the real programs pass and gpg."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from connform.errors import SecretUnresolved
from connform.secret import SecretReference
from connform.secrets.kit.interface import StoreConfig
from connform.secrets.passwordstore import PASS
from connform.testing.secrets import Bench, SecretBackendSuite
from tests.canary import API_KEY
from tests.conftest import Plant, require_peer
from tests.secrets import gnupg
from tests.secrets.fetching import chain, failure, fetch, lint
from tests.secrets.processes import assert_gone


@pytest.fixture(scope="session")
def gpg_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with gnupg.keys(tmp_path_factory.mktemp("gnupg")) as home:
        yield home


@pytest.fixture(autouse=True)
def has_keys(gpg_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    require_peer("pass")
    monkeypatch.setenv("GNUPGHOME", str(gpg_home))


@pytest.fixture
def store(home: Path, gpg_home: Path) -> Path:
    """The user's own store, as `pass init` makes it."""
    subprocess.run([require_peer("pass"), "init", gnupg.OPEN], check=True, capture_output=True)
    return home / ".password-store"


def insert(store: Path, name: str, content: bytes, user: str = gnupg.OPEN) -> None:
    """Encrypt an entry as pass does, in one step."""
    encrypted = gnupg.gpg(Path(os.environ["GNUPGHOME"]), "--trust-model", "always", "-e", "-r", user, given=content)
    (store / name).parent.mkdir(exist_ok=True)
    draft = store / f".draft-{os.path.basename(name)}"
    draft.write_bytes(encrypted)
    draft.replace(store / f"{name}.gpg")


class PassBench(Bench):
    backend = PASS
    lacks = {
        "lines": "the first line is the secret",
        "documents": "a field is a line, not a member of JSON",
        "versions": "an overwritten entry is gone, but for its repository",
        "expired": "a key without a date opens the entry for good",
        "sealed": "a key that needs a passphrase is denied, in this module's own cases",
    }
    largest_bytes = 2**20

    def put(self, name: str, value: bytes) -> str:
        insert(self.place.base / self.place.settings["path"], name, value)
        return f"pass://{name}"

    def put_fields(self, name: str, fields: Mapping[str, str]) -> str:
        lines = (f"{field}: {value.rstrip()}\n" for field, value in fields.items())
        return self.put(name, ("first\n" + "".join(lines)).encode())

    def twins(self, name: str) -> tuple[str, Sequence[str]]:
        entry = self.put(name, b"first\nkey: one\nkey: two\n")
        return f"{entry}#key", ("key stands twice",)

    def missing(self) -> str:
        return "pass://missing"

    def denied(self) -> str:
        insert(self.place.base / self.place.settings["path"], "denied", b"secret", gnupg.CLOSED)
        return "pass://denied"

    @contextmanager
    def down(self) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PATH", str(self.place.base))
            yield

    def slow(self) -> AbstractContextManager[object]:
        return gnupg.silent_agent(Path(os.environ["GNUPGHOME"]))


class TestPass(SecretBackendSuite):
    @pytest.fixture
    def bench(self, tmp_path: Path) -> Bench:
        (tmp_path / "store").mkdir()
        return PassBench(StoreConfig(tmp_path, {"path": "store"}))


# -------------------------------------------------------------------------------------------------------------- an entry


@pytest.mark.parametrize("name", ["acme/key", "me@acme.example"])
def test_an_entry_that_pass_wrote_is_found(store: Path, tmp_path: Path, name: str) -> None:
    written = subprocess.run(
        [require_peer("pass"), "insert", "--multiline", name],
        input=b"value\nuser: 0012\n",
        capture_output=True,
        check=True,
    )
    assert written.returncode == 0
    assert fetch("pass", tmp_path, f"pass://{name}", f"pass://{name}#user") == ["value", "0012"]


@pytest.mark.parametrize("named", ["by the variable", "by the store"])
def test_another_store_is_named(named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    insert(folder, "key", b"value\n")
    if named == "by the variable":
        monkeypatch.setenv("PASSWORD_STORE_DIR", str(folder))
        assert fetch("pass", tmp_path, "pass://key") == ["value"]
    else:
        monkeypatch.setenv("PASSWORD_STORE_DIR", "/none")  # what a manifest names is what counts
        assert fetch("pass", tmp_path, "mine://key", path="elsewhere") == ["value"]


ENTRY = b"first: line\nuser: 0012\nurl:https://acme.example:8443\nspaces:   kept inside  \nempty:\nno field\ntwice: a\ntwice: b\n"


@pytest.mark.parametrize(
    ("field", "found"),
    [("", "first: line"), ("#user", "0012"), ("#url", "https://acme.example:8443"), ("#spaces", "kept inside  ")],
)
def test_a_line_is_found(field: str, found: str, store: Path, tmp_path: Path) -> None:
    insert(store, "entry", ENTRY)
    assert fetch("pass", tmp_path, f"pass://entry{field}") == [found]


@pytest.mark.parametrize(
    ("field", "fault", "words", "hint"),
    [
        ("usr", "secret_not_found", "no line of the field usr", "user"),
        ("first", "secret_not_found", "no line of the field first", "add a line `first: …`"),
        ("empty", "secret_malformed", "empty", ""),
        ("twice", "secret_malformed", "twice stands twice", "remove"),
    ],
)
def test_a_line_that_is_not_there_is_said(
    field: str, fault: str, words: str, hint: str, store: Path, tmp_path: Path
) -> None:
    insert(store, "entry", ENTRY)
    error = failure("pass", tmp_path, f"pass://entry#{field}")
    assert error.fault.name == fault
    assert words in error.message
    assert hint in error.hint


# ------------------------------------------------------------------------------------------------------- what goes wrong


def test_a_key_that_asks_for_a_passphrase_is_denied_without_asking(store: Path, gpg_home: Path, tmp_path: Path) -> None:
    insert(store, "closed", API_KEY.encode(), gnupg.CLOSED)
    error = failure("pass", tmp_path, "pass://closed")
    assert error.fault.name == "secret_denied"
    assert "gpg-agent" in error.hint
    assert API_KEY not in chain(error)
    assert not (gpg_home / gnupg.ASKED).exists()


def test_a_pass_that_hangs_is_ended_with_all_that_it_started(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert(store, "key", b"value\n")
    pids, program = tmp_path / "pids", tmp_path / "bin" / "pass"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\nsleep 1000 & echo $! $$ >{pids}; wait\n")
    program.chmod(0o700)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    (outcome,) = PASS.open(StoreConfig(tmp_path, timeout_s=1.0)).read([SecretReference.parse("pass://key")])
    assert isinstance(outcome, SecretUnresolved)
    assert_gone(pids, 2)


def test_a_key_that_the_agent_has_unlocked_opens(store: Path, tmp_path: Path, gpg_home: Path) -> None:
    insert(store, "closed", b"value\n", gnupg.CLOSED)
    unlock = ("--pinentry-mode", "loopback", "--passphrase", gnupg.PASSPHRASE)
    try:
        gnupg.gpg(gpg_home, *unlock, "-d", store / "closed.gpg")
        assert fetch("pass", tmp_path, "pass://closed") == ["value"]
    finally:
        gnupg.forget(gpg_home)


def test_a_key_that_this_user_does_not_have_is_denied(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plant: Plant
) -> None:
    insert(store, "key", b"value\n")
    (tmp_path / "empty").mkdir(mode=0o700)
    monkeypatch.setenv("GNUPGHOME", str(tmp_path / "empty"))
    error = failure("pass", tmp_path, "pass://key")
    gnupg.forget(tmp_path / "empty")
    assert error.fault.name == "secret_denied"


@pytest.mark.parametrize("case", ["garbage", "cut", "empty", "in clear"])
def test_a_damaged_entry_is_told_from_one_that_no_key_opens(case: str, store: Path, tmp_path: Path) -> None:
    insert(store, "entry", b"value\n" * 20)
    encrypted = (store / "entry.gpg").read_bytes()
    content = {"garbage": b"\x00" * 50, "cut": encrypted[:-20], "empty": b"", "in clear": b"hunter2\n"}[case]
    (store / "entry.gpg").write_bytes(content)
    error = failure("pass", tmp_path, "pass://entry")
    assert error.fault.name == "secret_malformed"
    assert "damaged" in error.message
    assert "hunter2" not in chain(error)


def test_an_entry_of_more_than_a_mebibyte_is_no_secret(store: Path, tmp_path: Path) -> None:
    insert(store, "entry", b"x" * 2 * 1024 * 1024)
    error = failure("pass", tmp_path, "pass://entry")
    assert (error.fault.name, error.message) == ("secret_malformed", "pass printed more than 1 MiB, and was killed")


def test_a_message_that_is_signed_and_not_encrypted_is_no_secret(store: Path, tmp_path: Path, gpg_home: Path) -> None:
    """Nobody has to know a key of the store to write one."""
    signed = gnupg.gpg(gpg_home, "--local-user", gnupg.OPEN, "--sign", given=b"planted\n")
    (store / "entry.gpg").write_bytes(signed)
    error = failure("pass", tmp_path, "pass://entry")
    assert error.fault.name == "secret_malformed"
    assert "nothing that gpg encrypted" in error.message


def test_a_folder_of_entries_is_no_secret(store: Path, tmp_path: Path) -> None:
    """Asked for one, pass lists its entries and is content."""
    insert(store, "acme/key", b"value\n")
    error = failure("pass", tmp_path, "pass://acme")
    assert error.fault.name == "secret_not_found"
    assert "no such entry" in error.message


def test_without_a_store_it_says_how_to_make_one(home: Path, tmp_path: Path) -> None:
    error = failure("pass", tmp_path, "pass://key")
    assert error.fault.name == "secret_not_found"
    assert f"there is no password store {home}/.password-store" in error.message
    assert "pass init" in error.hint


@pytest.mark.parametrize("lacking", ["pass", "gpg"])
def test_without_a_program_it_says_which(
    lacking: str, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert(store, "key", b"value\n")
    (tmp_path / "bin").mkdir()
    if lacking == "gpg":
        (tmp_path / "bin" / "pass").symlink_to(require_peer("pass"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    error = failure("pass", tmp_path, "pass://key")
    assert error.fault.name == "secret_backend_unavailable"
    assert error.message == f"the program {lacking} is not on PATH"


# ------------------------------------------------------------------------------------------------------------------ lint


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("pass://", "by its path"),
        ("pass:///key", "by its path"),
        ("pass://--help", "by its path"),
        ("pass://acme/../../key", "`..`"),
        ("pass://key?version=1", "no versions"),
        ("pass://acme/key", ""),
        ("pass://acme/key#user", ""),
    ],
)
def test_lint(text: str, words: str) -> None:
    found = lint("pass", text)
    assert words in found
    assert bool(found) == bool(words)
