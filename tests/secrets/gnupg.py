"""GnuPG homes for the tests of backends that run gpg: one key without a passphrase, one with."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import AF_UNIX, socket
from time import monotonic, sleep

from tests.conftest import require_peer

OPEN = "open@acme.example"
CLOSED = "closed@acme.example"
PASSPHRASE = "nobody tells"
ASKED = "asked"
"""The file in the home of gpg that is there once a person would have been asked."""


@contextmanager
def keys(home: Path) -> Iterator[Path]:
    """Yield a home of gpg with both keys; its agent, which holds no passphrase, ends with it."""
    home.chmod(0o700)
    pinentry = home / "pinentry"
    pinentry.write_text(f"#!/bin/sh\n: >{home / ASKED}\n")
    pinentry.chmod(0o700)
    (home / "gpg-agent.conf").write_text(f"pinentry-program {pinentry}\n")
    quiet = ("--pinentry-mode", "loopback")
    for user, passphrase in ((OPEN, ""), (CLOSED, PASSPHRASE)):
        gpg(home, *quiet, "--passphrase", passphrase, "--quick-generate-key", user, "future-default", "default", "0")
    forget(home)
    try:
        yield home
    finally:
        forget(home)


def gpg(home: Path, *arguments: str | Path, given: bytes = b"") -> bytes:
    """Return what gpg prints."""
    command = [require_peer("gpg"), "--homedir", home, "--batch", "--quiet", "--yes", *arguments]
    return subprocess.run(command, input=given, capture_output=True, check=True).stdout


def forget(home: Path) -> None:
    """End the agent, which remembers passphrases, and wait until its socket is gone."""
    subprocess.run([require_peer("gpgconf"), "--homedir", home, "--kill", "gpg-agent"], check=True)
    deadline = monotonic() + 30
    while _socket(home).exists():
        assert monotonic() < deadline, "the agent did not end"
        sleep(0.01)


@contextmanager
def silent_agent(home: Path) -> Iterator[None]:
    """Take the agent's place: gpg can connect, and gets no answer."""
    forget(home)
    with socket(AF_UNIX) as listener:
        listener.bind(str(_socket(home)))
        listener.listen()
        try:
            yield
        finally:
            _socket(home).unlink()


def _socket(home: Path) -> Path:
    command = [require_peer("gpgconf"), "--homedir", str(home), "--list-dirs", "agent-socket"]
    return Path(subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip())


def fingerprint(home: Path, user: str) -> str:
    listed = gpg(home, "--with-colons", "--fingerprint", user).decode()
    return next(line.split(":")[9] for line in listed.splitlines() if line.startswith("fpr:"))
