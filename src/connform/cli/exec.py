"""`connform exec`: runs a command with connections in its environment. Layer 5. IO: the command's process."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial

import click

from connform.cli.exec_process import run_command
from connform.cli.exec_variables import HandedOver, exported, prefixes_of, variables_of
from connform.cli.flag_values import completion_of
from connform.cli.flags import FILES, POLICIES, common_flags, network_flags
from connform.cli.options import Options
from connform.cli.proxy_flags import ACCESS_LOG, ALLOW
from connform.cli.usage import UsageProblem
from connform.cli.verb import Verb
from connform.engine.run.state_location import StateLocation
from connform.tracebacks import hidden_frames

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
        "connform exec --proxy sandbox-us -- node app.js": "without the secret: connform adds it to each request",
    },
    page="guides/oauth",
)
@click.argument(
    "names", nargs=-1, required=True, shell_complete=completion_of("connections"), metavar="NAME... -- COMMAND"
)
@click.option("--proxy", "proxied", is_flag=True, help="Hand over no secret: `connform help proxy`.")
@ALLOW
@ACCESS_LOG
@click.option("--no-masking", is_flag=True, help="Leave the command's output alone, and its terminal to it.")
@network_flags
@common_flags(FILES, POLICIES)
def command(
    options: Options,
    *,
    names: tuple[str, ...],
    proxied: bool,
    allow: tuple[str, ...],
    log_file: str | None,
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
    With --proxy, the base URL leads to connform, which adds the credential to each request; the variables of the credential hold
    `connform-proxy`, and those that hold its secrets are removed.
    """
    argv = click.get_current_context().meta[_ARGV]
    if not argv:
        message = "exec takes the names of connections, then `--`, then a command"
        raise UsageProblem(message, "connform exec sandbox-us -- ./script.sh")
    if not proxied and (allow or log_file):
        raise UsageProblem(
            "--allow and --access-log go with --proxy: without it, the command gets the credential itself"
        )
    prefixes = prefixes_of(names)
    if proxied:
        from connform.cli.exec_proxy import proxied_by

        hands_over: Callable[..., AbstractContextManager[HandedOver]] = partial(
            proxied_by, allow=allow, log_file=log_file
        )
    else:
        hands_over = exported
    with (
        hands_over(options, list(prefixes), simulate=simulate, timeout_s=timeout_s, state=state) as handed,
        hidden_frames(),
    ):
        environment = dict(handed.environment)
        for credential in handed.credentials:
            environment |= variables_of(prefixes[credential.connection], credential)
        return run_command(argv, environment, () if no_masking else handed.secrets)
