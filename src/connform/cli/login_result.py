"""The result of a login as text: what was granted until when, and where it is stored. Layer 5. IO: standard output, standard error."""

from __future__ import annotations

from datetime import UTC, datetime

from connform.cli.options import Options
from connform.cli.output import write_stderr, write_stdout
from connform.engine.new_grant import LoginResult
from connform.reporters.table import aligned_rows
from connform.reporters.terminal import clean
from connform.reporters.time_ago import time_left


def print_result(granted: LoginResult, options: Options) -> None:
    """Write what was granted to standard output, unless `-q` is given, and warnings to standard error."""
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
    if options.quiet:
        return
    rows = [(f"  {label}", clean(text)) for label, text in _rows(granted, datetime.now(UTC)) if text]
    head = f"{facts.connection} is granted {clean(' '.join(facts.scopes)) or 'access'}"
    lines = [head, *aligned_rows(rows), f"next: connform check {facts.connection}"]
    write_stdout("".join(f"{line}\n" for line in lines))


def _rows(granted: LoginResult, now: datetime) -> list[tuple[str, str]]:
    facts = granted.facts
    return [
        ("not granted", " ".join(granted.missing_scopes)),
        ("granted by", facts.account),
        ("access token", _until(facts.expires_at, now) + (", then renewed" if facts.is_renewable else "")),
        ("refresh token", _until(facts.refresh_ends_at, now) if facts.is_renewable else "none"),
        ("stored in", granted.place),
    ]


def _until(ends_at: datetime | None, now: datetime) -> str:
    if ends_at is None:
        return "no known end"
    left = time_left(ends_at.isoformat(), now)
    return f"{left}, until {ends_at:%F %R} UTC"
