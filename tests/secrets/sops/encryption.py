"""Functions that encrypt files with the real sops, for the tests of its backend."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import NamedTuple

from tests.conftest import require_peer


class Keys(NamedTuple):
    """Two age keys: what is encrypted to one, the other doesn't open."""

    mine: Path
    my_recipient: str
    other: Path
    other_recipient: str


def encrypt(target: Path, content: bytes, *to: str) -> None:
    """Encrypt a file as its name says, in one step."""
    plain = target.with_name(f".plain-{target.name}")
    plain.write_bytes(content)
    done = subprocess.run([require_peer("sops"), "encrypt", *to, plain], capture_output=True, check=True)
    plain.unlink()
    draft = target.with_name(f".draft-{target.name}")
    draft.write_bytes(done.stdout)
    draft.replace(target)
