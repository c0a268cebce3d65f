"""The backend `exec`: only commands of the user's policy run, once, with limits, and no process is left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Lock, Thread
from typing import Any, Protocol

import pytest

from connform.errors import SecretUnresolved
from connform.http.net import deadline
from connform.process_local import ProcessLocal
from connform.secret import SecretReference
from connform.secrets.exec.backend import EXEC
from connform.secrets.exec.policy import POLICY_VARIABLE
from connform.secrets.kit import command
from connform.secrets.kit.interface import StoreConfig
from connform.testing.secrets import Bench, SecretBackendSuite
from tests.canary import API_KEY, VARIABLE
from tests.conftest import Plant
from tests.forking import forked
from tests.secrets.fetching import chain, failure, fetch, lint
from tests.secrets.processes import assert_gone

SHELL = "/bin/sh"
MEBIBYTE = 1024 * 1024


def write_policy(folder: Path, commands: Mapping[str, Any]) -> Path:
    """Write a policy in one step, and return its path."""
    file, draft = folder / "exec.json", folder / "exec.draft"
    draft.write_text(json.dumps({"version": 1, "commands": commands}))
    draft.chmod(0o600)
    return draft.replace(file)


class ExecBench(Bench):
    backend = EXEC
    lacks = {
        "versions": "a command prints what it prints now",
        "expired": "the login is the command's own business",
        "down": "a command is always there; one that fails is exec_failed, in this module's own cases",
        "slow": "a command that hangs is exec_failed, in this module's own cases",
        "sealed": "the same",
    }
    largest_bytes = MEBIBYTE

    def __init__(self, store: StoreConfig, folder: Path) -> None:
        super().__init__(store)
        self.folder = folder
        self.commands: dict[str, Any] = {}

    def put(self, name: str, value: bytes, *, form: str = "raw") -> str:
        draft = self.folder / f".{name}"
        draft.write_bytes(value)
        file = draft.replace(self.folder / name)
        if name not in self.commands:
            self.commands[name] = {"argv": ["/bin/cat", str(file)], "format": form}
            write_policy(self.folder, self.commands)
        return f"exec://{name}"

    def put_document(self, name: str, text: bytes) -> str:
        return self.put(name, text, form="json")

    def missing(self) -> str:
        return self.put_fields("document", {"key": "value"}) + "#none"

    def denied(self) -> str:
        write_policy(self.folder, self.commands)
        return "exec://not-allowed"


class TestExec(SecretBackendSuite):
    @pytest.fixture
    def bench(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
        folder = tmp_path / "config"
        folder.mkdir(mode=0o700)
        monkeypatch.setenv(POLICY_VARIABLE, str(folder / "exec.json"))
        return ExecBench(StoreConfig(tmp_path), folder)


# ---------------------------------------------------------------------------------------------- what a command can do


class Allow(Protocol):
    def __call__(self, script: str, **settings: Any) -> None:
        """Allow a shell script under the alias `it`."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The policy's folder."""
    folder = tmp_path / "config" / "connform"
    folder.mkdir(parents=True, mode=0o700)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder.parent))
    return folder


@pytest.fixture
def allow(folder: Path) -> Allow:
    def write(script: str, **settings: Any) -> None:
        write_policy(folder, {"it": {"argv": [SHELL, "-c", script], **settings}})

    return write


IN_A_GROUP_OF_ITS_OWN = 'import os, time; os.setpgid(0, 0); open("{pids}.2", "w").close(); time.sleep(1000)'
"""As the jobs of an interactive shell."""
HANGS = "sleep 1000 & echo $$ $! >{pids}; wait"
FAILURES = {
    "fails": ("echo $$ >{pids}; echo {canary}; echo {canary} >&2; exit 3", 1, "exited with status 3"),
    "dies of a signal": ("echo $$ >{pids}; kill -KILL $$", 1, "died of SIGKILL"),
    "dies of a signal without a name": ("echo $$ >{pids}; kill -35 $$", 1, "died of signal 35"),
    "hangs with a child": (HANGS, 2, "did not end within 3 s, and was killed"),
    "ignores SIGTERM": ("trap '' TERM; " + HANGS + "; wait", 2, "did not end within 3 s, and was killed"),
    "closes its outputs and hangs": ("exec >&- 2>&-; " + HANGS, 2, "did not end within 3 s, and was killed"),
    "prints a little for ever": (
        "echo $$ >{pids}; while :; do echo {canary}; sleep 0.05; done",
        1,
        "did not end within 3 s, and was killed",
    ),
    "complains for ever": ("echo $$ >{pids}; exec yes {canary} >&2", 1, "did not end within 3 s, and was killed"),
}


@pytest.mark.parametrize("case", FAILURES)
def test_a_command_that_fails_is_told_by_its_end_alone_and_leaves_nothing(
    case: str, allow: Allow, plant: Plant, tmp_path: Path
) -> None:
    script, number, words = FAILURES[case]
    pids = tmp_path / "pids"
    allow(script.format(pids=pids, canary=API_KEY), timeout_s=3)
    plant("config/connform/exec.json")
    error = failure("exec", tmp_path, "exec://it")
    assert (error.fault.name, error.message) == ("exec_failed", f"the command {words}")
    assert API_KEY not in chain(error)
    assert_gone(pids, number)


def test_a_command_that_is_just_being_started_ends_with_an_interrupted_run(
    allow: Allow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread that started it may not even know yet that it runs."""
    pids, popen = tmp_path / "pids", subprocess.Popen

    def started_slowly(*arguments: Any, **named: Any) -> subprocess.Popen[bytes]:
        process: subprocess.Popen[bytes] = popen(*arguments, **named)
        time.sleep(0.5)
        return process

    monkeypatch.setattr(subprocess, "Popen", started_slowly)
    monkeypatch.setattr(command, "_starting", ProcessLocal(Lock))
    allow(f"echo $$ >{pids}; exec sleep 1000")
    reading = Thread(target=failure, args=("exec", tmp_path, "exec://it"))
    reading.start()
    while not (pids.exists() and pids.read_text().endswith("\n")):
        time.sleep(0.01)
    command._kill_all()
    assert_gone(pids, 1)
    reading.join()


def test_a_forked_child_that_ends_leaves_the_commands_of_its_parent_alone(allow: Allow, tmp_path: Path) -> None:
    pids, over = tmp_path / "pids", tmp_path / "over"
    allow(f"echo $$ >{pids}; while ! [ -e {over} ]; do sleep 0.01; done; echo value")
    with ThreadPoolExecutor(1) as thread:
        reading = thread.submit(fetch, "exec", tmp_path, "exec://it")
        while not (pids.exists() and pids.read_text().endswith("\n")):
            time.sleep(0.01)
        with forked(command._kill_all) as child:
            child.result()
        over.touch()
        assert reading.result() == ["value"]


def test_an_argument_that_is_no_text_is_a_failure_of_its_command(folder: Path, tmp_path: Path) -> None:
    write_policy(folder, {"it": {"argv": ["/bin/echo", "\ud800"]}})
    error = failure("exec", tmp_path, "exec://it")
    assert (error.fault.name, "could not be started" in error.message) == ("exec_failed", True)


def test_a_hundred_megabytes_are_not_kept(allow: Allow, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    allow(f"echo $$ >{pids}; exec head -c 100000000 /dev/zero")
    tracemalloc.start()
    try:
        error = failure("exec", tmp_path, "exec://it")
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (error.fault.name, error.message) == ("exec_failed", "the command printed more than 1 MiB, and was killed")
    assert peak_bytes < 16 * MEBIBYTE
    assert_gone(pids, 1)


def test_nothing_is_started_once_the_time_is_up(allow: Allow, tmp_path: Path) -> None:
    allow(f"touch {tmp_path}/ran")
    with deadline.within(0):
        error = failure("exec", tmp_path, "exec://it")
    assert (error.fault.name, error.message) == ("exec_failed", "the command was not started: the time was up")
    assert not (tmp_path / "ran").exists()


def test_a_mebibyte_is_kept(allow: Allow, tmp_path: Path) -> None:
    allow(f"head -c {MEBIBYTE} /dev/zero | tr '\\0' x; head -c {MEBIBYTE} /dev/zero >&2")
    assert fetch("exec", tmp_path, "exec://it") == ["x" * MEBIBYTE]


@pytest.mark.parametrize(
    "script",
    [
        "sleep 1000 & echo $! >{pids}; echo value",
        "sh -c 'trap \"\" TERM; sleep 1000; :' & echo $! >{pids}; echo value",
        f"{sys.executable} -c '{IN_A_GROUP_OF_ITS_OWN}' & echo $! >{{pids}}; while ! [ -e {{pids}}.2 ]; do sleep 0.01; done; echo value",
    ],
    ids=["plainly", "ignoring SIGTERM", "in a group of its own"],
)
def test_a_child_that_keeps_the_output_open_is_not_waited_for_and_ended(
    script: str, allow: Allow, tmp_path: Path
) -> None:
    pids = tmp_path / "pids"
    allow(script.format(pids=pids))
    assert fetch("exec", tmp_path, "exec://it") == ["value"]
    assert_gone(pids, 1)


def test_a_child_in_a_session_of_its_own_is_not_waited_for(allow: Allow, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    allow(f"setsid sh -c 'echo $$ >{pids}; exec sleep 1000' & while ! [ -s {pids} ]; do sleep 0.01; done; echo value")
    try:
        assert fetch("exec", tmp_path, "exec://it") == ["value"]
    finally:
        os.kill(int(pids.read_text()), signal.SIGKILL)


CIRCUMSTANCES = {
    "its input is empty": ("cat; echo end", "end"),
    "its folder is no repository": ("pwd", "/"),
    "it has no terminal": ("(: </dev/tty) 2>/dev/null || echo none", "none"),
    "it leads a session of its own": ('[ "$(cut -d " " -f 6 /proc/$$/stat)" = $$ ] && echo leads', "leads"),
    "it gets ordinary variables": ('echo "$HOME" | wc -w | tr -d " "', "1"),
    "it gets none of the others": (f"echo ${{{VARIABLE}-unset}} ${{ACME_KEY-unset}}", "unset unset"),
    "it gets those that the policy names": ("echo $ACME_SESSION", "open"),
}


@pytest.mark.parametrize("case", CIRCUMSTANCES)
def test_the_circumstances_of_a_command(
    case: str, allow: Allow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script, printed = CIRCUMSTANCES[case]
    monkeypatch.setenv("ACME_KEY", API_KEY)
    monkeypatch.setenv("ACME_SESSION", "open")
    allow(script, env=["ACME_SESSION"])
    assert fetch("exec", tmp_path, "exec://it") == [printed]


def test_arguments_reach_the_program_as_they_stand(folder: Path, tmp_path: Path) -> None:
    arguments = ["$HOME", "a b", "`id`", "*", "-n", "ü"]
    program = "import sys; print(sys.argv[1:])"
    write_policy(folder, {"it": {"argv": [sys.executable, "-c", program, *arguments]}})
    assert fetch("exec", tmp_path, "exec://it") == [repr(arguments)]


def test_a_command_runs_once_for_all_its_fields(allow: Allow, tmp_path: Path) -> None:
    allow(f'echo ran >>{tmp_path}/runs; echo \'{{"id": "0012", "key": "value"}}\'', format="json")
    assert fetch("exec", tmp_path, "exec://it#id", "exec://it#key") == ["0012", "value"]
    assert (tmp_path / "runs").read_text() == "ran\n"


@pytest.mark.parametrize(
    ("text", "form", "words"),
    [
        ("exec://it", "json", "a field is missing"),
        ("exec://it#key", "raw", "it has no fields"),
        ("exec://it#key", "json", "no JSON object"),
    ],
)
def test_the_format_decides_on_fields(text: str, form: str, words: str, allow: Allow, tmp_path: Path) -> None:
    allow("echo hunter2", format=form)
    error = failure("exec", tmp_path, text)
    assert error.fault.name == "secret_malformed"
    assert words in error.message
    assert "hunter2" not in chain(error)


@pytest.mark.parametrize(
    ("argv", "words"),
    [(["/none"], "No such file"), (["/etc/passwd"], "Permission denied"), (["/"], "Permission denied")],
    ids=["missing", "not executable", "folder"],
)
def test_a_program_that_does_not_start_says_why(argv: Sequence[str], words: str, folder: Path, tmp_path: Path) -> None:
    write_policy(folder, {"it": {"argv": argv}})
    error = failure("exec", tmp_path, "exec://it")
    assert error.fault.name == "exec_failed"
    assert f"could not be started: {words}" in error.message


# ------------------------------------------------------------------------------------------------------- what is allowed

COMMAND = {"argv": ["/bin/echo", "value"]}


@contextmanager
def owned_by(path: Path, user: int) -> Iterator[None]:
    os.chown(path, user, -1)
    try:
        yield
    finally:
        os.chown(path, 0, -1)


@pytest.mark.parametrize(
    ("where", "mode", "words"),
    [
        ("exec.json", 0o620, "others can write"),
        ("exec.json", 0o602, "others can write"),
        (".", 0o770, "others can write"),
        ("..", 0o777, "others can write"),
        (".", 0o1777, ""),
        ("exec.json", 0o444, ""),
    ],
    ids=["group", "others", "folder", "above", "shared folder", "readable"],
)
def test_a_policy_that_others_can_write_allows_nothing(
    where: str, mode: int, words: str, folder: Path, tmp_path: Path
) -> None:
    write_policy(folder, {"it": COMMAND})
    (folder / where).chmod(mode)
    if not words:
        assert fetch("exec", tmp_path, "exec://it") == ["value"]
        return
    error = failure("exec", tmp_path, "exec://it")
    assert error.fault.name == "secret_denied"
    assert words in error.message
    assert "chmod go-w" in error.hint


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
@pytest.mark.parametrize("where", ["exec.json", "."])
def test_a_policy_of_somebody_else_allows_nothing(where: str, folder: Path, tmp_path: Path) -> None:
    write_policy(folder, {"it": COMMAND})
    with owned_by(folder / where, 65534):
        error = failure("exec", tmp_path, "exec://it")
    assert error.fault.name == "secret_denied"
    assert "belongs to another user (uid 65534)" in error.message


def test_a_policy_that_is_no_plain_file_allows_nothing(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    real = write_policy(tmp_path / "elsewhere", {"it": COMMAND})
    makings: dict[str, Callable[[Path], None]] = {
        "it is a link": lambda policy: policy.symlink_to(real),
        "no file, or": lambda policy: policy.mkdir(),
        "is no file": lambda policy: os.mkfifo(policy, 0o600),
    }
    for words, make in makings.items():
        make(folder / "exec.json")
        error = failure("exec", tmp_path, "exec://it")
        assert error.fault.name == "secret_denied"
        assert words in error.message
        (folder / "exec.json").rename(tmp_path / words)


@pytest.mark.parametrize("where", ["exec.json", "deep/exec.json", "link/exec.json", "../outside/exec.json"])
def test_a_policy_in_the_repository_of_the_manifest_allows_nothing(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository, outside = tmp_path / "repository", tmp_path / "outside"
    for made in (repository / ".git", repository / "connections", repository / "deep", outside):
        made.mkdir(parents=True)
    (repository / "link").symlink_to("../outside")
    write_policy((repository / where).parent, {"it": COMMAND})
    monkeypatch.setenv(POLICY_VARIABLE, str(repository / where))
    if where.endswith("outside/exec.json") or where.startswith("link"):
        assert fetch("exec", repository / "connections", "exec://it") == ["value"]
        return
    error = failure("exec", repository / "connections", "exec://it")
    assert error.fault.name == "secret_denied"
    assert "lies in the manifest's repository" in error.message
    assert POLICY_VARIABLE in error.hint


def test_a_policy_is_looked_at_from_the_folder_of_each_manifest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from connform.engine.run.secret_resolver import RequestedSecret, SecretResolver

    repository = tmp_path / "repository"
    (repository / ".git").mkdir(parents=True)
    monkeypatch.setenv(POLICY_VARIABLE, str(write_policy(repository, {"it": COMMAND})))
    stores = SecretResolver({})
    reference = SecretReference.parse("exec://it")
    outside, inside = stores.read([RequestedSecret(reference, tmp_path), RequestedSecret(reference, repository)])
    stores.close()
    assert not isinstance(outside, SecretUnresolved)
    assert isinstance(inside, SecretUnresolved)
    assert inside.fault.name == "secret_denied"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not a JSON object"),
        (b"[]", "not a JSON object"),
        (b"\xff", "not a JSON object"),
        (b'{"version": 1, "version": 1, "commands": {}}', "version stands twice"),
        (b'{"version": 1, "commands": {"it": {}, "it": {}}}', "commands.it stands twice"),
        (b'{"version": 1, "commands": {"it": {"argv": [], "argv": []}}}', "commands.it.argv stands twice"),
        (b'{"version": 2, "commands": {}}', "`version` is not 1"),
        (b'{"version": true, "commands": {}}', "`version` is not 1"),
        (b'{"version": 1}', "`commands` is not an object"),
        (b'{"version": 1, "command": {}}', "command is not known"),
        (b'{"version": 1, "commands": {"it": "/bin/echo"}}', "commands.it is not an object"),
        (b'{"version": 1, "commands": {"it": {}}}', "commands.it.argv is not a list"),
        (b'{"version": 1, "commands": {"it": {"argv": []}}}', "commands.it.argv is not a list"),
        (b'{"version": 1, "commands": {"it": {"argv": ["/bin/echo", 1]}}}', "commands.it.argv is not a list"),
        (b'{"version": 1, "commands": {"it": {"argv": ["/bin/echo", "\\u0000"]}}}', "commands.it.argv is not a list"),
        (b'{"version": 1, "commands": {"it": {"argv": ["echo"]}}}', "absolute path"),
        (b'{"version": 1, "commands": {"it": {"argv": ["/bin/echo"], "format": "yaml"}}}', "neither raw nor json"),
        (b'{"version": 1, "commands": {"it": {"argv": ["/bin/echo"], "timeout_s": 0}}}', "timeout_s"),
        (b'{"version": 1, "commands": {"it": {"argv": ["/bin/echo"], "timeout_s": true}}}', "timeout_s"),
        (b'{"version": 1, "commands": {"it": {"argv": ["/bin/echo"], "env": "HOME"}}}', "commands.it.env"),
        (b'{"version": 1, "commands": {"it": {"argv": ["/bin/echo"], "timeout": 1}}}', "commands.it.timeout is not"),
    ],
    ids=range(21),
)
def test_a_policy_that_is_not_valid_allows_nothing_and_says_where(
    content: bytes, words: str, folder: Path, tmp_path: Path
) -> None:
    (folder / "exec.json").write_bytes(content)
    error = failure("exec", tmp_path, "exec://it")
    assert error.fault.name == "secret_denied"
    assert words in error.message


def test_without_a_policy_nothing_is_allowed(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    error = failure("exec", tmp_path, "exec://it")
    assert error.fault.name == "secret_denied"
    assert f"there is no file {folder}/exec.json" in error.message
    assert '"argv"' in error.hint
    monkeypatch.setenv("XDG_CONFIG_HOME", "relative")
    assert f"there is no file {home}/.config/connform/exec.json" in failure("exec", tmp_path, "exec://it").message
    monkeypatch.setenv(POLICY_VARIABLE, "exec.json")
    assert "is not an absolute path" in failure("exec", tmp_path, "exec://it").message


def test_an_alias_that_is_nearly_right_is_named(folder: Path, tmp_path: Path) -> None:
    write_policy(folder, {"acme-key": COMMAND})
    error = failure("exec", tmp_path, "exec://acme-kye")
    assert error.fault.name == "secret_denied"
    assert "acme-key" in error.hint


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("exec://", "only its alias"),
        ("exec:///usr/bin/id", "only its alias"),
        ("exec://sh/-c", "only its alias"),
        ("exec://it?version=1", "no versions"),
        ("exec://it", ""),
        ("exec://it#field", ""),
    ],
)
def test_lint(text: str, words: str) -> None:
    found = lint("exec", text)
    assert words in found
    assert bool(found) == bool(words)
