"""`connform login`: obtains a customer's grant. Layer 5. IO: standard input, standard error."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from connform.cli.flag_values import completion_of, require_positive
from connform.cli.flags import FILES, POLICIES, REPORT, SELECTION, common_flags, state_flags
from connform.cli.options import Options
from connform.cli.output import write_stderr
from connform.cli.reporting import emit
from connform.cli.usage import UsageProblem
from connform.cli.verb import Verb
from connform.engine.run.state_location import StateLocation

if TYPE_CHECKING:
    from connform.auth.oauth.device_answers import DevicePrompt
    from connform.secret import Secret

_DEFAULT_TIMEOUT_S = 300.0
_MAX_TOKEN_CHARACTERS = 64 * 1024


@click.command(
    cls=Verb,
    examples={
        "connform login": "list the OAuth connections, and which of them need a login",
        "connform login customer-globex": "log in with a browser, and paste the address on which it ends",
        "connform login customer-globex --listen": "log in with a browser on this machine",
        "connform login customer-globex --device": "log in with a code, on another device",
    },
    page="guides/oauth",
)
@click.argument("name", required=False, shell_complete=completion_of("connections"))
@click.option(
    "--listen", is_flag=True, help="Wait for the browser on the port of redirect_uri; for an https one with --cert."
)
@click.option("--cert", metavar="FILE", help="The certificate to listen with, PEM; browsers must trust it.")
@click.option("--key", metavar="FILE", help="Its private key, where that lies apart.")
@click.option(
    "--device",
    is_flag=True,
    help="Log in on another device, by a code (RFC 8628); the default of auth method device_code.",
)
@click.option("--with-refresh-token", is_flag=True, help="Take a refresh token from standard input; needs no person.")
@click.option("--no-browser", is_flag=True, help="Print the address, and open nothing.")
@click.option(
    "--timeout",
    "timeout_s",
    type=float,
    callback=require_positive,
    metavar="SECONDS",
    help="How long to wait for the person; by default 300, or as long as a device code is good.",
)
@state_flags
@common_flags(FILES, POLICIES, SELECTION, REPORT)
def command(
    options: Options,
    *,
    name: str | None,
    listen: bool,
    device: bool,
    cert: str | None,
    key: str | None,
    with_refresh_token: bool,
    no_browser: bool,
    timeout_s: float | None,
    state: StateLocation,
) -> int:
    """Obtain a customer's grant for an OAuth connection.

    Without NAME: list the OAuth connections and which of them need a login; asks nothing, and needs neither key nor network.
    """
    if name is None:
        from connform.engine.logins import logins

        report = logins(options.files, options.selection, options.policies, state=state)
        emit(report, options)
        return int(report.exit_code)
    if (cert and not listen) or (key and not cert) or (listen and with_refresh_token):
        message = "--key goes with --cert, --cert with --listen, and --listen excludes --with-refresh-token"
        raise UsageProblem(message)
    if device and (listen or with_refresh_token):
        raise UsageProblem("--device excludes --listen and --with-refresh-token")
    if options.no_input and not (listen or device or with_refresh_token):
        message = "--no-input: a login asks a person"
        hint = "--with-refresh-token takes a grant from elsewhere; --listen and --device ask nothing here"
        raise UsageProblem(message, hint)

    from connform.cli.browser_login import finish_by_paste, finish_by_redirect
    from connform.cli.login_result import print_result
    from connform.engine.device_login import DeviceLogin
    from connform.engine.login import login

    with login(options.files, name, state=state, policies=options.policies, by_device=device) as started:
        if with_refresh_token:
            granted = started.import_token(_read_refresh_token())
        elif isinstance(started, DeviceLogin):
            if listen:
                raise UsageProblem("--listen: a login by device code has no redirect to listen for")
            _show_prompt(started.start())
            granted = started.finish(timeout_s)
        elif listen:
            granted = finish_by_redirect(started, cert, key, timeout_s or _DEFAULT_TIMEOUT_S, no_browser=no_browser)
        else:
            granted = finish_by_paste(started, timeout_s or _DEFAULT_TIMEOUT_S, no_browser=no_browser)
    print_result(granted, options)
    return 0


def _show_prompt(prompt: DevicePrompt) -> None:
    """Show the address and the code of a login by device code; no browser is opened here, where nobody may sit."""
    from connform.reporters.terminal import clean

    write_stderr(
        f"open this address on any device, and log in as the customer:\n\n  {clean(prompt.address)}\n\n"
        f"enter this code there:\n\n  {clean(prompt.user_code)}\n\n"
    )
    if prompt.complete_address:
        write_stderr(f"or open this address, which holds the code:\n\n  {clean(prompt.complete_address)}\n\n")
    write_stderr("Waiting for what is decided there; Ctrl-C ends the login.\n")


def _read_refresh_token() -> Secret:
    from connform.secret import Secret

    if sys.stdin is not None and sys.stdin.isatty():
        raise UsageProblem(
            "--with-refresh-token reads standard input: a token typed at a terminal would stay on its screen",
            "pipe it: `vault kv get -field=refresh_token … | connform login NAME --with-refresh-token`",
        )
    token = sys.stdin.read(_MAX_TOKEN_CHARACTERS).strip() if sys.stdin is not None else ""
    if not token:
        raise UsageProblem("--with-refresh-token: standard input holds no refresh token")
    return Secret(token)
