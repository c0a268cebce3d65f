"""Turns bytes into the file that a command line names. Layer 5; writes files, pipes, terminals, descriptors; makes folders."""

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


def place_of(file: str) -> Path:
    """Return where an output file lies, or shall lie.

    A link is followed as far as its repository, outside of any as far as its folder: beyond them, whoever wrote the checkout
    would choose what is overwritten.

    Raises:
        OSError: a link leads elsewhere, or in a circle.
    """
    place = Links().follow(file)
    if not is_open_descriptor(place):
        links = Links()
        links.folders = [links.follow(str(Path(file).parent))]
        place = links.follow(file)
    return Path(place)


def write_named(file: str, content: bytes, *, is_secret: bool = False) -> None:
    """Write a file as a whole or not at all; a pipe, a terminal and a descriptor (`/dev/stdout`) are written to as they are.

    Raises:
        OSError: it can't be written.
    """
    place = place_of(file)
    if is_open_descriptor(str(place)):
        sys.stdout.flush()
        with suppress(BrokenPipeError):  # a reader may leave, as that of standard output may
            _write_all(int(place.name), content)
        return
    try:
        mode = place.stat().st_mode
    except FileNotFoundError:
        mode = stat.S_IFREG
    if stat.S_ISFIFO(mode) or stat.S_ISCHR(mode):
        descriptor = os.open(place, os.O_WRONLY | os.O_NOCTTY)
        try:
            _write_all(descriptor, content)
        finally:
            os.close(descriptor)
    elif stat.S_ISREG(mode):
        write_whole(place, content, is_private=is_secret)
    else:
        raise NotRegularError(mode)


def make_folder(folder: str) -> None:
    """Make a folder for output files, and those above it.

    Raises:
        OSError: it can't be made, or a link on its way leads out of its repository.
    """
    Path(Links().follow(folder)).mkdir(parents=True, exist_ok=True)


def _write_all(descriptor: int, content: bytes) -> None:
    while content:
        content = content[os.write(descriptor, content) :]
