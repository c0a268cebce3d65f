"""The simulator in a process of its own: it answers as the one in a thread, and ends with the run, however that ends."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

MANIFEST = """\
version: 1
connections:
  named: {provider: http, base_url: 'https://api.acme.example', check: {path: /me}, auth: {method: api_key, api_key: env://KEY}}
  address: {provider: http, base_url: 'https://192.0.2.7', check: {path: /me}, auth: {method: bearer, token: env://KEY}}
  granted:
    environment: production
    region: us
    auth: {method: oauth2, client_id: acme, client_secret: env://KEY, redirect_uri: 'https://localhost/back'}
"""
PRELUDE = """
import os, signal, sys
from multiprocessing import active_children
from pathlib import Path
from connform.engine.apply import apply
from connform.engine.load.manifest import read_manifest
from connform.engine.load.selection import EVERYTHING
from connform.engine.run.simulator_process import forked_simulator
from connform.recorded import Actor

signal.alarm(50)
manifest, _ = read_manifest([sys.argv[1]], EVERYTHING, ())
connections = list(manifest.values())
"""
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only on Linux does the simulator have a process")


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    path = tmp_path / "connections.yaml"
    path.write_text(MANIFEST)
    return path


def ended(script: str, manifest: Path) -> str:
    """Return what a script says, in a process of one thread."""
    argv = [sys.executable, "-c", PRELUDE + script, str(manifest)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False, cwd=manifest.parent)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


def test_it_accepts_the_credentials_that_it_issued_at_names_and_at_addresses(manifest: Path) -> None:
    script = """
from connform.engine.run import simulator_process
begun = []
serve = simulator_process._network
simulator_process._network = lambda *arguments: begun.append(len(active_children())) or serve(*arguments)
with forked_simulator() as simulator:
    report = apply([sys.argv[1]], by=Actor("a", "b"), simulate=True, simulator=simulator)
print([(one.name, str(one.verdict), one.message) for one in report.connections], begun, active_children())
"""
    names = ["named", "address", "granted"]
    assert ended(script, manifest) == f"{[(name, 'ready', '') for name in names]} [1] []"


def test_a_run_whose_simulator_was_killed_says_so(manifest: Path) -> None:
    script = """
from connform.errors import ConnformError
try:
    with forked_simulator() as simulator, simulator.context(connections) as context:
        (child,) = active_children()
        os.kill(child.pid, signal.SIGKILL)
        child.join()
        print(context.network.route("192.0.2.7", 443)[0])
except ConnformError as error:
    print(int(error.exit_code), error)
"""
    assert ended(script, manifest) == (
        "127.0.0.1\n6 the simulator's process ended before the run did, by signal 9, so that its results say nothing: "
        "run it again; if the system is short of memory, for fewer connections at a time"
    )


def test_one_that_cannot_start_says_why(manifest: Path) -> None:
    script = """
from connform.errors import ConnformError
sys.modules["trustme"] = None
try:
    with forked_simulator() as simulator, simulator.context(connections):
        pass
except ConnformError as error:
    print(error, active_children())
"""
    assert ended(script, manifest) == "the simulator needs an optional library: pip install trustme []"


def test_one_that_is_killed_before_it_listens_says_so(manifest: Path) -> None:
    script = """
from connform.engine.run import simulator_process
from connform.errors import ConnformError
simulator_process.issue = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
try:
    with forked_simulator() as simulator, simulator.context(connections):
        pass
except ConnformError as error:
    print(int(error.exit_code), error, active_children())
"""
    assert ended(script, manifest).startswith("6 the simulator's process ended before the run began: run it again;")


def test_one_without_a_thread_says_so(manifest: Path) -> None:
    script = """
import threading
from connform.errors import ConnformError
def start_none(*_, **__):
    raise RuntimeError("can't start new thread")

threading._start_new_thread = threading._start_joinable_thread = start_none  # the second is that of Python 3.13
try:
    with forked_simulator() as simulator, simulator.context(connections):
        pass
except ConnformError as error:
    print(int(error.exit_code), error, active_children())
"""
    assert ended(script, manifest) == "6 the simulator can't start: can't start new thread []"


def test_it_is_a_thread_where_the_system_starts_no_process(manifest: Path) -> None:
    script = """
import errno
from connform.engine.check import check
from connform.engine.run.context import simulator_of_command
def fork():
    raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

os.fork = fork
with simulator_of_command(simulate=True) as simulator:
    report = check([sys.argv[1]], simulate=True, simulator=simulator)
print(simulator, [str(one.verdict) for one in report.connections])
"""
    assert ended(script, manifest) == "None ['ready', 'ready', 'ready']"


def test_it_goes_on_while_its_parent_ends_an_interrupted_run(manifest: Path) -> None:
    script = """
import socket
with forked_simulator() as simulator, simulator.context(connections) as context:
    (child,) = active_children()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(child.pid, number)
    socket.create_connection(context.network.route("192.0.2.7", 443)).close()
    print(child.is_alive())
print(active_children())
"""
    assert ended(script, manifest) == "True\n[]"


def test_it_ends_with_the_checks_of_a_run_before_their_report_is_made(manifest: Path) -> None:
    script = """
with forked_simulator() as simulator:
    with simulator.context(connections):
        begun = active_children()
    print(len(begun), active_children())
"""
    assert ended(script, manifest) == "1 []"


def test_it_ends_with_a_run_that_fails(manifest: Path) -> None:
    script = """
try:
    with forked_simulator() as simulator, simulator.context(connections):
        os.kill(os.getpid(), signal.SIGINT)
except KeyboardInterrupt:
    print(active_children())
"""
    assert ended(script, manifest) == "[]"


@pytest.mark.parametrize("end", ["SIGKILL", "SIGTERM"])
def test_it_ends_after_its_parent_was_killed(end: str, manifest: Path) -> None:
    script = f"""
reader, writer = os.pipe()
if not os.fork():
    with forked_simulator() as simulator, simulator.context(connections):
        os.kill(os.getpid(), signal.{end})
os.close(writer)
print(os.read(reader, 1))  # the end of the file: no process has it open
"""
    assert ended(script, manifest) == "b''"


def test_it_leaves_no_temporary_file_where_the_run_ends_while_it_has_one(manifest: Path) -> None:
    script = """
import socket
import ssl
import tempfile
import time
begun, load = Path("begun"), ssl.SSLContext.load_cert_chain
def load_slowly(*arguments):
    begun.touch()
    time.sleep(0.2)
    load(*arguments)

ssl.SSLContext.load_cert_chain = load_slowly
Path("files").mkdir()
tempfile.tempdir = "files"
try:
    with forked_simulator() as simulator, simulator.context(connections) as context:
        with socket.create_connection(context.network.route("192.0.2.7", 443)) as client:
            tls = ssl._create_unverified_context().wrap_socket(client, do_handshake_on_connect=False)
            tls.settimeout(0)
            try:
                tls.do_handshake()
            except ssl.SSLWantReadError:
                pass
            while not begun.exists():
                time.sleep(0.01)
            raise KeyboardInterrupt
except KeyboardInterrupt:
    print(os.listdir("files"), active_children())
"""
    assert ended(script, manifest) == "[] []"


def test_one_that_is_stopped_ends_with_the_run(manifest: Path) -> None:
    script = """
with forked_simulator() as simulator, simulator.context(connections):
    (child,) = active_children()
    os.kill(child.pid, signal.SIGSTOP)
print(active_children())
"""
    assert ended(script, manifest) == "[]"
