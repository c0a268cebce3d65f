"""A credential handed to other programs: `token` and `exec`."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.canary import API_KEY, assert_no_canary
from tests.end_to_end.running import COMMAND, KEY, Run, environment, run, start

MANIFEST = """\
version: 1
connections:
  sandbox-us:
    environment: sandbox
    region: us
    auth: {method: api_key, api_key: "env://ACME_KEY"}
  sandbox_us:
    environment: sandbox
    region: us
    auth: {method: api_key, api_key: "env://ACME_KEY"}
  3rd.party:
    environment: sandbox
    region: eu
    auth: {method: api_key, api_key: "env://ACME_KEY"}
  private:
    environment: private
    instance: acme
    tls: {ca_file: acme.pem}
    auth: {method: api_key, api_key: "env://ACME_KEY"}
  customer:
    environment: sandbox
    region: eu
    auth:
      method: oauth2
      client_id: acme-portal
      client_secret: env://PORTAL_SECRET
      redirect_uri: https://localhost/auth
  other:
    provider: http
    base_url: https://api.acme.example/v2
    check: {path: /me, expect: {body: {const: {}}}}
    auth: {method: bearer, token: "env://ACME_KEY"}
"""


SIGNALS = (
    *(signal.SIGTERM, signal.SIGINT, signal.SIGHUP),
    *(signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2),
)
ASKING = """\
import json, os, urllib.request
headers = {"Content-Type": "application/json"}
if "PREFIX_TOKEN" in os.environ:
    headers["Authorization"] = "Bearer " + os.environ["PREFIX_TOKEN"]
else:
    headers[os.environ["PREFIX_API_KEY_HEADER"]] = os.environ["PREFIX_API_KEY"]
assert os.environ["PREFIX_CA_FILE"] == os.environ["SSL_CERT_FILE"]
request = urllib.request.Request(os.environ["PREFIX_BASE_URL"] + "/packages/list", b'{"take": 1, "skip": 0}', headers)
with urllib.request.urlopen(request) as answer:
    print(answer.status, os.environ["PREFIX_BASE_URL"])
"""
"""What any program does with the variables of one connection: it knows nothing of simulators."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "connections.yaml").write_text(MANIFEST)
    return tmp_path


def execute(folder: Path, *argv: str, script: str) -> Run:
    return run("exec", *argv, "--", sys.executable, "-c", script, cwd=folder, env=KEY)


def test_a_token_is_printed_alone(folder: Path) -> None:
    ended = run("token", "other", "--output", "token", cwd=folder, env=KEY)
    assert (ended.code, ended.out, (folder / "token").read_text()) == (0, "", f"{API_KEY}\n")
    (folder / "token").unlink()


def test_a_token_that_connform_never_renews_is_not_renewed_by_force(folder: Path) -> None:
    ended = run("token", "other", "--force-renew", cwd=folder, env=KEY)
    assert (ended.code, "never renews" in ended.err) == (7, True), ended.err


@pytest.mark.parametrize("before", [None, 0o644, 0o600])
def test_a_file_with_a_token_is_its_users_alone(folder: Path, before: int | None) -> None:
    file = folder / "token"
    if before is not None:
        file.touch()
        file.chmod(before)
    assert run("token", "other", "--output", "token", cwd=folder, env=KEY).code == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.unlink()


def test_a_token_for_kubernetes_and_for_programs(folder: Path) -> None:
    for form, keys in (
        ("json", ["access_token", "token_type", "scope"]),
        ("exec-credential", ["apiVersion", "kind", "status"]),
    ):
        simulated = run("token", "other", "--simulate", "--format", form, cwd=folder)
        assert sorted(json.loads(simulated.out)) == sorted(keys)


def test_a_command_has_its_connections_in_its_environment_and_shows_no_secret(folder: Path) -> None:
    ended = execute(
        folder,
        *("sandbox-us", "other"),
        script="import os; print({k: len(v) for k, v in os.environ.items() if 'US_' in k or 'OTHER_' in k}); "
        "print(os.environ['OTHER_TOKEN']); print(os.environ['SANDBOX_US_BASE_URL'], os.environ['SANDBOX_US_API_KEY_HEADER'])",
    )
    assert ended.code == 0
    lengths, token, rest = ended.out.splitlines()
    assert token == "***"
    assert rest == "https://sandbox.syngrafii.com/api/v1 api_key"
    assert f"'SANDBOX_US_API_KEY': {len(API_KEY)}" in lengths
    assert_no_canary(ended.out, ended.err)


@pytest.mark.parametrize(
    ("script", "code"), [("exit(0)", 0), ("exit(42)", 42), ("import os; os.kill(os.getpid(), 9)", 137)]
)
def test_the_exit_code_is_the_commands(folder: Path, script: str, code: int) -> None:
    assert execute(folder, "sandbox-us", script=script).code == code


@pytest.mark.parametrize(("command", "code"), [("./missing", 127), ("./connections.yaml", 126)])
def test_what_can_not_be_run_is_said_as_shells_do(folder: Path, command: str, code: int) -> None:
    ended = run("exec", "sandbox-us", "--", command, cwd=folder, env=KEY)
    assert (ended.code, f"can't run {command}" in ended.err) == (code, True)


@pytest.mark.parametrize("argv", [["sandbox-us"], ["sandbox-us", "--"], ["--", "true"], []])
def test_names_and_a_command_are_needed(folder: Path, argv: list[str]) -> None:
    assert run("exec", *argv, cwd=folder, env=KEY).code == 64


def test_a_connection_that_fails_runs_nothing(folder: Path) -> None:
    ended = run("exec", "sandbox-us", "--", "touch", "ran", cwd=folder)
    assert (ended.code, (folder / "ran").exists()) == (5, False)


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_signals_reach_the_command(folder: Path, number: signal.Signals) -> None:
    script = (
        "import signal, sys, time\n"
        "def end(number, frame): print('caught', number, flush=True); sys.exit(7)\n"
        f"for number in {[int(each) for each in SIGNALS]}: signal.signal(number, end)\n"
        "print('ready', flush=True); time.sleep(30)"
    )
    with start("exec", "sandbox-us", "--", sys.executable, "-c", script, cwd=folder, env=KEY) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.1)
        process.send_signal(number)
        assert process.stdout.read() == f"caught {int(number)}\n"
    assert process.returncode == 7


@pytest.mark.parametrize(
    ("name", "prefix"), [("sandbox-us", "SANDBOX_US"), ("other", "OTHER"), ("customer", "CUSTOMER")]
)
def test_a_rehearsed_command_reaches_the_simulator_and_nobody_else(folder: Path, name: str, prefix: str) -> None:
    scratch = folder / "scratch"
    scratch.mkdir()
    argv = ["exec", name, "--simulate", "--", sys.executable, "-c", ASKING.replace("PREFIX", prefix)]
    ended = run(*argv, cwd=folder, env={"TMPDIR": str(scratch)})
    assert ended.code == 0, ended.err
    assert list(scratch.iterdir()) == []
    assert re.fullmatch(r"200 https://127\.0\.0\.1:\d+/(api/v1|v2)\n", ended.out)


def test_what_a_rehearsed_command_prints_is_masked_too(folder: Path) -> None:
    script = "import os; print(os.environ['CUSTOMER_TOKEN'], os.environ['SANDBOX_US_API_KEY'])"
    ended = execute(folder, "customer", "sandbox-us", "--simulate", script=script)
    assert (ended.code, ended.out) == (0, "*** ***\n")


def test_a_file_of_certificates_is_named_to_the_command(folder: Path) -> None:
    script = "import os; print(os.environ['PRIVATE_CA_FILE'], 'SSL_CERT_FILE' in os.environ)"
    assert execute(folder, "private", script=script).out == f"{folder}/acme.pem False\n"


def test_variables_have_names_that_every_shell_can_read(folder: Path) -> None:
    argv = ["exec", "3rd.party", "other", "other", "--", "sh", "-c", 'echo "$_3RD_PARTY_BASE_URL" "$OTHER_BASE_URL"']
    ended = run(*argv, cwd=folder, env=KEY)
    assert (ended.code, ended.out) == (0, "https://sandbox.syngrafii.eu/api/v1 https://api.acme.example/v2\n")


def test_variables_that_would_be_the_same_are_refused(folder: Path) -> None:
    ended = run("exec", "sandbox-us", "sandbox_us", "--", "touch", "ran", cwd=folder, env=KEY)
    assert (ended.code, (folder / "ran").exists()) == (64, False)
    assert "sandbox-us and of sandbox_us would both begin with SANDBOX_US_" in ended.err


def test_what_a_command_leaves_running_is_not_waited_for(folder: Path) -> None:
    script = (
        "import subprocess, sys\n"
        "print(subprocess.Popen(['sleep', '300']).pid)\n"
        "print('told', file=sys.stderr); sys.exit(3)"
    )
    ended = execute(folder, "sandbox-us", script=script)
    os.kill(int(ended.out), signal.SIGKILL)
    assert (ended.code, ended.err) == (3, "told\n")


def test_a_command_that_leaves_something_talking_ends(folder: Path) -> None:
    ended = execute(folder, "sandbox-us", script="import subprocess; subprocess.Popen(['yes'])")
    assert (ended.code, set(ended.out)) == (0, set("y\n"))  # `yes` dies of the pipe that nobody reads any more


def test_a_slow_reader_loses_nothing(folder: Path) -> None:
    script = f"{COMMAND} exec sandbox-us -- {sys.executable} -c \"print('x' * 190_000)\" | (sleep 2; cat)"
    ended = subprocess.run(
        ["sh", "-c", script], cwd=folder, env=environment(KEY), capture_output=True, timeout=60, check=True
    )
    assert ended.stdout == b"x" * 190_000 + b"\n"


@pytest.mark.parametrize(
    ("command", "reader", "stdout"),
    [
        ("yes", "head -1", b"y\n"),
        ("yes", "grep -m1 y", b"y\n"),
        ("yes >&2", "head -1", b"y\n"),
        (f"{sys.executable} -c \"print('x' * 10**8)\"", "head -c 10", b"x" * 10),
    ],
    ids=["head", "grep", "stderr", "long-line"],
)
@pytest.mark.parametrize("masking", ["", "--no-masking"], ids=["masked", "unmasked"])
def test_a_command_ends_when_nobody_reads_its_output(
    folder: Path, command: str, reader: str, stdout: bytes, masking: str
) -> None:
    """As in a pipe of the shell's own: the command is told by SIGPIPE or EPIPE."""
    script = f"{COMMAND} exec sandbox-us {masking} -- sh -c {shlex.quote(command)} 2>&1 | {reader}"
    ended = subprocess.run(
        ["bash", "-c", f"{script}; exit ${{PIPESTATUS[0]}}"],
        cwd=folder,
        env=environment(KEY),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert ended.stdout == stdout
    assert ended.returncode != 0


def test_a_command_learns_that_its_output_can_not_be_written(folder: Path) -> None:
    script = f"{COMMAND} exec sandbox-us -- yes > /dev/full"
    ended = subprocess.run(["sh", "-c", script], cwd=folder, env=environment(KEY), timeout=60, check=False)
    assert ended.returncode == 128 + signal.SIGPIPE


def test_without_masking_the_output_is_the_commands_own(folder: Path) -> None:
    ended = execute(
        folder, "sandbox-us", "--no-masking", script="import os; print(len(os.environ['SANDBOX_US_API_KEY']))"
    )
    assert ended.out == f"{len(API_KEY)}\n"
