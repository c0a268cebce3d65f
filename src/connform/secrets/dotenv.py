r"""The backend `dotenv`: values of variables in dotenv files, `dotenv://.env#NAME`.

Layer 2; reads files. The parser is our own. python-dotenv silently skips a line that it can't read, and silently takes
the last of two values. For a secret, both must be errors that name the line.

- `NAME=value`, `export NAME=value`, empty lines, `# comment` lines. A comment after a value needs a space before it.
- `'single'`: literal, as in a shell. `"double"`: has the escapes `\n \r \t \" \\ \$`. Both may span lines.
- No interpolation: `$` is a dollar sign.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from connform.errors import SecretUnresolved
from connform.manifest.shape import Shape, Snippet
from connform.manifest.similar import did_you_mean
from connform.secret import SecretReference
from connform.secrets.kit.file_reader import PATH_SCHEMA, read_file
from connform.secrets.kit.interface import Backend, Fetched, OpenStore, Outcome, StoreConfig
from connform.secrets.kit.open_store import attempt
from connform.secrets.kit.value import secret_from_text, text_of_file

_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_BLANK = r"[ \t]*(?:#[^\n]*)?\r?(?:\n|\Z)"
_ASSIGNMENT = rf"[ \t]*(?:export[ \t]+)?({_NAME})[ \t]*=[ \t]*"
_QUOTED = r"""(?:'([^']*)'|"((?:[^"\\]|\\[nrt"\\$])*)")(?:[ \t]+#[^\n]*|[ \t]*)\r?(?:\n|\Z)"""
_BARE = r"((?:[^\s'\"#][^\n]*)?)(?:(?<=\s)#[^\n]*)?(?:\n|\Z)"
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}


class Assignment(NamedTuple):
    """One line `NAME=value` of a dotenv file."""

    value: str
    """The value, without its quotes and escapes."""
    line_number: int
    """Its line, counted from 1."""
    repeated_at: int = 0
    """The line of the last other assignment to the same name; 0 if there is none."""


class MalformedLineError(ValueError):
    """A line that can't be parsed. The message is the line's number, never its text."""


class Dotenv(Backend):
    """The backend `dotenv`."""

    form = "dotenv://.env#NAME"
    reads_files = True
    depends_on_folder = True
    is_plain = True
    store_shape = Shape(
        properties={
            "path": {
                **PATH_SCHEMA,
                "description": "The dotenv file; relative to the manifest.",
                "examples": [".env"],
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
            is_valid = re.fullmatch(_NAME, reference.path) and not reference.field
            return (
                "" if is_valid else f"the store names the file, the reference the variable: {reference.scheme}://NAME"
            )
        if not reference.path:
            return "the path of the file is missing: dotenv://.env#NAME"
        if not re.fullmatch(_NAME, reference.field):
            return "the variable's name is missing or not valid: dotenv://.env#NAME"
        return ""

    def open(self, store: StoreConfig) -> OpenStore:
        """Return the file of a store, or all files for the bare backend."""
        return _DotenvFiles(store)


class _DotenvFiles:
    """Dotenv files. One call of `read` reads each file once."""

    batch_size = 0

    def __init__(self, store: StoreConfig) -> None:
        self._store = store

    def read(self, references: Sequence[SecretReference]) -> Sequence[Outcome]:
        """Return the value of each reference's variable, or why there is none."""
        store_path = self._store.settings.get("path", "")
        files: dict[Path, dict[str, Assignment] | SecretUnresolved] = {}
        outcomes: list[Outcome] = []
        for reference in references:
            path = self._store.base / (store_path or reference.path)
            if path not in files:
                files[path] = attempt(_load, path)
            content = files[path]
            name = reference.path if store_path else reference.field
            outcomes.append(content if isinstance(content, SecretUnresolved) else attempt(_value, content, name))
        return outcomes

    def close(self) -> None:
        """Do nothing: no file stays open."""


def _load(path: Path) -> dict[str, Assignment]:
    text = text_of_file(read_file(path))
    try:
        return parse_dotenv(text)
    except MalformedLineError as error:
        number = str(error)
    # Raised outside of the handler: else the chained exception would hold the text.
    message = f"line {number} of {path} is not NAME=value"
    raise SecretUnresolved("secret_malformed", message, "put a value with special characters in single quotes")


def _value(assignments: Mapping[str, Assignment], name: str) -> Fetched:
    if name not in assignments:
        hint = did_you_mean(name, assignments) or f"add a line {name}=… to the file"
        raise SecretUnresolved("secret_not_found", f"the file has no variable {name}", hint)
    assignment = assignments[name]
    if assignment.repeated_at:
        message = f"{name} stands twice, at lines {assignment.line_number} and {assignment.repeated_at}"
        raise SecretUnresolved("secret_malformed", message, "remove one of the lines")
    return Fetched(secret_from_text(assignment.value))


def parse_dotenv(text: str) -> dict[str, Assignment]:
    """Return the assignments of a dotenv file by name.

    Raises:
        MalformedLineError: the number of the first line that can't be parsed.
    """
    blank, assignment, quoted, bare = map(re.compile, (_BLANK, _ASSIGNMENT, _QUOTED, _BARE))
    assignments: dict[str, Assignment] = {}
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
            assignments[name] = (
                assignments[name]._replace(repeated_at=number)
                if name in assignments
                else Assignment(_unquoted(match), number)
            )
        else:
            raise MalformedLineError(number)
        number += text.count("\n", start, position)
    return assignments


def _unquoted(match: re.Match[str]) -> str:
    if match.re.groups == 1:
        return re.split(r"\s#", match[1], maxsplit=1)[0].strip()
    if match[1] is not None:
        return match[1]
    return re.sub(r"\\(.)", lambda escape: _ESCAPES.get(escape[1], escape[1]), match[2])


DOTENV = Dotenv()
