"""A root of Debian with its Python, and wheels for it: what the image and the units are tried in. Asks Debian's and Python's package registries."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
CONSTRAINTS = REPOSITORY / "constraints.txt"


def run(*command: str | Path) -> None:
    """Run a command; it must succeed."""
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def printed(*command: str | Path) -> str:
    """Run a command, which must succeed, and return what it printed."""
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def make_root(target: Path, *packages: str) -> None:
    """Make a root of the same Debian as this system, with Python: a folder, or a file `….tar`."""
    suite = re.findall(r"VERSION_CODENAME=(.+)", Path("/etc/os-release").read_text("utf-8"))[0]
    included = ",".join(["python3", "python3-venv", "ca-certificates", *packages])
    run("mmdebstrap", "--quiet", "--variant=minbase", f"--include={included}", suite, target)


def download_wheels(folder: Path, extras: str) -> Path:
    """Download what the project needs with some extras, and what builds it, as wheels for Debian's Python; return their folder."""
    run("/usr/bin/python3", "-m", "venv", folder / "venv")
    pip = (folder / "venv/bin/python", "-m", "pip", "--quiet", "--disable-pip-version-check")
    run(*pip, "install", "--constraint", CONSTRAINTS, "pip")
    wanted = (f"{REPOSITORY}[{extras}]", "hatchling", "pip")
    run(*pip, "download", "--dest", folder / "wheels", "--constraint", CONSTRAINTS, *wanted)
    return folder / "wheels"
