"""Reader of a run's files and folders, once, through links as they are now; a diagnostic for each that fails.

Layer 1; reads files and standard input.
"""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from connform.manifest.input_files import STDIN, check_place, is_open_descriptor, read_place
from connform.manifest.links import LinkLeavesError, Links
from connform.regular_files import NotRegularError, TooLargeError

if TYPE_CHECKING:
    from connform.diagnostics import Diagnostic

MAX_FILE_BYTES = 8 * 1024 * 1024
"""The size of some 25,000 connections; a larger file is refused before it is parsed."""


class Source(NamedTuple):
    """One manifest's text."""

    name: str
    """Its path as the user gave it; `<stdin>`."""
    data: bytes
    """Its bytes."""
    base: str
    """Its folder: relative paths inside of it start here."""


def is_manifest_name(name: str) -> bool:
    """Whether a folder's entry of that name is a manifest; hidden files, which begin with a dot, are not."""
    return name.endswith((".yaml", ".yml")) and not name.startswith(".")


class ManifestReader:
    """Reads all files once; `descriptor_data` has the content of open descriptors, which can't be read again."""

    def __init__(self, descriptor_data: dict[str, bytes], *, content: bool, folders: Sequence[str]) -> None:
        self.sources: list[Source] = []
        self.problems: list[Diagnostic] = []
        self.has_moved = False
        """Whether a link was replaced during the reading."""
        self._descriptor_data = descriptor_data
        self._links = Links()
        self._folders = folders
        self._content = content
        self._seen: set[str] = set()

    def read(self, paths: Sequence[str]) -> None:
        """Read files, and those of folders."""
        folders = [name for name in paths if name != STDIN and os.path.isdir(name)]
        self._links.folders += filter(None, [_place(self._links, name) for name in (*folders, *self._folders)])
        for name in paths:
            if name in folders:
                self._read_folder(name)
            else:
                self._read_file(name)

    def _read_folder(self, name: str) -> None:
        try:
            names = sorted(filter(is_manifest_name, os.listdir(self._links.follow(name))))
        except OSError as error:
            self._add_error(name, error)
            return
        self._note_moved_link(name)  # if a new revision has replaced the folder, the old one may be partly deleted
        if not names:
            self.add_problem(name, "file-not-found", "the folder holds no *.yaml and no *.yml file")
        for inside in names:
            self._read_file(os.path.join(name, inside))

    def _read_file(self, name: str) -> None:
        try:
            place = name if name == STDIN else self._links.follow(name)
            if place not in self._seen:
                self._seen.add(place)
                self.sources.append(self._source(name, place))
        except OSError as error:
            self._add_error(name, error)

    def _source(self, name: str, place: str) -> Source:
        data = self._descriptor_data.get(place, b"")
        if not self._content:
            check_place(place, MAX_FILE_BYTES)
        elif place not in self._descriptor_data:
            data = read_place(place, MAX_FILE_BYTES)
        if is_open_descriptor(place):
            self._descriptor_data[place] = data
        if name == STDIN:
            return Source("<stdin>", data, os.getcwd())
        return Source(name, data, os.path.dirname(os.path.abspath(name)))

    def _add_error(self, name: str, error: OSError) -> None:
        if isinstance(error, FileNotFoundError):
            self._note_moved_link(name)
        elif isinstance(error, NotRegularError) and os.path.isdir(name):
            self.has_moved = True  # its revision was deleted when it was asked what it is
        self.add_problem(name, *_reason(name, error))

    def _note_moved_link(self, name: str) -> None:
        self.has_moved = self.has_moved or _place(Links(), name) != _place(self._links, name)

    def add_problem(self, name: str, code: str, detail: str) -> None:
        """Add a diagnostic on a file or folder."""
        from connform.diagnostics import Span  # imports here keep commands fast that read no manifest
        from connform.manifest.diagnose import diagnose_file

        self.problems.append(diagnose_file(code, detail, Span(name, 1, 1, 1, 1)))


def _place(links: Links, name: str) -> str:
    """Return the real path of a name; empty if it can't be followed, which is reported when it is read."""
    try:
        return links.follow(name)
    except OSError:
        return ""


def _reason(name: str, error: OSError) -> tuple[str, str]:
    code, detail = "file-unreadable", f"the system says: {error.strerror}"
    match error:
        case TooLargeError():
            code = "file-too-large"
            detail = f"at most {MAX_FILE_BYTES // 1024 // 1024} MiB are read: split the connections over several files"
        case LinkLeavesError():
            detail = f"{error.strerror}: name the file itself, or put it there"
        case NotRegularError():
            detail = f"{error.strerror}; what a program writes comes by `-`, or by `<(…)` of the shell"
        case FileNotFoundError() if os.path.islink(name):
            code, detail = "file-not-found", "it is a link that leads nowhere: check out what it names, or remove it"
        case FileNotFoundError():
            code, detail = "file-not-found", "there is no such file: name another one"
            if os.sep not in name and "." not in name:
                detail += ", or choose a connection with `-c NAME`"
        case PermissionError():
            detail = "this user may not read it"
    return code, detail
