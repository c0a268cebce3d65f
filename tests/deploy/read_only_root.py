"""A read-only root, and commands in it as a user who has no name and no HOME.

Works in the process that `python -m tests.deploy.inside` is: with mount and network namespaces of its own.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tests.end_to_end.running import AS_INSTALLED

REPOSITORY = Path(__file__).parents[2]
USER = "54321"
STATE = "/var/lib/connform"
"""The folder that may be written."""
INSTALLED_HERE = ("/etc/ssl", sys.prefix, sys.base_prefix, str(REPOSITORY / "src"), *AS_INSTALLED.values())
"""What a root needs besides the system's folders, to run the connform of this interpreter."""
_OF_THE_SYSTEM = ("/usr", "/bin", "/lib", "/lib64")
_OF_THE_KERNEL = ("/dev", "/proc")


class ReadOnlyRoot:
    """A folder as the root file system.

    Args:
        folder: where it is mounted; empty.
        image: the root of an image; this system's programs by default.
        holds: path in it → the folder that stands there, read-only.
    """

    def __init__(self, folder: Path, image: Path | None, holds: Mapping[str, Path]) -> None:
        self._folder = folder
        _mount("--make-rprivate", "/")
        if image is None:
            _mount("-t", "tmpfs", "-o", "mode=0755", "none", folder)
            self._take((*_OF_THE_SYSTEM, *INSTALLED_HERE))
        else:
            _mount("--bind", image, folder)
        self._take(_OF_THE_KERNEL)
        for path, source in holds.items():
            self._bind(path, source)
        _mount("-t", "tmpfs", "-o", f"mode=0700,uid={USER},gid={USER}", "none", self._made(STATE))
        _mount("-o", "remount,bind,ro", folder)

    def start(self, *command: str, env: Mapping[str, str]) -> subprocess.Popen[str]:
        """Start a command in it, in `/srv`."""
        enter = ("chroot", f"--userspec={USER}:{USER}", "--groups=", str(self._folder))
        argv = (*enter, "sh", "-c", 'cd /srv && exec "$@"', "sh", *command)
        return subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def run(self, *command: str, env: Mapping[str, str]) -> dict[str, Any]:
        """Run a command in it, in `/srv`, to its end."""
        with self.start(*command, env=env) as process:
            out, err = process.communicate(timeout=50)
        return {"code": process.returncode, "out": out, "err": err}

    def _take(self, paths: Iterable[str]) -> None:
        """Let paths of this system stand in it as well."""
        for path in map(Path, paths):
            if path.is_symlink():
                (self._folder / path.relative_to("/")).symlink_to(path.readlink())
            elif path.exists():
                self._bind(str(path), path)

    def _bind(self, path: str, source: Path) -> None:
        target = self._made(path)
        _mount("--bind", source, target)
        _mount("-o", "remount,bind,ro", target)

    def _made(self, path: str) -> Path:
        target = self._folder / path.lstrip("/")
        target.mkdir(parents=True, exist_ok=True)
        return target


def _mount(*arguments: str | Path) -> None:
    subprocess.run(["mount", *arguments], check=True)
