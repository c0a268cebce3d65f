"""The policy file of the backend `exec`: the commands that may be run, and the checks of who can change the file.

Layer 2; reads one file, named by CONNFORM_EXEC_POLICY, else connform/exec.json in XDG_CONFIG_HOME. Someone who can change a
manifest must not be able to choose what is run. So the file belongs to this user or root, nobody else can write or replace
it, and it lies outside of the manifest's repository.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from connform.environment import variable
from connform.errors import SecretUnresolved
from connform.manifest.repository import repository_of
from connform.manifest.similar import did_you_mean
from connform.secrets.kit.open_store import attempt
from connform.secrets.kit.value import REPEATED, object_from_json, text_of_file

POLICY_VARIABLE = "CONNFORM_EXEC_POLICY"
"""The variable that names the policy file."""
_DENIED = "secret_denied"
_EXAMPLE = '{"version": 1, "commands": {"NAME": {"argv": ["/usr/bin/program", "argument"]}}}'
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_MAX_TIMEOUT_S = 3600
_MAX_BYTES = 1024 * 1024


class Command(NamedTuple):
    """A command that the policy allows."""

    argv: tuple[str, ...]
    """The program's absolute path, and its arguments."""
    is_json: bool = False
    """Whether it prints a JSON object. A reference then names one of its fields."""
    timeout_s: float = _MAX_TIMEOUT_S
    """How long it may take, in seconds."""
    variables: tuple[str, ...] = ()
    """Names of the environment variables that it gets in addition to the ordinary ones."""


def load_commands(base: Path) -> Mapping[str, Command]:
    """Return the commands of the user's policy file, by alias.

    Args:
        base: the folder of the manifest.

    Raises:
        SecretUnresolved: `secret_denied`, there is no policy file, or others can change it, or it is not valid.
    """
    path = _policy_path()
    _require_outside(path, base)
    data = _read(path)
    content = attempt(lambda: object_from_json(text_of_file(data)))
    if isinstance(content, SecretUnresolved):
        raise _invalid(path, "it is not a JSON object")
    return _commands(content, path)


def _policy_path() -> Path:
    named, config = Path(variable(POLICY_VARIABLE)), Path(variable("XDG_CONFIG_HOME"))
    if named != Path() and not named.is_absolute():
        raise SecretUnresolved(_DENIED, f"{POLICY_VARIABLE} is not an absolute path", "name the file by its whole path")
    folder = config if config.is_absolute() else Path(variable("HOME") or os.sep) / ".config"
    return named if named.is_absolute() else folder / "connform" / "exec.json"


def _require_outside(path: Path, base: Path) -> None:
    root = repository_of(base.resolve())
    if root is not None and any(where.is_relative_to(root) for where in (path.resolve(), path.parent.resolve())):
        message = f"the policy {path} lies in the manifest's repository: who changes the one could change the other"
        raise SecretUnresolved(_DENIED, message, f"keep it outside of {root}, and name it in {POLICY_VARIABLE}")


def _read(path: Path) -> bytes:
    try:
        folder = path.parent.resolve()
        for above in (folder, *folder.parents):
            _require_owned(above, above.stat())
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            status = os.fstat(descriptor)
            _require_owned(path, status)
            if not stat.S_ISREG(status.st_mode) or status.st_size > _MAX_BYTES:
                message = f"the policy {path} is no file, or one of more than 1 MiB"
                raise SecretUnresolved(_DENIED, message, "name the file itself")
            return os.read(descriptor, _MAX_BYTES)
        finally:
            os.close(descriptor)
    except FileNotFoundError:
        message = f"no policy allows a command: there is no file {path}"
        raise SecretUnresolved(_DENIED, message, f"write it: {_EXAMPLE}") from None
    except OSError as error:
        reason = "it is a link" if error.errno == errno.ELOOP else error.strerror
        message = f"the policy {path} is not read: {reason}"
        raise SecretUnresolved(_DENIED, message, "make it a file of yours, and no link") from None


def _require_owned(path: Path, status: os.stat_result) -> None:
    if status.st_uid not in {os.geteuid(), 0}:
        message = f"the policy can't be trusted: {path} belongs to another user (uid {status.st_uid})"
        raise SecretUnresolved(_DENIED, message, "keep the policy in a folder of yours, as a file of yours")
    # As /tmp: nobody can replace the files of others there.
    is_shared = stat.S_ISDIR(status.st_mode) and status.st_mode & stat.S_ISVTX
    if status.st_mode & _OTHERS_WRITE and not is_shared:
        message = f"the policy can't be trusted: others can write {path} (mode {stat.S_IMODE(status.st_mode):04o})"
        raise SecretUnresolved(_DENIED, message, f"chmod go-w {path}")


def _commands(content: Mapping[str, Any], path: Path) -> Mapping[str, Command]:
    _require_known(content, ("version", "commands"), path, "")
    if content.get("version") != 1 or isinstance(content["version"], bool):
        raise _invalid(path, "its `version` is not 1")
    commands = content.get("commands")
    if not isinstance(commands, dict):
        raise _invalid(path, "its `commands` is not an object of commands by alias")
    _require_once(commands, path, "commands.")
    return {alias: _command(alias, entry, path) for alias, entry in commands.items()}


def _command(alias: str, entry: Any, path: Path) -> Command:
    where = f"commands.{alias}"
    if not isinstance(entry, dict):
        raise _invalid(path, f'{where} is not an object with an "argv"')
    _require_known(entry, ("argv", "format", "timeout_s", "env"), path, f"{where}.")
    argv, timeout_s = entry.get("argv"), entry.get("timeout_s", _MAX_TIMEOUT_S)
    form, names = entry.get("format", "raw"), entry.get("env", [])
    if not _is_list_of_texts(argv) or not argv:
        raise _invalid(path, f"{where}.argv is not a list of texts")
    if not Path(argv[0]).is_absolute():
        raise _invalid(path, f"{where}.argv begins with a program that is not named by its absolute path")
    if form not in {"raw", "json"}:
        raise _invalid(path, f"{where}.format is neither raw nor json")
    if isinstance(timeout_s, bool) or not isinstance(timeout_s, int | float) or not 0 < timeout_s <= _MAX_TIMEOUT_S:
        raise _invalid(path, f"{where}.timeout_s is not a number of seconds, above 0 and up to {_MAX_TIMEOUT_S}")
    if not _is_list_of_texts(names):
        raise _invalid(path, f"{where}.env is not a list of names of variables")
    return Command(tuple(argv), form == "json", timeout_s, tuple(names))


def _is_list_of_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) and "\0" not in one for one in value)


def _require_known(entry: Mapping[str, Any], known: tuple[str, ...], path: Path, where: str) -> None:
    for key in entry:
        if key not in known:
            raise _invalid(path, f"{where}{key} is not known", did_you_mean(key, known))
    _require_once(entry, path, where)


def _require_once(entry: Mapping[str, Any], path: Path, where: str) -> None:
    for key, value in entry.items():
        if value is REPEATED:
            raise _invalid(path, f"{where}{key} stands twice")


def _invalid(path: Path, problem: str, hint: str = "") -> SecretUnresolved:
    message = f"the policy {path} is not valid: {problem}"
    return SecretUnresolved(_DENIED, message, hint or f"it has the form {_EXAMPLE}")
