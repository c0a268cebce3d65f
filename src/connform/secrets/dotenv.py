r"""Turns `dotenv://.env#NAME` into the value of a variable in a dotenv file.

Layer 2; reads files. The grammar is small and our own (40 lines): python-dotenv skips lines that it can't read and
lets the last of two values win, both silently, which is wrong for a secret; here each is an error with its line.

- `NAME=value`, `export NAME=value`, empty lines, `# comment` lines; a comment behind a value needs a space before it.
- `'single'`: literal, as in a shell. `"double"`: `\n \r \t \" \\ \$` mean what they mean in C and the shell. Both may span lines.
- No interpolation: `$` is a dollar sign.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from connform.errors import SecretUnresolved
from connform.manifest.shape import Shape, Snippet
from connform.manifest.similar import did_you_mean
from connform.secrets.kit.file_reader import read_file
from connform.secrets.kit.interface import Fetched
from connform.secrets.kit.open_store import attempt
from connform.secrets.kit.value import secret_from_text, text_of_file

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from typing import Any

    from connform.secret import SecretReference
    from connform.secrets.kit.interface import OpenStore, Outcome, StoreConfig

_NAME: Final = r"[A-Za-z_][A-Za-z0-9_]*"
_BLANK: Final = r"[ \t]*(?:#[^\n]*)?\r?(?:\n|\Z)"
_ASSIGNMENT: Final = rf"[ \t]*(?:export[ \t]+)?({_NAME})[ \t]*=[ \t]*"
_QUOTED: Final = r"""(?:'([^']*)'|"((?:[^"\\]|\\[nrt"\\$])*)")(?:[ \t]+#[^\n]*|[ \t]*)\r?(?:\n|\Z)"""
_BARE: Final = r"((?:[^\s'\"#][^\n]*)?)(?:(?<=\s)#[^\n]*)?(?:\n|\Z)"
_ESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t"}


class Assignment(NamedTuple):
    """One assignment."""

    value: str
    """Unquoted."""
    line_number: int
    """1-based."""
    repeated_at: int = 0
    """The line at which the name stands again; 0 for nowhere."""


class MalformedLineError(ValueError):
    """A line that is none of the grammar; the message is its number, never its text."""


class Dotenv:
    """The backend `dotenv`."""

    form = "dotenv://.env#NAME"
    store_shape = Shape(
        properties={
            "path": {
                "type": "string",
                "pattern": r"^[^\x00-\x1f\x7f]+(?!\n)$",
                "description": "The dotenv file; relative to the manifest.",
                "examples": [".env"],
                "errorMessage": "a path is not empty and holds no control characters",
            }
        },
        required=("path",),
        description="A file of NAME=value lines.",
        snippets=(Snippet("dotenv file", {"type": "dotenv", "path": "${2:.env}"}),),
    )

    def lint(self, reference: SecretReference, settings: Mapping[str, Any]) -> str:
        """Return what is wrong with a reference to a variable of a dotenv file."""
        if reference.version:
            return "a dotenv file has no versions"
        if "path" in settings:
            fine = re.fullmatch(_NAME, reference.path) and not reference.field
            return "" if fine else f"the store names the file, the reference the variable: {reference.scheme}://NAME"
        if not reference.path:
            return "the path of the file is missing: dotenv://.env#NAME"
        if not re.fullmatch(_NAME, reference.field):
            return "the variable's name is missing or not valid: dotenv://.env#NAME"
        return ""

    def open(self, store: StoreConfig) -> OpenStore:
        """Return the files, or the one of a store."""
        return _DotenvFiles(store)


class _DotenvFiles:
    """Dotenv files; each is read once a read."""

    batch_size = 0

    def __init__(self, store: StoreConfig) -> None:
        self._store = store

    def read(self, references: Sequence[SecretReference]) -> Sequence[Outcome]:
        """Return the values of the variables."""
        of_store = self._store.settings.get("path", "")
        files: dict[Path, dict[str, Assignment] | SecretUnresolved] = {}
        outcomes: list[Outcome] = []
        for reference in references:
            path = self._store.base / (of_store or reference.path)
            if path not in files:
                files[path] = attempt(_load, path)
            lines = files[path]
            name = reference.path if of_store else reference.field
            outcomes.append(lines if isinstance(lines, SecretUnresolved) else attempt(_value, lines, name))
        return outcomes

    def close(self) -> None:
        """Do nothing."""


def _load(path: Path) -> dict[str, Assignment]:
    text = text_of_file(read_file(path))
    try:
        return parse_dotenv(text)
    except MalformedLineError as error:
        number = str(error)
    # Raised out here: no exception in the chain holds the text.
    message = f"line {number} of {path} is not NAME=value"
    raise SecretUnresolved("secret_malformed", message, "put a value with special characters in single quotes")


def _value(lines: Mapping[str, Assignment], name: str) -> Fetched:
    if name not in lines:
        hint = did_you_mean(name, lines) or f"add a line {name}=… to the file"
        raise SecretUnresolved("secret_not_found", f"the file has no variable {name}", hint)
    line = lines[name]
    if line.repeated_at:
        message = f"{name} stands twice, at lines {line.line_number} and {line.repeated_at}"
        raise SecretUnresolved("secret_malformed", message, "remove one of the lines")
    return Fetched(secret_from_text(line.value))


def parse_dotenv(text: str) -> dict[str, Assignment]:
    """Return the assignments of a dotenv file by their names.

    Raises:
        MalformedLineError: with the number of the first line that can't be read.
    """
    blank, assignment, quoted, bare = map(re.compile, (_BLANK, _ASSIGNMENT, _QUOTED, _BARE))
    lines: dict[str, Assignment] = {}
    position, number = 0, 1
    while position < len(text):
        start = position
        if match := blank.match(text, position):
            position = match.end()
        elif (head := assignment.match(text, position)) and (
            match := quoted.match(text, head.end()) or bare.match(text, head.end())
        ):
            position = match.end()
            name = head[1]
            lines[name] = (
                lines[name]._replace(repeated_at=number) if name in lines else Assignment(_unquoted(match), number)
            )
        else:
            raise MalformedLineError(number)
        number += text.count("\n", start, position)
    return lines


def _unquoted(match: re.Match[str]) -> str:
    if match.re.groups == 1:
        return re.split(r"\s#", match[1], maxsplit=1)[0].strip()
    if match[1] is not None:
        return match[1]
    return re.sub(r"\\(.)", lambda escape: _ESCAPES.get(escape[1], escape[1]), match[2])


DOTENV: Final = Dotenv()
