"""What the program `op` complains of, by words of its standard error; `docs/reference/secret-answers.md` has the sources.

Layer 2, no IO.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from connform.errors import RateLimited, SecretUnresolved


class Complaint(NamedTuple):
    """A failure of `op`."""

    words: tuple[bytes, ...]
    """Its words, in lower case; one of them is enough."""
    fault: str
    message: str
    hint: str = ""


_UNAVAILABLE = "secret_backend_unavailable"
_SIGN_IN = "set OP_SERVICE_ACCOUNT_TOKEN, or sign in: `op signin`"

_LIMIT = Complaint(
    (b"(429)", b"too many requests", b"rate-limited", b"rate limit"),
    _UNAVAILABLE,
    "1Password allows this login no more reads for now",
    "`op service-account ratelimit` says until when",
)
_COMPLAINTS = (
    Complaint(
        (b"more than one item matches",), "secret_malformed", "op finds several items of that name", "write the id of the item instead"
    ),
    Complaint(
        (b"more than one vault matches",), "secret_malformed", "op finds several vaults of that name", "write the id of the vault instead"
    ),
    Complaint(
        (b"isn't an item", b"isn't a vault", b"no item found", b"no vault found", b"could not find", b"(404)"),
        "secret_not_found",
        "1Password has no such item, or this login may not see it",
    ),
    _LIMIT,
    Complaint(
        (b"decodesacredentials", b"deserializeserviceaccountauthtoken"),
        "secret_denied",
        "OP_SERVICE_ACCOUNT_TOKEN is not the token of a service account",
        "set the whole token, from `ops_` on, without quotes and line breaks",
    ),
    Complaint(
        (b"service account deleted", b"has been deleted"),
        "secret_denied",
        "the service account of OP_SERVICE_ACCOUNT_TOKEN has been deleted",
        "create another one, and set its token",
    ),
    Complaint(
        (b"connecting to desktop app", b"couldn't connect to the 1password desktop app"),
        _UNAVAILABLE,
        "op can't reach the desktop app of 1Password",
        f"start and unlock it, and turn on its integration with the command line; or {_SIGN_IN}",
    ),
    Complaint(
        (b"authorization prompt dismissed", b"authorization timeout"),
        "secret_denied",
        "nobody allowed op to use the desktop app of 1Password",
        "unlock it before the run, or set OP_SERVICE_ACCOUNT_TOKEN",
    ),
    Complaint(
        (b"not currently signed in", b"account is not signed in", b"no account found", b"no accounts configured", b"session expired", b"unauthorized", b"(401)"),
        "secret_denied",
        "op has no login that works",
        _SIGN_IN,
    ),
    Complaint((b"(403)", b"forbidden", b"(101)"), "secret_denied", "1Password refuses this login the item"),
    Complaint(
        (b"unknown flag", b"unknown command"),
        _UNAVAILABLE,
        "this op is too old",
        "install version 2.30 or newer: https://developer.1password.com/docs/cli",
    ),
)  # fmt: skip
"""The first that fits is taken."""


def failure_of(stderr: bytes, otherwise: str) -> SecretUnresolved:
    """Return the failure that `op` complained of; a message of your own for an unknown one.

    Names of vaults and items stand in quotes there: they are not searched.
    """
    text = re.sub(rb'"[^"\n]*"', b"", stderr).lower()
    for complaint in _COMPLAINTS:
        if any(words in text for words in complaint.words):
            if complaint is _LIMIT:
                minutes = re.search(rb"retry in ([0-9]{1,4}) minute", text)
                wait_s = int(minutes[1]) * 60.0 if minutes else None
                return RateLimited(complaint.message, complaint.hint, retry_after_s=wait_s)
            ids = sorted({one.decode() for one in re.findall(rb"(?<![a-z0-9])[a-z0-9]{26}(?![a-z0-9])", text)})
            are_listed = complaint.fault == "secret_malformed" and ids
            hint = f"{complaint.hint}, one of {', '.join(ids)}" if are_listed else complaint.hint
            return SecretUnresolved(complaint.fault, complaint.message, hint)
    return SecretUnresolved(_UNAVAILABLE, otherwise)
