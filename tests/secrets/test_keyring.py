"""The backend `keyring`, with the library keyring and GNOME's keyring daemon on its own session bus."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import keyring.backend
import keyring.core
import pytest
import secretstorage
from keyring.backend import KeyringBackend
from keyring.backends.chainer import ChainerBackend
from keyring.errors import KeyringLocked
from secretstorage.defines import SS_PATH
from secretstorage.util import DBusAddressWrapper, format_secret, open_session

from connform.secrets.keyring import KEYRING
from connform.secrets.kit.interface import StoreConfig
from connform.testing.secrets import VALUE, Bench, SecretBackendSuite
from tests.canary import API_KEY
from tests.conftest import require_peer
from tests.end_to_end.running import manifest, run
from tests.forking import forked
from tests.secrets.fetching import chain, failure, fetch, lint

SERVICE = "connform-tests"
BUS = "DBUS_SESSION_BUS_ADDRESS"
DEAD = "unix:path=/nonexistent/bus"
LIBRARY = "keyring.backends"
PASSWORD = b"a password"
PATIENCE_S = 30.0


BUS_CONFIGURATION = """
<busconfig>
  <type>session</type>
  <listen>unix:tmpdir=/tmp</listen>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""
"""Without the services of this machine: whoever asks too early would start a second keyring, one that is not open."""


class Session:
    """A bus, and a keyring on it that is open."""

    def __init__(self, folder: Path) -> None:
        environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "XDG_RUNTIME_DIR": str(folder)}
        configuration = folder / "bus.conf"
        configuration.write_text(BUS_CONFIGURATION)
        bus = [
            require_peer("dbus-daemon"),
            f"--config-file={configuration}",
            "--nofork",
            "--nopidfile",
            "--print-address",
        ]
        daemon = [require_peer("gnome-keyring-daemon"), "--foreground", "--unlock", "--components=secrets"]
        self.bus = start(bus, environment, folder)
        assert self.bus.stdout is not None
        assert select.select([self.bus.stdout], [], [], PATIENCE_S)[0], "the bus doesn't start"
        self.address = self.bus.stdout.readline().decode().strip()
        self.daemon = start(daemon, {**environment, BUS: self.address}, folder)
        assert self.daemon.stdin is not None
        self.daemon.stdin.write(PASSWORD)  # it makes the keyring with it, and opens it
        self.daemon.stdin.close()

    def end(self) -> None:
        for process in (self.daemon, self.bus):
            process.terminate()
            process.wait(PATIENCE_S)
            for pipe in (process.stdin, process.stdout):
                assert pipe is not None
                pipe.close()


def start(command: Sequence[str], environment: Mapping[str, str], folder: Path) -> subprocess.Popen[bytes]:
    pipe, nowhere = subprocess.PIPE, subprocess.DEVNULL
    return subprocess.Popen(command, env=environment, cwd=folder, stdin=pipe, stdout=pipe, stderr=nowhere)


@pytest.fixture(scope="session")
def desktop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    session = Session(tmp_path_factory.mktemp("desktop"))
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(BUS, session.address)
            wait_for_keyring()
        yield session
    finally:
        session.end()


def wait_for_keyring() -> None:
    patience_ends_at = time.monotonic() + PATIENCE_S
    while True:
        with (
            suppress(secretstorage.SecretServiceNotAvailableException, secretstorage.ItemNotFoundException),
            collection(),
        ):
            return
        assert time.monotonic() < patience_ends_at, "the keyring doesn't start"
        time.sleep(0.05)


@pytest.fixture(autouse=True)
def forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library chooses its keyring anew, which it does once a process."""
    monkeypatch.setattr(keyring.core, "_keyring_backend", None)
    monkeypatch.setattr(keyring.backend, "get_all_keyring", vars(keyring.backend.get_all_keyring)["__wrapped__"])


@pytest.fixture
def session(desktop: Session, forgotten: None, monkeypatch: pytest.MonkeyPatch) -> Session:
    monkeypatch.setenv(BUS, desktop.address)
    return desktop


@contextmanager
def collection() -> Iterator[secretstorage.Collection]:
    with closing(secretstorage.dbus_init()) as bus:
        yield secretstorage.get_collection_by_alias(bus, "default")


def store(service: str, user: str, value: bytes) -> None:
    """Store a password as the library does, but bytes; the daemon loses sight of what it is replacing itself."""
    patience_ends_at = time.monotonic() + PATIENCE_S
    while time.monotonic() < patience_ends_at:
        with suppress(secretstorage.ItemNotFoundException), collection() as opened:
            opened.create_item("test", {"service": service, "username": user}, value, replace=True)
            return
    pytest.fail("there is no keyring")


@contextmanager
def locked() -> Iterator[None]:
    with collection() as opened:
        opened.lock()
    try:
        yield
    finally:
        unlock()


def unlock() -> None:
    """Give the running daemon its password as a login does, beside the Secret Service (its daemon/dbus/gkd-secret-unlock.c)."""
    with collection() as opened:
        service = DBusAddressWrapper(
            SS_PATH, "org.gnome.keyring.InternalUnsupportedGuiltRiddenInterface", opened.connection
        )
        secret = format_secret(open_session(opened.connection), PASSWORD, "text/plain")
        service.call("UnlockWithMasterPassword", "o(oayays)", opened.collection_path, secret)


class KeyringBench(Bench):
    backend = KEYRING
    lacks = {
        "versions": "an overwritten password is gone",
        "denied": "a keyring is open or locked for all that this user runs",
        "expired": "a keyring is locked, not logged out of",
    }
    largest_bytes = 2**20

    def __init__(self, store: StoreConfig, session: Session) -> None:
        super().__init__(store)
        self.session = session

    def put(self, name: str, value: bytes) -> str:
        store(SERVICE, name, value)
        return f"keyring://{SERVICE}/{name}"

    def twins(self, name: str) -> tuple[str, Sequence[str]]:
        with collection() as opened:
            for label in ("by hand", "by a program"):
                attributes = {"service": SERVICE, "username": name, "application": label}
                opened.create_item(label, attributes, VALUE.encode(), replace=True)
        return f"keyring://{SERVICE}/{name}", ("2 passwords", "by hand (20", "by a program (20")

    def missing(self) -> str:
        return f"keyring://{SERVICE}/missing"

    @contextmanager
    def down(self) -> Iterator[None]:
        keyring.get_keyring()  # chosen while the bus was there
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(BUS, DEAD)
            yield

    @contextmanager
    def slow(self) -> Iterator[None]:
        keyring.get_keyring()
        self.session.daemon.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.session.daemon.send_signal(signal.SIGCONT)

    @contextmanager
    def sealed(self) -> Iterator[None]:
        with locked():
            yield


class TestKeyring(SecretBackendSuite):
    @pytest.fixture
    def bench(self, tmp_path: Path, session: Session) -> Bench:
        return KeyringBench(StoreConfig(tmp_path), session)


# ------------------------------------------------------------------------------------------------------------ a password


@pytest.mark.parametrize(
    ("service", "user", "text", "settings"),
    [
        ("acme", "me", "keyring://acme/me", {}),
        ("https://acme.example/api", "me@acme.example", "keyring://https://acme.example/api/me@acme.example", {}),
        ("acme", "me", "mine://me", {"service": "acme"}),
        ("acme", "me@acme.example", "mine:///me@acme.example", {"service": "acme"}),
        ("acme", "a/b", "mine://a/b", {"service": "acme"}),
        ("with space", "me", "mine://me", {"service": "with space"}),
    ],
)
def test_a_password_is_named_by_service_and_user(
    service: str, user: str, text: str, settings: Mapping[str, str], session: Session, tmp_path: Path
) -> None:
    keyring.set_password(service, user, "value")
    assert fetch("keyring", tmp_path, text, **settings) == ["value"]


def test_upper_and_lower_case_are_told_apart(session: Session, tmp_path: Path) -> None:
    for service, user in (("Acme-Case", "me"), ("acme-case", "me"), ("acme-case", "Me")):
        store(service, user, f"{service}/{user}".encode())
    assert fetch("keyring", tmp_path, "keyring://acme-case/me", "keyring://Acme-Case/me") == [
        "acme-case/me",
        "Acme-Case/me",
    ]
    assert failure("keyring", tmp_path, "keyring://ACME-CASE/me").fault.name == "secret_not_found"


def test_a_password_with_more_attributes_is_found(session: Session, tmp_path: Path) -> None:
    with collection() as opened:
        opened.create_item("another program's", {"service": SERVICE, "username": "more", "xdg:schema": "x"}, b"value")
    assert fetch("keyring", tmp_path, f"keyring://{SERVICE}/more") == ["value"]


def test_a_locked_keyring_is_said_to_be_without_a_dialog(session: Session, tmp_path: Path) -> None:
    store(SERVICE, "locked", API_KEY.encode())
    with locked():
        error = failure("keyring", tmp_path, f"keyring://{SERVICE}/locked")
    assert (error.fault.name, error.message) == ("keyring_locked", "the keyring is locked")
    assert API_KEY not in chain(error)
    assert fetch("keyring", tmp_path, f"keyring://{SERVICE}/locked") == [API_KEY]


def test_what_is_not_text_is_not_shown(session: Session, tmp_path: Path) -> None:
    store(SERVICE, "binary", b"\xff" + API_KEY.encode())
    error = failure("keyring", tmp_path, f"keyring://{SERVICE}/binary")
    assert error.fault.name == "secret_malformed"
    assert API_KEY not in chain(error)


def test_another_collection_is_asked_where_the_library_is_told_so(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(SERVICE, "elsewhere", b"value")
    monkeypatch.setenv("KEYRING_PROPERTY_PREFERRED_COLLECTION", "/org/freedesktop/secrets/collection/session")
    error = failure("keyring", tmp_path, f"keyring://{SERVICE}/elsewhere")
    assert (error.fault.name, error.hint[:11]) == ("secret_not_found", "`keyring se")
    monkeypatch.setattr(keyring.core, "_keyring_backend", None)
    monkeypatch.setenv("KEYRING_PROPERTY_PREFERRED_COLLECTION", "/org/freedesktop/secrets/collection/none")
    error = failure("keyring", tmp_path, f"keyring://{SERVICE}/elsewhere")
    assert (error.fault.name, error.message) == ("secret_not_found", "the Secret Service has no such keyring yet")


# ------------------------------------------------------------------------------------------------- which keyring is asked


@pytest.mark.parametrize(
    ("chosen", "bus", "fault", "words"),
    [
        ("", "", "secret_backend_unavailable", "there is no keyring here"),
        ("", DEAD, "secret_backend_unavailable", "there is no keyring here"),
        (f"{LIBRARY}.fail.Keyring", "", "secret_backend_unavailable", "there is no keyring here"),
        (f"{LIBRARY}.null.Keyring", "", "secret_denied", "switched off"),
        (f"{LIBRARY}.SecretService.Keyring", "", "secret_backend_unavailable", "can't be used (RuntimeError)"),
        (f"{LIBRARY}.SecretService.Keyring", DEAD, "secret_backend_unavailable", "can't be used (FileNotFoundError)"),
        ("no.such.Keyring", "", "secret_backend_unavailable", "can't be used (ModuleNotFoundError)"),
    ],
)
def test_without_a_keyring_it_says_why(
    chosen: str, bus: str, fault: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("PYTHON_KEYRING_BACKEND", chosen), (BUS, bus)):
        if value:
            monkeypatch.setenv(name, value)
    error = failure("keyring", tmp_path, "keyring://acme/me")
    assert error.fault.name == fault
    assert words in error.message


class StandIn(KeyringBackend):
    """A keyring of a third party."""

    priority = -1  # never chosen by itself

    def __init__(self, error: Exception) -> None:
        self.error = error

    def get_password(self, service: str, username: str) -> str:
        raise self.error

    def set_password(self, service: str, username: str, password: str) -> None:
        raise self.error


class PlainText(StandIn):
    """Has the name of the package in which the library's keyrings in plain text are."""

    def __init__(self) -> None:
        super().__init__(AssertionError("a keyring in plain text was asked"))


PlainText.__module__ = "keyrings.alt.file"


class Wallet(StandIn):
    """Has the name of the module whose library shares one connection between all processes that are forked."""

    def get_password(self, service: str, username: str) -> str:
        return "value"


Wallet.__module__ = "keyring.backends.kwallet"


class Derived(PlainText):
    pass


class Chain(ChainerBackend):
    """The library's chain, of keyrings that are given."""

    viable = False
    backends: Any = ()

    def __init__(self, *members: KeyringBackend) -> None:
        self.backends = members


@pytest.mark.parametrize("form", ["alone", "derived", "chained"])
def test_a_keyring_in_plain_text_is_refused(form: str, tmp_path: Path) -> None:
    members = {"alone": PlainText(), "derived": Derived(), "chained": Chain(PlainText(), Derived())}
    keyring.set_keyring(members[form])
    error = failure("keyring", tmp_path, "keyring://acme/me")
    assert error.fault.name == "secret_denied"
    assert "plain text" in error.message


def test_a_chain_is_asked_less_its_keyrings_in_plain_text(session: Session, tmp_path: Path) -> None:
    real = keyring.get_keyring()
    store("acme", "chained", b"value")
    keyring.set_keyring(Chain(PlainText(), real))
    assert fetch("keyring", tmp_path, "keyring://acme/chained") == ["value"]
    keyring.set_keyring(Chain(real, PlainText()))
    assert failure("keyring", tmp_path, "keyring://acme/none").fault.name == "secret_not_found"


def test_the_chain_of_the_library_is_asked(session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.chainer.ChainerBackend")
    store("acme", "chained", b"value")
    assert fetch("keyring", tmp_path, "keyring://acme/chained") == ["value"]


@pytest.mark.parametrize(
    ("error", "fault"),
    [(KeyringLocked(API_KEY), "keyring_locked"), (OSError(API_KEY), "secret_backend_unavailable")],
    ids=["dismissed", "broken"],
)
def test_what_a_keyring_complains_of_is_not_repeated(error: Exception, fault: str, tmp_path: Path) -> None:
    keyring.set_keyring(StandIn(error))
    found = failure("keyring", tmp_path, "keyring://acme/me")
    assert found.fault.name == fault
    assert API_KEY not in chain(found)


def test_a_configuration_in_the_working_directory_is_not_obeyed(tmp_path: Path) -> None:
    """It may name a class, and the folder of its module. A process of its own: the library reads it when it is imported."""
    folder = tmp_path / "config" / "python_keyring"
    folder.mkdir(parents=True)
    (folder / "keyringrc.cfg").write_text("[backend]\ndefault-keyring = planted.Keyring\nkeyring-path = .\n")
    (tmp_path / "planted.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    connection = {"instance": "acme", "auth": {"method": "api_key", "api_key": "keyring://acme/me"}}
    (tmp_path / "connections.yaml").write_text(manifest(acme=connection))
    ended = run("secrets", "check", cwd=tmp_path, env={"XDG_CONFIG_HOME": "config"})
    assert not (tmp_path / "ran").exists()
    assert (ended.code, "XDG_CONFIG_HOME is not an absolute path" in ended.out) == (5, True), ended.out


def test_processes_do_not_share_the_connection_of_a_keyring(tmp_path: Path) -> None:
    keyring.set_keyring(Wallet(AssertionError()))
    text = "keyring://acme/me"
    with forked(lambda: fetch("keyring", tmp_path, text)) as child:
        assert child.result() == ["value"], "nobody else has asked"
    assert fetch("keyring", tmp_path, text) == ["value"]
    with forked(lambda: failure("keyring", tmp_path, text).message) as child:
        assert "can't be shared" in child.result()
    assert fetch("keyring", tmp_path, text) == ["value"]


def test_without_the_library_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    error = failure("keyring", tmp_path, "keyring://acme/me")
    assert error.fault.name == "secret_backend_unavailable"
    assert error.hint == "pip install keyring"


# ------------------------------------------------------------------------------------------------------------------ lint


@pytest.mark.parametrize(
    ("text", "settings", "words"),
    [
        ("keyring://", {}, "keyring://service/user"),
        ("keyring://acme", {}, "keyring://service/user"),
        ("keyring://acme/", {}, "keyring://service/user"),
        ("keyring:///me", {}, "keyring://service/user"),
        ("keyring://acme/me?version=1", {}, "no versions"),
        ("mine://", {"service": "acme"}, "mine://user"),
        ("keyring://acme/me#field", {}, ""),
        ("mine://me", {"service": "acme"}, ""),
    ],
)
def test_lint(text: str, settings: Mapping[str, str], words: str) -> None:
    found = lint("keyring", text, **settings)
    assert words in found
    assert bool(found) == bool(words)
