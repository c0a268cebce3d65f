"""Turns what stands behind `-f` into the files of a run.

Layer 1; reads manifests, from files and standard input, and nothing else.
"""

from __future__ import annotations

import errno
import os
import sys
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from connform.diagnostics import Diagnostic

MAX_FILE_BYTES: Final = 8 * 1024 * 1024
"""Some 25,000 connections; a larger file is refused before it is parsed."""
STDIN: Final = "-"


class Source(NamedTuple):
    """One manifest's text."""

    name: str
    """Its path as the user gave it; `<stdin>`."""
    data: bytes
    """Its bytes."""
    base: str
    """Its folder: relative paths inside of it start here."""


def load_sources(paths: Sequence[str], *, content: bool = True) -> tuple[list[Source], list[Diagnostic]]:
    """Read every manifest that `paths` name, each once.

    Args:
        paths: files, folders (their `*.yaml` and `*.yml`), `-`; empty: `connections.yaml`, else `connections/`.
        content: whether more matters than that each can be read.

    Returns:
        The files in a stable order, and a diagnostic for each that can't be read.
    """
    sources: list[Source] = []
    problems: list[Diagnostic] = []
    seen: set[str] = set()
    for name in _expand(paths, problems):
        key = name if name == STDIN else os.path.realpath(name)
        if key in seen:
            continue
        seen.add(key)
        try:
            sources.append(_read(name, MAX_FILE_BYTES + 1 if content else 0))
        except OSError as error:
            code, detail = _reason(error)
            problems.append(_problem(name, code, detail))
        except _TooLargeError:
            detail = f"at most {MAX_FILE_BYTES // 1024 // 1024} MiB are read: split the connections over several files"
            problems.append(_problem(name, "file-too-large", detail))
    return sources, problems


def searched_folders(paths: Sequence[str]) -> list[str]:
    """Return the folders that `paths`, as for `load_sources`, read as a whole: what isn't in them is nowhere."""
    return [name for name in paths or _default() if name != STDIN and os.path.isdir(name)]


class _TooLargeError(Exception):
    """The file is larger than `MAX_FILE_BYTES`."""


def _expand(paths: Sequence[str], problems: list[Diagnostic]) -> Iterator[str]:
    for name in paths or _default():
        if name == STDIN or not os.path.isdir(name):
            yield name
            continue
        try:
            folder = sorted(os.path.join(name, inside) for inside in os.listdir(name))
        except OSError as error:
            problems.append(_problem(name, *_reason(error)))
            continue
        found = [path for path in folder if path.endswith((".yaml", ".yml")) and os.path.isfile(path)]
        if not found:
            detail = "the folder holds no *.yaml and no *.yml file"
            problems.append(_problem(name, "file-not-found", detail))
        yield from found


def _default() -> list[str]:
    """Return where a run looks that names no file."""
    is_folder = not os.path.exists("connections.yaml") and os.path.isdir("connections")
    return ["connections" if is_folder else "connections.yaml"]


def _read(name: str, limit: int) -> Source:
    if name == STDIN and sys.stdin is None:
        raise OSError(errno.EBADF, "standard input is closed")
    if name == STDIN:
        source = Source("<stdin>", sys.stdin.buffer.read(limit), os.getcwd())
    else:
        with open(name, "rb", opener=_open) as file:
            size = os.fstat(file.fileno()).st_size  # 0 for a pipe
            limit = min(size + 1, limit) if size else limit
            source = Source(name, file.read(limit), os.path.dirname(os.path.abspath(name)))
    if len(source.data) > MAX_FILE_BYTES:
        raise _TooLargeError
    return source


def _open(name: str, flags: int) -> int:
    """Open a file without waiting for the other end of a pipe: one that nobody writes to is empty."""
    descriptor = os.open(name, flags | getattr(os, "O_NONBLOCK", 0))
    os.set_blocking(descriptor, True)
    return descriptor


def _problem(name: str, code: str, detail: str) -> Diagnostic:
    from connform.diagnostics import Span  # with the parser behind it, which looking at state never needs
    from connform.manifest.places import diagnose_file

    return diagnose_file(code, detail, Span(name, 1, 1, 1, 1))


def _reason(error: OSError) -> tuple[str, str]:
    if isinstance(error, FileNotFoundError):
        return "file-not-found", "no such file: name it with `-f`, or change into its folder"
    if isinstance(error, PermissionError):
        return "file-unreadable", "this user may not read it"
    return "file-unreadable", f"the system says: {error.strerror}"
