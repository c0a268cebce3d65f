"""What holds for every test: a clean environment, no network but loopback, no canary in anything it leaves behind."""

from __future__ import annotations

import functools
import gc
import importlib
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Generator, Iterable, Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

import pytest
from click.testing import CliRunner

from tests.canary import VARIABLE, assert_no_canary

if TYPE_CHECKING:
    from tests.database.postgres import Postgres

pytest_plugins = ["tests.order", "tests.time_limit"]


REQUIRE_PEERS = "CONNFORM_REQUIRE_PEERS"
_FROM_NPM = os.path.join(os.path.dirname(__file__), "node_modules", ".bin")
_KEPT = {"PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "PYTHONHASHSEED", "VIRTUAL_ENV", VARIABLE, REQUIRE_PEERS}
_KEPT_PREFIXES = ("COVERAGE_", "HYPOTHESIS_", "PYTEST_")  # the tools that run the tests


def require_peer(name: str, *also_at: str) -> str:
    """Return the path of another project's program that a test works with.

    A test that lacks it is skipped; under CONNFORM_REQUIRE_PEERS, which CI sets, it fails. A peer from PyPI is found
    beside the interpreter even where its environment is not activated, one from npm where `npm install --prefix tests`
    has put it.

    Args:
        name: the program: `nginx`, `curl`, `check-jsonschema`.
        also_at: folders to search beyond PATH.
    """
    folders = [os.path.dirname(sys.executable), os.environ.get("PATH", os.defpath), *also_at, _FROM_NPM, "/usr/sbin"]
    found = shutil.which(name, path=os.pathsep.join(folders))
    return found or do_without(f"{name} is not installed")


def require_library(module: str) -> None:
    """Demand a library that a test, or a whole module of tests, works with; as for `require_peer`."""
    try:
        importlib.import_module(module)
    except ImportError:
        do_without(f"{module} is not installed")


def do_without(reason: str) -> NoReturn:
    """Skip a test, or a module of tests, that lacks something; fail it where nothing may be lacking."""
    if os.environ.get(REQUIRE_PEERS):
        pytest.fail(f"{reason}, and {REQUIRE_PEERS} demands it")
    pytest.skip(reason, allow_module_level=True)


def pytest_xdist_auto_num_workers() -> int:
    """Return how many processes run the tests with `-n auto`: tests wait for two thirds of their time, but each process finds them all."""
    return 3 * len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 6


# A clean environment. A fixture, not the Makefile, so that it holds for an editor's test runner as well.


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home directory of every test, emptied before each."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="session", autouse=True)
def no_manifest_above(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The search for a manifest ends above the tests' folders, whatever lies there on this machine."""
    (tmp_path_factory.getbasetemp() / ".connform").mkdir()


@pytest.fixture(scope="session")
def clean_variables(home: Path) -> Iterator[dict[str, str]]:
    """No proxies, no CONNFORM_*, no credentials of whoever runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        for name in set(os.environ) - _KEPT:
            if not name.startswith(_KEPT_PREFIXES):
                patch.delenv(name)
        patch.setenv("HOME", str(home))
        yield dict(os.environ)


@pytest.fixture(autouse=True)
def clean_environment(home: Path, clean_variables: dict[str, str], collected_garbage: None) -> Iterator[None]:
    """Nothing of the tests before, whatever they left in the environment, at home, and in this process."""
    for name in os.environ.keys() - clean_variables:
        if not name.startswith(_KEPT_PREFIXES):
            del os.environ[name]
    changed = [item for item in clean_variables.items() if os.environ.get(item[0]) != item[1]]
    os.environ.update(changed)
    for leftover in os.scandir(home):
        shutil.rmtree(leftover) if leftover.is_dir(follow_symlinks=False) else os.unlink(leftover)
    if logging.root.level != logging.DEBUG:
        logging.root.setLevel(logging.DEBUG)  # what libraries log is searched for secrets as well
    # A shell lets what it runs in the background ignore SIGINT, and its children inherit that; so may a test before.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    gc.enable()  # a command that is called in this process switches it off


def pytest_sessionstart() -> None:
    """Collect no garbage while tests are found: what is made then is kept, and would be walked again and again."""
    gc.disable()


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Leave what was imported and collected out of every later collection of garbage, which would walk all of it."""
    gc.freeze()  # without a collection: it takes 0.4 s, and gives no memory back
    gc.enable()


@pytest.fixture(scope="session")
def collected_garbage() -> Iterator[None]:
    """What tests leave is collected: a command that is called in this process would exempt it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gc, "freeze", lambda: None)
        yield


# No network but loopback. An audit hook sees every connection of this process, whatever library opens it.

_ATTEMPTS: list[str] = []


def _refuse_outside(event: str, arguments: tuple[Any, ...]) -> None:
    if event not in {"socket.connect", "socket.sendto"}:
        return
    opened, address = arguments
    if opened.family not in {socket.AF_INET, socket.AF_INET6} or _is_loopback(address[0]):
        return
    _ATTEMPTS.append(str(address))
    message = f"{address} is outside of this machine: tests reach loopback addresses only"
    raise AssertionError(message)


def _is_loopback(host: str) -> bool:
    try:
        address = ip_address(host)
    except ValueError:
        return host == "localhost"
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


sys.addaudithook(_refuse_outside)


# No canary. Whatever leaves a test through one of these doors is searched.


class Plant(Protocol):
    """Writes an input that may hold the canary; the search for leaks leaves it out."""

    def __call__(self, path: str | Path, text: str | bytes = "") -> Path:
        """Write `text` to `path`, relative to `tmp_path`, and return the whole path; register what a test wrote itself."""


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server, the same for all tests of a process: to make one takes as long as twenty tests that use it."""
    from tests.database.postgres import running_postgres

    require_library("psycopg")
    with running_postgres() as server:
        yield server


@pytest.fixture
def default_signals() -> Iterator[None]:
    """Let programs that a test starts be ended by the signals that this process was started to ignore, as by `nohup`."""
    ignored = [
        number
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)
        if signal.getsignal(number) is signal.SIG_IGN
    ]
    for number in ignored:
        signal.signal(number, signal.SIG_DFL)
    yield
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)


@pytest.fixture
def planted() -> set[Path]:
    """The files that may hold the canary."""
    return set()


@pytest.fixture
def plant(tmp_path: Path, planted: set[Path]) -> Plant:
    def write(path: str | Path, text: str | bytes = "") -> Path:
        target = tmp_path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if text or not target.exists():
            target.write_bytes(text.encode() if isinstance(text, str) else text)
        planted.add(target.resolve())
        return target

    return write


@pytest.fixture(scope="session", autouse=True)
def searched_doors() -> Iterator[None]:
    """Search what a test captures itself, as it receives it."""
    with pytest.MonkeyPatch.context() as patch:
        _search(patch, pytest.CaptureFixture, "readouterr", tuple)
        _search(patch, subprocess.Popen, "communicate", tuple)
        _search(patch, CliRunner, "invoke", lambda result: (result.stdout_bytes, result.stderr_bytes))
        yield


def _search(
    patch: pytest.MonkeyPatch, owner: type, method: str, outputs: Callable[[Any], Iterable[str | bytes | None]]
) -> None:
    original = getattr(owner, method)

    @functools.wraps(original)
    def searched(*args: Any, **kwargs: Any) -> Any:
        result = original(*args, **kwargs)
        found = [output for output in outputs(result) if output]
        assert_no_canary(*found, where=f"{owner.__name__}.{method}()")
        return result

    patch.setattr(owner, method, searched)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a test that printed, logged or left the canary somewhere, or that tried to leave this machine."""
    report = yield
    if call.when != "teardown":
        return report
    try:
        for heading, text in report.sections:
            assert_no_canary(text, where=heading)
        _search_files(item)
        if _ATTEMPTS:
            pytest.fail(f"the test tried to reach {', '.join(_ATTEMPTS)}", pytrace=False)
    except (AssertionError, pytest.fail.Exception) as error:
        report.outcome = "failed"
        report.longrepr = f"{report.longreprtext}\n{error}".strip()
    finally:
        _ATTEMPTS.clear()
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, object, object]:
    """Keep the folders of a test: its fixtures' values are gone when its report is made."""
    result = yield
    arguments: dict[str, Any] = getattr(item, "funcargs", {})
    item.stash[_FOLDERS] = [arguments[name] for name in ("tmp_path", "home") if name in arguments]
    item.stash[_PLANTED] = arguments.get("planted", set())
    return result


_FOLDERS = pytest.StashKey["list[Path]"]()
_PLANTED = pytest.StashKey["set[Path]"]()


def _search_files(item: pytest.Item) -> None:
    planted = {str(path) for path in item.stash.get(_PLANTED, ())}
    folders = [os.path.realpath(folder) for folder in item.stash.get(_FOLDERS, ())]
    while folders:
        folder = folders.pop()
        try:
            entries = list(os.scandir(folder))
        except OSError:  # a program of the test has just removed it, or a test closed it
            continue
        assert_no_canary("\n".join(entry.name for entry in entries), where=f"the name of a file in {folder}")
        folders += [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
        for entry in entries:
            if entry.is_file(follow_symlinks=False) and entry.path not in planted:
                with open(entry.path, "rb") as file:
                    assert_no_canary(file.read(), where=entry.path)
