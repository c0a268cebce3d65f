"""The person's part of a login in a browser: an address to open, and the answer that comes back. Layer 5. IO: questions, a browser, a loopback listener."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

import click

from connform.cli.output import write_stderr
from connform.cli.usage import UsageProblem
from connform.errors import ConnectionFailed
from connform.secret import Secret
from connform.tracebacks import hidden_frames

if TYPE_CHECKING:
    from connform.engine.login import Login
    from connform.engine.new_grant import LoginResult

_WHERE_IT_ENDS = "The browser ends on an address that may show an error page.\n"
_PROMPT = "paste that address here: "
_PASTE_WHAT = {
    "login_bad_callback": "paste the whole address of the page on which the browser ended, from https:// on",
    "login_state_mismatch": "paste the address to which this login led",
}
"""Fault → what to do about it while the login goes on."""


def finish_by_redirect(
    started: Login, cert: str | None, key: str | None, timeout_s: float, *, no_browser: bool
) -> LoginResult:
    """Listen for the redirect that ends the login.

    Raises:
        UsageProblem: `cert` is missing, or not needed.
        ConnectionFailed: as for `listen_for_redirect` and `Login.finish`.
    """
    from connform.auth.oauth.listener import listen_for_redirect

    certificate = _certificate(started.redirect_uri, cert)
    with listen_for_redirect(started.redirect_uri, started.is_answer, certificate, Path(key) if key else None) as wait:
        _show_address(started, no_browser=no_browser)
        write_stderr(f"Waiting for the browser, up to {timeout_s:g} s; Ctrl-C ends the login.\n")
        with _nothing_is_stored():
            address = wait(timeout_s)
    return started.finish(address)


def finish_by_paste(started: Login, timeout_s: float, *, no_browser: bool) -> LoginResult:
    """Ask for the address on which the browser ended. A person at a terminal is asked again after a wrong paste.

    At once end: an answer from another server, an error that the server answers, and the `state` of another login twice. A code that
    the server refuses is spent: another login begins, once.

    Raises:
        ConnectionFailed: `login_timeout`; as for `Login.address_in` and `Login.finish`.
        UsageProblem: standard input holds no line.
        click.Abort: a person ended the input.
    """
    from connform.engine.login import CodeRefused

    ends_at = monotonic() + timeout_s
    is_terminal = bool(sys.stdin and sys.stdin.isatty())
    failed: list[str] = []
    _show_address(started, no_browser=no_browser)
    write_stderr(_WHERE_IT_ENDS)
    while True:
        pasted = _ask(ends_at, timeout_s)
        try:
            return started.finish(started.address_in(pasted))
        except CodeRefused as refused:
            if not is_terminal or CodeRefused.__name__ in failed:
                raise
            failed.append(CodeRefused.__name__)
            write_stderr(f"{refused.message}\nlog in once more, with another address\n\n")
            started.start_again()
            _show_address(started, no_browser=no_browser)
        except ConnectionFailed as failure:
            fault = failure.fault.name
            is_repeated = fault == "login_state_mismatch" and fault in failed
            if not is_terminal or started.is_answered or is_repeated:
                raise
            failed.append(fault)
            write_stderr(f"{failure.message}\n{_PASTE_WHAT[fault]}\n\n")


def _ask(ends_at: float, timeout_s: float) -> Secret:
    from connform.cli.paste import read_pasted

    try:
        with hidden_frames(), _nothing_is_stored():  # the address holds the authorization code
            return Secret(read_pasted(_PROMPT, ends_at))
    except TimeoutError:
        write_stderr("\n")
        raise ConnectionFailed("login_timeout", f"nobody pasted an address within {timeout_s:g} s") from None


@contextmanager
def _nothing_is_stored() -> Iterator[None]:
    """Say so if a person ends the login (Ctrl-C, Ctrl-D)."""
    try:
        yield
    except (KeyboardInterrupt, click.Abort):
        write_stderr("\nthe login was ended; no grant was stored\n")
        raise


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
    if no_browser:
        return
    if _open(started.url):
        write_stderr("A browser was asked to open it.\n")
    elif started.has_device_code and sys.stderr.isatty():
        write_stderr("No browser can be opened here; with --device, the login is done on another device.\n")


def _open(url: str) -> bool:
    """Open an address in a browser, and return whether one was started."""
    if not _has_browser():
        return False
    import webbrowser

    return webbrowser.open(url)


def _has_browser() -> bool:
    """Return whether a browser would open on the person's screen: not in a job, without a screen or over SSH, unless BROWSER names one."""
    if not sys.stderr.isatty():
        return False
    has_screen = sys.platform in {"darwin", "win32"} or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    return bool(os.environ.get("BROWSER") or (has_screen and not os.environ.get("SSH_CONNECTION")))
