"""`connform login`: obtains a customer's grant. Layer 5. IO: questions, a browser, a loopback listener."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

import click

from connform.cli.flag_values import completion_of, require_positive
from connform.cli.flags import common_flags, state_flags
from connform.cli.options import Options
from connform.cli.output import emit, write_stderr, write_stdout
from connform.cli.usage import UsageProblem
from connform.engine.run.state_location import StateLocation
from connform.tracebacks import hidden_frames

if TYPE_CHECKING:
    from connform.auth.oauth.device_answers import DevicePrompt
    from connform.engine.login import Login
    from connform.engine.new_grant import LoginResult
    from connform.secret import Secret

_DEFAULT_TIMEOUT_S = 300.0
_MAX_TOKEN_CHARACTERS = 64 * 1024
_PROMPT = "the browser ends on an address that may show an error page; paste that address here: "


@click.command()
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
@common_flags
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
            granted = _finish_by_redirect(started, cert, key, timeout_s or _DEFAULT_TIMEOUT_S, no_browser=no_browser)
        else:
            _show_address(started, no_browser=no_browser)
            granted = _finish_by_paste(started, timeout_s or _DEFAULT_TIMEOUT_S)
    _print_result(name, granted, options)
    return 0


def _finish_by_redirect(
    started: Login, cert: str | None, key: str | None, timeout_s: float, *, no_browser: bool
) -> LoginResult:
    """Listen for the redirect that ends the login."""
    from connform.auth.oauth.listener import listen_for_redirect

    certificate = _certificate(started.redirect_uri, cert)
    with listen_for_redirect(started.redirect_uri, started.is_answer, certificate, Path(key) if key else None) as wait:
        _show_address(started, no_browser=no_browser)
        address = wait(timeout_s)
    return started.finish(address)


def _show_prompt(prompt: DevicePrompt) -> None:
    """Show the address and the code of a login by device code; no browser is opened here, where nobody may sit."""
    from connform.reporters.terminal import clean

    write_stderr(
        f"open this address on any device, and log in as the customer:\n\n  {clean(prompt.address)}\n\n"
        f"enter this code there:\n\n  {clean(prompt.user_code)}\n\n"
    )
    if prompt.complete_address:
        write_stderr(f"or open this address, which holds the code:\n\n  {clean(prompt.complete_address)}\n\n")


def _certificate(redirect_uri: str, cert: str | None) -> Path | None:
    """Return the certificate to listen with; `None` for an http address, which takes none."""
    is_https = redirect_uri.lower().startswith("https:")
    if is_https and not cert:
        raise UsageProblem(
            "--listen needs --cert (and --key, where that lies apart): redirect_uri is an https address",
            "or log in without --listen, and paste the address on which the browser ends",
        )
    if cert and not is_https:
        raise UsageProblem("--cert: redirect_uri is an http address, which is listened to in clear")
    return Path(cert) if cert else None


def _show_address(started: Login, *, no_browser: bool) -> None:
    from connform.reporters.terminal import clean

    write_stderr(f"open this address, and log in as the customer:\n\n  {clean(started.url)}\n\n")
    if not no_browser and _has_browser():
        import webbrowser

        webbrowser.open(started.url)


def _has_browser() -> bool:
    """Return whether a browser would open on the person's screen: not over SSH, in a job, or without a screen."""
    is_remote = bool(os.environ.get("SSH_CONNECTION")) or not sys.stderr.isatty()
    has_screen = sys.platform in {"darwin", "win32"} or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    return not is_remote and bool(has_screen)


def _finish_by_paste(started: Login, timeout_s: float) -> LoginResult:
    """Ask for the address on which the browser ended. At a terminal, ask again where another one was pasted."""
    from connform.cli.paste import read_pasted
    from connform.errors import ConnectionFailed
    from connform.secret import Secret

    ends_at = monotonic() + timeout_s
    while True:
        try:
            with hidden_frames():  # the address holds the authorization code
                address = Secret(read_pasted(_PROMPT, ends_at))
        except TimeoutError:
            write_stderr("\n")
            raise ConnectionFailed("login_timeout", f"nobody pasted an address within {timeout_s:g} s") from None
        try:
            return started.finish(address)
        except ConnectionFailed as failure:
            if started.is_answered or not (sys.stdin and sys.stdin.isatty()):
                raise
            write_stderr(f"{failure.message}\n")


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


def _print_result(name: str, granted: LoginResult, options: Options) -> None:
    from connform.reporters.terminal import clean

    facts = granted.facts
    if granted.missing_scopes:
        write_stderr(f"warning: the customer did not grant {clean(' '.join(granted.missing_scopes))}\n")
    if granted.has_replaced:
        write_stderr(
            "warning: the grant that it replaces was not revoked, which may end both: it lives on at its server; "
            "the vendor's own pages end it\n"
        )
    if not facts.is_renewable:
        write_stderr("warning: there is no refresh token: the login must be repeated when the token ends\n")
    if not options.quiet:
        until = f", its access token until {facts.expires_at:%FT%TZ}" if facts.expires_at else ""
        write_stdout(f"{name} is granted {clean(' '.join(facts.scopes)) or 'access'}{until}\n")
