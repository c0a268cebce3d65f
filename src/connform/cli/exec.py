"""`connform exec`: runs a command with connections in its environment. Layer 5. IO: the command's process."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Sequence
from threading import Thread
from time import monotonic
from typing import IO, TYPE_CHECKING

import click

from connform.cli.flag_values import completion_of
from connform.cli.flags import FILES, POLICIES, common_flags, network_flags
from connform.cli.masking import Mask
from connform.cli.options import Options
from connform.cli.output import write_stderr
from connform.cli.usage import UsageProblem
from connform.cli.verb import Verb
from connform.engine.run.state_location import StateLocation
from connform.secret import Secret
from connform.tracebacks import hidden_frames

if TYPE_CHECKING:
    from connform.engine.export import ReadyCredential

_NOT_EXECUTABLE, _NOT_FOUND, _SIGNAL_BASE = 126, 127, 128
"""Exit codes of shells (POSIX.1-2024, XCU 2.8.2)."""
_FORWARDED_SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
_TERMINAL_SIGNALS = (signal.SIGINT, signal.SIGQUIT)
"""Not passed on where a terminal's keys reach the command: the terminal sends them to it as well."""
_READ_BYTES = 64 * 1024
_LINGER_S = 0.5
"""How long outputs are read after the command has ended: processes that it left running may hold them open for ever."""
_ARGV = "connform.argv"


class _Exec(Verb):
    """A click command that sets aside the arguments after `--`: the command to run."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments before `--`."""
        separator = args.index("--") if "--" in args else len(args)
        ctx.meta[_ARGV] = args[separator + 1 :]
        return super().parse_args(ctx, args[:separator])


@click.command(
    cls=_Exec,
    examples={
        "connform exec sandbox-us -- ./import.sh": "the script reads SANDBOX_US_BASE_URL and SANDBOX_US_API_KEY",
        "connform exec sandbox-us --simulate -- ./import.sh": "the same against the simulator, without secrets",
        "connform exec sandbox-us customer-globex -- make test": "with several connections",
    },
    page="guides/oauth",
)
@click.argument(
    "names", nargs=-1, required=True, shell_complete=completion_of("connections"), metavar="NAME... -- COMMAND"
)
@click.option("--no-masking", is_flag=True, help="Leave the command's output alone, and its terminal to it.")
@network_flags
@common_flags(FILES, POLICIES)
def command(
    options: Options,
    *,
    names: tuple[str, ...],
    no_masking: bool,
    simulate: bool,
    timeout_s: float | None,
    state: StateLocation,
) -> int:
    """Run a command with connections in its environment.

    For a connection `sandbox-us`: SANDBOX_US_BASE_URL, and SANDBOX_US_API_KEY with SANDBOX_US_API_KEY_HEADER (or with
    SANDBOX_US_API_KEY_PARAMETER, where it belongs into the query, percent-encoded), or SANDBOX_US_TOKEN,
    or SANDBOX_US_AUTHORIZATION, the whole value of the header of another scheme, such as Basic;
    or the base URL alone, where nothing is sent;
    SANDBOX_US_CA_FILE where its certificates are not the system's. With --simulate, the simulator runs as long as the command.
    What it prints is masked; its exit code is passed on, and signals to it.
    """
    argv = click.get_current_context().meta[_ARGV]
    if not argv:
        message = "exec takes the names of connections, then `--`, then a command"
        raise UsageProblem(message, "connform exec sandbox-us -- ./script.sh")
    prefixes = _prefixes(names)

    from connform.engine.export import export_credentials

    with (
        export_credentials(
            options.files,
            list(prefixes),
            simulate=simulate,
            timeout_s=timeout_s,
            state=state,
            policies=options.policies,
        ) as exported,
        hidden_frames(),
    ):
        environment = dict(os.environ)
        for credential in exported.credentials:
            environment |= _variables(prefixes[credential.connection], credential)
            if simulate:
                environment["SSL_CERT_FILE"] = credential.ca_file
        return _run(argv, environment, () if no_masking else exported.secrets)


def _prefixes(names: Sequence[str]) -> dict[str, str]:
    """Return the prefix of each connection's variables: a name that every shell accepts (POSIX.1-2024, XBD 3.216)."""
    owners: dict[str, str] = {}
    for name in names:
        prefix = re.sub("[^A-Z0-9_]", "_", name.upper())
        if prefix[:1].isdigit():
            prefix = f"_{prefix}"
        owner = owners.setdefault(prefix, name)
        if owner != name:
            message = f"the variables of {owner} and of {name} would both begin with {prefix}_"
            raise UsageProblem(message, "rename one of them, or run the command with one at a time")
    return {name: prefix for prefix, name in owners.items()}


def _variables(prefix: str, credential: ReadyCredential) -> dict[str, str]:
    variables = {f"{prefix}_BASE_URL": credential.base_url}
    if credential.ca_file:
        variables[f"{prefix}_CA_FILE"] = credential.ca_file
    if not credential.carrier:
        return variables
    if credential.is_token:
        return variables | {f"{prefix}_TOKEN": credential.value.reveal()}
    if credential.scheme and credential.carrier.lower() == "authorization":
        return variables | {f"{prefix}_AUTHORIZATION": credential.header_value.reveal()}
    return variables | {
        f"{prefix}_API_KEY": credential.header_value.reveal(),
        f"{prefix}_API_KEY_{'PARAMETER' if credential.in_query else 'HEADER'}": credential.carrier,
    }


def _run(argv: Sequence[str], environment: dict[str, str], secrets: Sequence[Secret]) -> int:
    output = subprocess.PIPE if secrets else None
    signals = _Signals()
    try:
        process = subprocess.Popen(argv, env=environment, stdout=output, stderr=output)  # noqa: S603  (what the user asked for)
    except OSError as error:
        from connform.reporters.terminal import clean

        write_stderr(f"error: can't run {clean(argv[0])}: {error.strerror}\n")
        return _NOT_FOUND if isinstance(error, FileNotFoundError) else _NOT_EXECUTABLE
    copiers = [
        Thread(target=_copy_masked, args=(source, target.fileno(), Mask(secrets), process))
        for source, target in ((process.stdout, sys.stdout), (process.stderr, sys.stderr))
        if source
    ]
    for copier in copiers:
        copier.start()
    code = signals.forward_until_exit(process)
    for copier in copiers:
        copier.join()
    return code if code >= 0 else _SIGNAL_BASE - code


class _Signals:
    """The signals that arrive from now on, to be passed on to the command.

    Each signal writes a byte into a pipe, and the wait reads that pipe. With a blocking waitpid(2), a signal that
    arrives just before the call would be handled only after it: never, where the command waits for the signal.
    """

    def __init__(self) -> None:
        self._pending: deque[int] = deque()
        self._wake_reader, wake_writer = os.pipe()
        os.set_blocking(wake_writer, False)
        signal.set_wakeup_fd(wake_writer, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, _do_nothing)
        for number in _FORWARDED_SIGNALS:
            signal.signal(number, self._enqueue)
        for number in _TERMINAL_SIGNALS:  # the command would inherit SIG_IGN
            signal.signal(number, _do_nothing if _has_terminal() else self._enqueue)

    def _enqueue(self, number: int, _frame: object) -> None:
        self._pending.append(number)

    def forward_until_exit(self, process: subprocess.Popen[bytes]) -> int:
        """Wait for the command, and return its exit code as `Popen` has it."""
        while process.poll() is None:
            while self._pending:
                process.send_signal(self._pending.popleft())
            os.read(self._wake_reader, _READ_BYTES)
        return process.returncode


def _do_nothing(_number: int, _frame: object) -> None:
    """Handle a signal without effect: it only wakes the wait."""


def _has_terminal() -> bool:
    """Return whether a terminal's keys reach this process and the command alike."""
    try:
        return sys.stdin is not None and os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except (OSError, ValueError):
        return False


def _copy_masked(source: IO[bytes], target: int, mask: Mask, process: subprocess.Popen[bytes]) -> None:
    """Copy output to its target as soon as it arrives; where the target takes no more, the command's next write fails too."""
    left_s, chunk = _LINGER_S, None
    with source:
        while left_s > 0 and chunk != b"":
            has_ended, since = process.returncode is not None, monotonic()
            is_ready, _, _ = select.select([source], [], [], _LINGER_S)
            chunk = os.read(source.fileno(), _READ_BYTES) if is_ready else None
            masked = mask.feed(chunk or b"")
            if has_ended:  # the time that the target takes does not count
                left_s -= monotonic() - since
            if not _write(masked, target):
                return
        _write(mask.end(), target)


def _write(text: bytes, target: int) -> bool:
    """Write all of it to a descriptor, and return whether that still takes output."""
    while text:
        try:
            text = text[os.write(target, text) :]
        except BlockingIOError:  # who shares the descriptor may have set O_NONBLOCK
            select.select([], [target], [])
        except OSError:
            return False
    return True
