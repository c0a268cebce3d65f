"""Output files: resolves the path that a command line names, and writes it. Layer 5. IO: files, pipes, terminals, descriptors, folders."""

from __future__ import annotations

import os
import stat
import sys
from contextlib import suppress
from pathlib import Path

from connform.manifest.input_files import is_open_descriptor
from connform.manifest.links import Links
from connform.manifest.replace import write_whole
from connform.regular_files import NotRegularError


def output_path(file: str) -> Path:
    """Return the path of an output file, with links followed.

    A link may lead anywhere in its repository; outside of any repository, anywhere in its folder. Otherwise the author of
    a checkout could choose which file is overwritten.

    Raises:
        OSError: a link leads out of there, or in a circle.
    """
    path = Links().follow(file)
    if not is_open_descriptor(path):
        links = Links()
        links.folders = [links.follow(str(Path(file).parent))]
        path = links.follow(file)
    return Path(path)


def write_named(file: str, content: bytes | memoryview, *, is_secret: bool = False) -> None:
    """Write a file as a whole or not at all; a pipe, a terminal and a descriptor (`/dev/stdout`) are written to directly.

    Raises:
        OSError: it can't be written.
    """
    path = output_path(file)
    if is_open_descriptor(str(path)):
        sys.stdout.flush()
        with suppress(BrokenPipeError):  # the reader may have ended, as with standard output
            _write_all(int(path.name), content)
        return
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        mode = stat.S_IFREG
    if stat.S_ISFIFO(mode) or stat.S_ISCHR(mode):
        descriptor = os.open(path, os.O_WRONLY | os.O_NOCTTY)
        try:
            _write_all(descriptor, content)
        finally:
            os.close(descriptor)
    elif stat.S_ISREG(mode):
        write_whole(path, content, is_private=is_secret)
    else:
        raise NotRegularError(mode)


def make_folder(folder: str) -> None:
    """Make a folder for output files, and those above it.

    Raises:
        OSError: it can't be made, or a link in its path leads out of its repository.
    """
    Path(Links().follow(folder)).mkdir(parents=True, exist_ok=True)


def _write_all(descriptor: int, content: bytes | memoryview) -> None:
    while content:
        content = content[os.write(descriptor, content) :]
